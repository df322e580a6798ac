"""Halves of surrogate pairs in JSON are kept, replaced or named, and nothing else is touched."""

import json
import re
import sys

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from racro.base.lone_surrogates import has_lone_surrogates, without_lone_surrogates
from racro.servekit.json_bounds import TooManyError
from racro.servekit.surrogates import (
    fields_with_surrogates,
    why_not_json,
)

# Backslashes and the letters of escapes are as likely as halves of pairs.
TEXTS = st.text(st.sampled_from('\\"u/d83e0n\n \U0001f600\ud83d\ude00é') | st.characters())


@example("\ud83d")
@example("\\ud83d")
@example("\\\ud83d")
@example("\ude00\ud83d")
@example("\ud83d\ud83d\ude00")
@given(TEXTS)
def test_each_half_that_stands_alone_is_replaced(text) -> None:
    raw = json.dumps({"a": text}).encode()
    mended = without_lone_surrogates(raw)
    [read] = msgspec.json.decode(mended).values()
    # In escapes, two halves one behind the other are a pair.
    whole = json.loads(raw)["a"]
    assert read == re.sub("[\ud800-\udfff]", "\ufffd", whole)
    assert has_lone_surrogates(raw) == (mended != raw)


def test_a_text_of_escapes_takes_no_step_of_python_for_each() -> None:
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    for end in ("", "\\ud83d"):
        text = b'"' + rb"\n" * 100_000 + end.encode() + b'"'
        sys.setprofile(count)
        try:
            has_lone_surrogates(text)
            why_not_json(text, ValueError("no JSON"))
            without_lone_surrogates(text)
        finally:
            sys.setprofile(None)
    assert calls < 100


@given(st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS) | st.none(), max_size=4))
def test_fields_are_equal_to_those_of_the_text(fields) -> None:
    raw = json.dumps(fields).encode()
    found = {
        name: json.loads(bytes(value)) for name, value in fields_with_surrogates(raw, 4).items()
    }
    assert found == json.loads(raw)


@pytest.mark.parametrize(
    "text", [b"[]", b'"\\ud83d"', b"{", b'{"a": NaN}', b'{"a": "' + b"x" * 2**21]
)
def test_what_is_no_small_object_is_refused(text) -> None:
    with pytest.raises(ValueError, match=r"."):
        fields_with_surrogates(text, 4)


def test_there_are_few_fields() -> None:
    with pytest.raises(TooManyError):
        fields_with_surrogates(b'{"a": 1, "b": 2}', 1)


def test_what_is_wrong_is_named() -> None:
    assert "surrogate" in why_not_json(rb'"\ud83d"', ValueError("no JSON"))
    assert why_not_json(rb'"\\ud83d', ValueError("no JSON")) == "no JSON"
