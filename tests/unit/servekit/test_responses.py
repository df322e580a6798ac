"""Large bodies are read and written a piece at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.servekit.responses import check_utf8, read_body, send_response

MIB = 2**20


@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 3 * MIB])
async def test_an_answer_is_sent_whole_in_pieces_of_a_mebibyte(size) -> None:
    sent = []

    async def send(message) -> None:
        sent.append(message)

    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    await send_response(send, body)
    start, *bodies = sent
    assert (b"content-length", str(size).encode()) in start["headers"]
    assert b"".join(one["body"] for one in bodies) == body
    assert max(len(one["body"]) for one in bodies) <= MIB
    assert [one.get("more_body", False) for one in bodies] == [True] * (len(bodies) - 1) + [False]


@pytest.mark.parametrize("piece", [b"x", b"x" * MIB])
async def test_a_body_is_what_its_pieces_are_together(piece) -> None:
    messages = [{"type": "http.request", "body": piece, "more_body": True}] * 3
    messages.append({"type": "http.request", "body": b"end"})

    async def receive():
        return messages.pop(0)

    assert await read_body(receive) == piece * 3 + b"end"


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=9) | st.binary(max_size=9),
    st.integers(-5, 5),
)
def test_large_texts_are_utf8_where_they_can_be_decoded(text, shift) -> None:
    short = text.encode() if isinstance(text, str) else text
    for body in (short, b"a" * (MIB + shift) + short, short + b"a" * (MIB + shift)):
        try:
            body.decode()
        except UnicodeDecodeError:
            with pytest.raises(UnicodeDecodeError):
                check_utf8(body)
        else:
            check_utf8(body)
