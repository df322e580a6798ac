"""Halves of surrogate pairs in JSON are kept, replaced or named, and nothing else is touched."""

import json
import re
import sys

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from racro.base.lone_surrogates import has_lone_surrogates, without_lone_surrogates
from racro.servekit.surrogates import why_not_json

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


def test_what_is_wrong_is_named() -> None:
    assert "surrogate" in why_not_json(rb'"\ud83d"', ValueError("no JSON"))
    assert why_not_json(rb'"\\ud83d', ValueError("no JSON")) == "no JSON"
