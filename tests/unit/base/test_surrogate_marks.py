"""Marks stand for halves of surrogate pairs, and are taken out again to the byte."""

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from racro.base.lone_surrogates import has_lone_surrogates, without_lone_surrogates
from racro.base.surrogate_marks import SurrogateMarks, TooManyHalvesError

LIKELY = '\\"u/d83e0n\n \U0001f600\ud83d\ude00\U0010f83d\u00e9'
TEXTS = st.text(st.sampled_from(LIKELY) | st.characters())


def marked(text: bytes) -> tuple[SurrogateMarks, bytes]:
    marks = SurrogateMarks.of(text)
    assert marks is not None
    return marks, marks.put_in(text)


@example("\ud83d")
@example("\\\ud83d")
@example("\ud83d\ud83d\ude00" + "\n" * 3000 + "\ude00")
@example("\U0010f83d\ud83d")
@given(TEXTS)
def test_each_half_is_a_mark_and_is_brought_back(text) -> None:
    raw = json.dumps({"a": text}).encode()
    marks, put = marked(raw)
    assert not has_lone_surrogates(put)
    assert marks.take_out(put) == raw
    mended = msgspec.json.decode(without_lone_surrogates(raw))
    assert marks.shown(msgspec.json.decode(put)["a"]) == mended["a"]


@given(TEXTS)
def test_characters_that_are_not_escaped_stay(text) -> None:
    whole = json.dumps([text.encode(errors="replace").decode()], ensure_ascii=False).encode()
    raw = whole[:-1] + rb',"\uD83D"]'
    marks, put = marked(raw)
    assert put != raw
    assert marks.take_out(msgspec.json.encode(msgspec.json.decode(put))).endswith(rb'"\uD83D"]')
    assert marks.take_out(put) == raw


@pytest.mark.parametrize("half", [rb"\ud83d", rb"\uD83D", rb"\udfff", rb"\uDC00"])
def test_a_half_is_written_as_it_was(half) -> None:
    text = b'["a%b\\\\%b"]' % (half, half)
    marks, put = marked(text)
    assert marks.take_out(put) == text


def test_of_a_text_without_halves_nothing_changes() -> None:
    for text in (b"", b"[", b'"\\', b'"\\n\\"', rb'"\ud83d\ude00 \\ud83d"'):
        assert marked(text)[1] == text


@pytest.mark.parametrize("escaped", [False, True])
def test_a_text_with_characters_of_every_block_has_no_marks(escaped) -> None:
    blocks = "".join(chr(code) for code in range(0xF0000, 0x110000, 0x800))
    assert SurrogateMarks.of(json.dumps([blocks], ensure_ascii=escaped).encode()) is None
    some = json.dumps([blocks[:-3]], ensure_ascii=escaped).encode()
    assert SurrogateMarks.of(some) == (0x10F800, 0x10F000)


def test_there_may_be_so_many_halves() -> None:
    marks = SurrogateMarks(0x10F800, 0x10F000)
    assert marks.put_in(b'"' + rb"\uD83D" * 65_536 + b'"')
    with pytest.raises(TooManyHalvesError):
        marks.put_in(b'"' + rb"\uD83D" * 65_537 + b'"')
