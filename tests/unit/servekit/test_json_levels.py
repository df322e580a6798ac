"""A field is found at its level alone, wherever the text is cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.servekit.json_levels import FieldFinder

LIKELY = 'status"\\{}[],:x\n'
TEXT = st.text(st.sampled_from(LIKELY), max_size=8) | st.sampled_from(["status", "no"])
VALUES = st.recursive(
    TEXT | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def found(text: bytes, step: int) -> bool:
    finder = FieldFinder(2, b"status", b"no")
    for start in range(0, len(text), step):
        finder.feed(text[start : start + step])
    return finder.found


@given(st.dictionaries(TEXT, VALUES, max_size=4), st.integers(1, 9))
def test_it_is_found_at_its_level(event, step) -> None:
    event["response"] = event.pop("status", {})
    holders = [one for one in event.values() if isinstance(one, dict)]
    is_there = any(one.get("status") == "no" for one in holders)
    # A name is one text, and is not escaped.
    for text in (json.dumps(event), json.dumps(event, indent=1)):
        assert found(f"data: {text}".encode(), step) == is_there


@pytest.mark.parametrize("step", [1, 2, 100])
def test_what_only_looks_like_it_is_not_found(step) -> None:
    for text in (
        b'{"a": ["status", "no"]}',
        b'{"a": {"b": "status", "no": 1}}',
        b'{"a": {"b": {"status": "no"}}}',
        b'{"a": {"status": "none", "statuses": "no"}}',
        rb'{"a": {"x": "\\\"status\\\": \\\"no\\\""}}',
    ):
        assert not found(text, step)
    assert found(rb'{"a": {"x": "\\\\", "status" : "no"', step)
