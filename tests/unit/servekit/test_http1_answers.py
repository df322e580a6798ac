"""However an answer is cut into pieces, it is read as the same one, or refused as the same."""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.servekit.http1 import MAX_HEAD_BYTES, MAX_HEADERS
from racro.servekit.http_errors import Broken, Malformed
from support.wire import WAITS, outcome, splits

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
SIZED = OK + b"content-length: 5\r\n\r\n"

# Name: (bytes, whether the connection ends, whether HEAD was asked), (status, body, kept).
WHOLE = {
    "length": ((SIZED + b"hello", False, False), (200, b"hello", True)),
    "length, then the end": ((SIZED + b"hello", True, False), (200, b"hello", False)),
    "length of nothing": ((OK + b"Content-Length: 0\r\n\r\n", False, False), (200, b"", True)),
    "chunks": (
        (CHUNKED + b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", False, False),
        (200, b"hello!", True),
    ),
    "no chunks": ((CHUNKED + b"0\r\n\r\n", False, False), (200, b"", True)),
    "chunks with extensions": (
        (CHUNKED + b'5;a=b;c="d"\r\nhello\r\n0;last\r\n\r\n', False, False),
        (200, b"hello", True),
    ),
    "chunks with trailers": (
        (CHUNKED + b"5\r\nhello\r\n0\r\nx-sum: 7\r\nx-b: c\r\n\r\n", False, False),
        (200, b"hello", True),
    ),
    "chunks in capitals": (
        (OK + b"Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", False, False),
        (200, b"0123456789", True),
    ),
    "until the end": ((OK + b"\r\nhello", True, False), (200, b"hello", False)),
    "nothing until the end": ((OK + b"\r\n", True, False), (200, b"", False)),
    "continue first": (
        (b"HTTP/1.1 100 Continue\r\n\r\n" + SIZED + b"hello", False, False),
        (200, b"hello", True),
    ),
    "early hints first": (
        (b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + SIZED + b"hello", False, False),
        (200, b"hello", True),
    ),
    "to HEAD": ((SIZED, False, True), (200, b"", True)),
    "to HEAD with a body": ((SIZED + b"hello", False, True), (200, b"", False)),
    "204": ((b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\n", False, False), (204, b"", True)),
    "304": ((b"HTTP/1.1 304 Not Modified\r\netag: z\r\n\r\n", False, False), (304, b"", True)),
    "HTTP/1.0": (
        (b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", False, False),
        (200, b"hello", False),
    ),
    "HTTP/1.0 kept": (
        (
            b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello",
            False,
            False,
        ),
        (200, b"hello", True),
    ),
    "connection: close": (
        (OK + b"Connection: close\r\ncontent-length: 5\r\n\r\nhello", False, False),
        (200, b"hello", False),
    ),
    "many headers": (
        (OK + b"a: b\r\n" * (MAX_HEADERS - 1) + b"content-length: 0\r\n\r\n", False, False),
        (200, b"", True),
    ),
    "no reason": ((b"HTTP/1.1 200\r\ncontent-length: 1\r\n\r\n.", False, False), (200, b".", True)),
    "an error": (
        (b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}", False, False),
        (503, b"{}", True),
    ),
    "bytes behind it": ((SIZED + b"hello" + OK, False, False), (200, b"hello", False)),
    "garbage behind it": ((SIZED + b"hello\0\0", False, False), (200, b"hello", False)),
    "another answer behind it": ((SIZED + b"hello" + SIZED, False, False), (200, b"hello", False)),
}
# Name: (bytes, whether the connection ends), (status or 0 where there is no head, error).
NO_ANSWER = {
    "negative length": (OK + b"content-length: -1\r\n\r\n", False, 0, Malformed),
    "length of words": (OK + b"content-length: five\r\n\r\n", False, 0, Malformed),
    "two lengths": (
        OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        False,
        0,
        Malformed,
    ),
    "huge length": (OK + b"content-length: 99999999999999999999\r\n\r\n", False, 0, Malformed),
    "length and chunks": (
        OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        False,
        0,
        Malformed,
    ),
    "chunks and length": (
        OK + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        False,
        0,
        Malformed,
    ),
    "packed": (OK + b"transfer-encoding: gzip\r\n\r\nhello", True, 0, Malformed),
    "packed chunks": (
        OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        False,
        0,
        Malformed,
    ),
    "chunk of words": (CHUNKED + b"five\r\nhello\r\n", False, 200, Malformed),
    "negative chunk": (CHUNKED + b"-5\r\nhello\r\n", False, 200, Malformed),
    "chunk longer than told": (CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n", False, 200, Malformed),
    "garbage": (b"SSH-2.0-OpenSSH_9.6\r\n", False, 0, Malformed),
    "HTTP/2": (b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n", False, 0, Malformed),
    "bare line feeds": (b"HTTP/1.1 200 OK\ncontent-length: 0\n\n", False, 0, Malformed),
    "a folded header": (OK + b"a: b\r\n c\r\ncontent-length: 0\r\n\r\n", False, 0, Malformed),
    "a zero byte": (OK + b"a: b\0c\r\ncontent-length: 0\r\n\r\n", False, 0, Malformed),
    "a space before a colon": (OK + b"content-length : 5\r\n\r\nhello", False, 0, Malformed),
    "too many headers": (OK + b"a: b\r\n" * (MAX_HEADERS + 1) + b"\r\n", False, 0, Malformed),
    "switching protocols": (
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        False,
        0,
        Malformed,
    ),
    "status 099": (b"HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n", False, 0, Malformed),
    "nothing": (b"", True, 0, Broken),
    "half a head": (OK + b"content-le", True, 0, Broken),
    "only continue": (b"HTTP/1.1 100 Continue\r\n\r\n", True, 0, Broken),
    "less than its length": (SIZED + b"hell", True, 200, Broken),
    "chunks without their end": (CHUNKED + b"5\r\nhello\r\n", True, 200, Broken),
}


@pytest.mark.parametrize("name", WHOLE)
async def test_an_answer_is_the_same_however_it_is_cut(name) -> None:
    (data, ends, head_only), (status, body, kept) = WHOLE[name]
    whole = outcome([data], ends=ends, head_only=head_only)
    assert (whole.status, whole.body, whole.kept) == (status, body, kept)
    for pieces in splits(data):
        for piped in (False, True):
            assert outcome(pieces, ends=ends, head_only=head_only, piped=piped) == whole, pieces


@pytest.mark.parametrize("name", NO_ANSWER)
async def test_what_is_no_answer_is_refused_however_it_is_cut(name) -> None:
    data, ends, status, error = NO_ANSWER[name]
    whole = outcome([data], ends=ends)
    assert (whole.body, whole.kept) == (error, False)
    # Without a head the status may be there, and the error in its place.
    assert whole.status == status
    for pieces in splits(data):
        for piped in (False, True):
            cut = outcome(pieces, ends=ends, piped=piped)
            assert (cut.status, cut.body, cut.kept) == (status, error, False), pieces


@pytest.mark.parametrize("name", WHOLE)
async def test_an_answer_that_breaks_off_is_none(name) -> None:
    (data, _, head_only), (_, body, _) = WHOLE[name]
    for length in range(len(data)):
        cut = outcome([data[:length]], ends=True, head_only=head_only)
        assert not cut.kept
        if isinstance(cut.body, bytes):
            # Either the end of the connection is that of the body, or the answer was there.
            assert body.startswith(cut.body)
            assert cut.body == body or b"until the end" in name.encode()
        else:
            assert cut.body is Broken


@given(name=st.sampled_from([*WHOLE]), data=st.data())
def test_an_answer_is_the_same_in_any_pieces(name, data) -> None:
    (answer, ends, head_only), _ = WHOLE[name]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(answer) - 1))))
    edges = [0, *cuts, len(answer)]
    pieces = [answer[start:end] for start, end in itertools.pairwise(edges)]
    in_loop(lambda: _same(answer, pieces, ends=ends, head_only=head_only))


def _same(answer: bytes, pieces: list[bytes], **how: bool) -> None:
    assert outcome(pieces, **how) == outcome([answer], **how)


def in_loop(check) -> None:
    async def run() -> None:
        check()

    asyncio.run(run())


@pytest.mark.parametrize("size", [1, 1000, MAX_HEAD_BYTES])
async def test_a_head_has_a_largest_size(size) -> None:
    def head(length: int) -> bytes:
        frame = OK + b"content-length: 0\r\na: \r\n\r\n"
        return frame.replace(b"a: ", b"a: " + b"x" * (length - len(frame)))

    for length, body in ((MAX_HEAD_BYTES, b""), (MAX_HEAD_BYTES + 1, Malformed)):
        data = head(length)
        assert len(data) == length
        pieces = [data[at : at + size] for at in range(0, length, size)]
        assert outcome(pieces).body == body
    endless = [b"HTTP/1.1 200 ", *[b"y" * 1000] * 100]
    assert outcome(endless).body is Malformed


async def test_headers_are_small_letters_and_several_are_one() -> None:
    answer = OK + b"X-A: 1\r\nx-a:  2 \r\nX-B: \xfc\r\nContent-Length: 0\r\n\r\n"
    assert outcome([answer]).headers == {"x-a": "1, 2", "x-b": "ü", "content-length": "0"}


async def test_interim_headers_are_not_the_answer_s() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    assert outcome([hints + SIZED + b"hello"]).headers == {"content-length": "5"}


async def test_trailers_and_extensions_are_not_read_for_ever() -> None:
    trailer = [CHUNKED, b"0\r\nx: ", *[b"y" * 1000] * 100]
    assert outcome(trailer).body is Malformed
    extension = [CHUNKED, b"5;", *[b"y" * 1000] * 100]
    assert outcome(extension).body is Malformed
    trailers = [CHUNKED, b"0\r\n", *[b"a: b\r\n"] * (MAX_HEADERS + 1)]
    assert outcome(trailers).body is Malformed


async def test_a_body_has_a_largest_size_where_it_is_read_whole() -> None:
    assert outcome([SIZED, b"hello"], max_body_bytes=5).body == b"hello"
    assert outcome([SIZED, b"hello"], max_body_bytes=4).body is Malformed


async def test_an_answer_without_its_end_is_waited_for() -> None:
    for data in (
        b"",
        OK,
        SIZED,
        SIZED + b"hell",
        CHUNKED + b"5\r\nhello\r\n0\r\n",
        OK + b"\r\nhello",
    ):
        assert outcome([data]).body == WAITS
