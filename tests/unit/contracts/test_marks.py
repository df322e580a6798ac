"""So many combining marks stand in a row as languages write, and no more."""

import re
import sys
from itertools import groupby
from unicodedata import combining, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.contracts.marks import MOST_MARKS, limit_marks
from racro.contracts.perception import normalise_question

CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
TWO_MARKS = {"\u0f73", "\u0f75", "\u0f81"}


def is_mark(character: str) -> bool:
    """Whether normal forms put it in order with its neighbours."""
    return combining(normalize("NFD", character)[0]) != 0


def longest_row(text: str) -> int:
    return max((len(list(row)) for mark, row in groupby(text, is_mark) if mark), default=0)


def test_every_mark_of_unicode_is_limited() -> None:
    marks = list(filter(is_mark, CHARACTERS))
    assert {mark for mark in marks if not combining(mark)} == TWO_MARKS
    assert not [mark for mark in marks if re.match(r"[\w\x00-\u02ff]", mark)]
    assert limit_marks("".join(marks)) == "".join(marks[:MOST_MARKS])


@pytest.mark.parametrize("mark", ["\u0301", "\u0f73"])
def test_thirty_marks_are_kept_and_those_after_them_left_out(mark) -> None:
    kept = f"a{mark * MOST_MARKS}"
    assert limit_marks(kept) == kept
    assert limit_marks(f"{kept}{mark}, {kept}{mark * 999}b") == f"{kept}, {kept}b"


MARKED = st.lists(
    st.text(max_size=3)
    | st.builds(str.__mul__, st.sampled_from("\u0301\u0323\u0f73\u093c\u263a"), st.integers(0, 70))
).map("".join)


@given(MARKED)
def test_nothing_but_marks_is_left_out(text) -> None:
    limited = limit_marks(text)
    assert longest_row(limited) == min(longest_row(text), MOST_MARKS)
    assert [c for c in limited if not is_mark(c)] == [c for c in text if not is_mark(c)]
    assert limit_marks(limited) == limited


@given(MARKED)
def test_what_the_captioner_gets_has_no_more(text) -> None:
    assert normalise_question(text) == normalise_question(limit_marks(text))
    if longest_row(text) <= MOST_MARKS and "\r" not in text:
        assert normalise_question(text) == normalize("NFC", text).strip()
