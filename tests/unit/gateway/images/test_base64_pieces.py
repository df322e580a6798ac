"""Base64 that is converted a piece at a time is what it is in one piece."""

import base64
import random

import pybase64
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.images.base64_pieces import decode_base64, encode_base64

PIECE = 2**20
LARGE = random.Random(5).randbytes(2_500_001)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 786_432, 786_433, 2_500_000, 2_500_001])
def test_what_was_encoded_is_decoded_again(size) -> None:
    text = encode_base64(LARGE[:size])
    assert text == base64.b64encode(LARGE[:size]).decode()
    assert decode_base64("data:," + text, 6) == LARGE[:size]
    assert decode_base64(text.rstrip("=")) == LARGE[:size]


@pytest.mark.parametrize("line", [1, 76, 77, PIECE - 1, PIECE, PIECE + 1])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", " \t"])
def test_lines_may_be_broken_anywhere(line, line_end) -> None:
    data = LARGE if line > 1 else LARGE[:5000]
    text = encode_base64(data)
    lines = line_end.join(text[at : at + line] for at in range(0, len(text), line))
    assert decode_base64(lines + line_end) == data


@pytest.mark.parametrize("more", ["A", "AAAA", "*", "\u00e9", "\u00a0"])
@pytest.mark.parametrize("characters", [4, 8, PIECE - 4, PIECE, PIECE + 4, 2 * PIECE])
def test_nothing_may_come_after_the_padding(characters, more) -> None:
    text = "A" * (characters - 2) + "=="
    assert decode_base64(text) == bytes(characters // 4 * 3 - 2)
    with pytest.raises(ValueError, match=r"."):
        decode_base64(text + more)
    with pytest.raises(ValueError, match=r"."):
        decode_base64(text + "\n" + more)


@given(st.text("AZ09+/-_=\n* \u00e9", max_size=12), st.integers(0, 3))
def test_short_texts_are_what_they_are_in_one_piece(text, start) -> None:
    compact = "".join(text[start:].split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        # Not the standard library's, which takes padding behind a whole group.
        expected = pybase64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except ValueError:
        expected = None
    if expected is None:
        with pytest.raises(ValueError, match=r"."):
            decode_base64(text, start)
    else:
        assert decode_base64(text, start) == expected
