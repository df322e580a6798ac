"""Feeds arbitrary input to a parser of what strangers send: `python -m fuzz.parsers NAME`.

None may raise anything but an error of ours, nor take seconds. Inputs are texts of the corpus that
libFuzzer has changed, or pieces that come far with arbitrary bytes among them. libFuzzer leaves one
that fails in a file, and runs it again when its path is given as another argument. Without a name,
all names are written.
"""

import asyncio
import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import atheris

with atheris.instrument_imports(include=["gateway", "racro", "services"]):
    from gateway.cache.entry import Entry, decode_any, encode
    from gateway.dialects.question_rules import RULES
    from gateway.dialects.relayed_request import RelayedRequest
    from gateway.dialects.text_images import replace_images
    from gateway.images.loader import read_image
    from gateway.settings import LimitsSection
    from racro.answers.extract import compact_answer, final_answer, solve_answer
    from racro.answers.formulas import worked_out
    from racro.contracts.control_tokens import escape_headings, neutralise
    from racro.contracts.errors import RacroError, UpstreamError, UpstreamUnavailable
    from racro.contracts.perception import PerceiveRequest, normalise_question
    from racro.contracts.prompts import COMPACT_V1
    from racro.contracts.solve_api import SolveRequest
    from racro.servekit import messages_relay, responses_relay
    from racro.servekit.chat_relay import StreamedAnswer, check_completion
    from racro.servekit.chat_stream import read_chunks
    from racro.servekit.paths import KnownRoute, RouteTable
    from racro.servekit.relay import error_from_answer
    from racro.servekit.relayed_stream import RelayedStream
    from racro.servekit.sse import read_events
    from racro.servekit.validation import parse_json
    from services.reasoner.compact import CompactText

LIMITS = LimitsSection()
RUNS = 10_000
MOST_BYTES = 4096
CORPUS = Path(__file__).with_name("corpus")
# Here the corpus grows from run to run.
FOUND = Path("outputs/fuzz/corpus")
# What an input begins with that is a whole text.
_WHOLE = b"\0"

_loop = asyncio.new_event_loop()


class Parser(NamedTuple):
    """A parser as it is tried, and pieces of its language."""

    run: Callable[[bytes], object]
    pieces: tuple[bytes, ...]


class Pieces:
    """An answer of an upstream that comes in pieces of seven bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    async def readany(self) -> bytes:
        return self._data.read(7)


def chat(data: bytes) -> None:
    RelayedRequest(data, follow_up=True, limits=LIMITS)


def result(data: bytes) -> None:
    text = data.decode(errors="replace")
    replaced = replace_images(
        text, lambda _: 'seen\n"it"', param="messages[0].content", with_links=True
    )
    try:
        before = json.loads(text)
    except (ValueError, RecursionError):
        return
    if replaced is not None and type(json.loads(replaced)) is not type(before):
        raise AssertionError(f"{replaced!r} is of another kind")


def markdown(data: bytes) -> None:
    text, found = data.decode(errors="replace"), []
    replace_images(text, lambda source: found.append(source) or "", param="", with_links=True)
    if not all(len(source.content) <= len(text) + len("data:;base64,") for source in found):
        raise AssertionError(f"{found} are not in the text")


def solve(data: bytes) -> None:
    parse_json(SolveRequest, data)


def perceive(data: bytes) -> None:
    parse_json(PerceiveRequest, data)


def image(data: bytes) -> None:
    read_image(data, param="images[0]", limits=LIMITS)


def data_url(data: bytes) -> None:
    read_image(data.decode(errors="replace"), param="images[0]", limits=LIMITS)


def events(data: bytes) -> None:
    async def read() -> int:
        return sum([len(event.data) async for event in read_events(Pieces(data))])

    if _loop.run_until_complete(read()) > len(data):
        raise AssertionError("more than came")


def chunks(data: bytes) -> None:
    async def read() -> None:
        async for chunk in read_chunks(Pieces(data), name="reasoner"):
            _ = chunk.first.content, chunk.first.reasoning, chunk.tokens

    _loop.run_until_complete(read())


def usage(data: bytes) -> None:
    whole, cut = StreamedAnswer(name="reasoner"), StreamedAnswer(name="reasoner")
    whole.feed(data)
    for start in range(0, len(data), 7):
        cut.feed(data[start : start + 7])
    for answer in (whole, cut):
        with suppress(UpstreamUnavailable):
            answer.end()
    # Of more in one piece only the last are tried.
    if data.count(b'"usage":') <= 8 and cut.usage != whole.usage:
        raise AssertionError(f"{whole.usage}, and cut {cut.usage}")
    with suppress(UpstreamError):
        check_completion(data, name="reasoner")


def message(data: bytes) -> None:
    whole, in_pieces = _watched(messages_relay.StreamedAnswer, data)
    if whole.usage != in_pieces.usage:
        raise AssertionError(f"{whole.usage}, and cut {in_pieces.usage}")
    with suppress(UpstreamError):
        messages_relay.check_completion(data, name="reasoner")


def response(data: bytes) -> None:
    # Of more usages in one piece only the last are tried, so that counts may differ.
    _watched(responses_relay.StreamedAnswer, data)
    with suppress(UpstreamError):
        responses_relay.check_completion(data, name="reasoner")


def _watched(watch: Callable[..., RelayedStream], data: bytes) -> Sequence[RelayedStream]:
    """Return a stream's watches at its end, once it came whole and once in pieces."""
    watches = watch(name="reasoner"), watch(name="reasoner")
    for answer, size in zip(watches, (max(1, len(data)), 7), strict=True):
        for start in range(0, len(data), size):
            answer.feed(data[start : start + size])
        with suppress(UpstreamUnavailable):
            answer.end()
    return watches


def upstream_error(data: bytes) -> None:
    for status in (400, 404, 429, 500, 503):
        error_from_answer(status, data, name="reasoner")


def answer(data: bytes) -> None:
    text = data.decode(errors="replace")
    final_answer(text)
    solve_answer(COMPACT_V1, text)


def box(data: bytes) -> None:
    text, held = data.decode(errors="replace"), CompactText()
    shown = "".join(map(held.add, text)) + held.end(broken_off=False)
    if "\\boxed" in shown:
        raise AssertionError(f"a box is shown: {shown!r}")
    compact_answer(text)


def formula(data: bytes) -> None:
    worked_out(data.decode(errors="replace"))


def question(data: bytes) -> None:
    text = normalise_question(data.decode(errors="replace"))
    if normalise_question(text) != text:
        raise AssertionError(f"{text!r} is not normal")
    for breaks in (neutralise, escape_headings):
        broken = breaks(text)
        if breaks(broken) != broken:
            raise AssertionError(f"{broken!r} is not broken")


def path(data: bytes) -> None:
    plain = _table.canonical(data.decode("latin-1"))
    if _table.canonical(plain) != plain:
        raise AssertionError(f"{plain!r} is not canonical")
    _table.find(plain)
    _table.not_found("GET", plain)


def entry(data: bytes) -> None:
    decode_any("key", data, max_bytes=2**20)
    decode_any("key", _entry[:19] + data, max_bytes=2**20)


def _routes(*paths: str) -> RouteTable:
    return RouteTable(
        KnownRoute(path, frozenset({"GET"}), re.compile(f"^{path}$"), True) for path in paths
    )


_table = _routes("/healthz", "/v1/models", "/v1/chat/completions")
_entry = encode("key", Entry("a", "stop", 1, 1, "m", "r", "p", 1.0, "t", ("i",)), max_bytes=999)
_JSON = (
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"null",
    b"true",
    b"1e9",
    b"\\u0041",
    b'\\"',
    b" ",
)
_CHAT = (
    b'{"model":"default","messages":[{"role":"user","content":',
    b'[{"type":"text","text":"',
    b'"},',
    b'{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}',
    b'"What?"}',
    b'],"stream":true}',
    *(f"<{slash}{name}>".encode() for name in RULES for slash in ("", "/")),
)
_RESULT = (
    b'{"content":[{"type":"image","data":"',
    b"iVBORw0KGgoAAAANSUhEUgAAAAgAAAAI" * 2,
    b'","mimeType":"image/png"}',
    b'"data:image/png;base64,AAAA"',
    b'{"b64_json":"',
    b'{"type":"image-url","url":"https://example.org/a.png"}',
)
_SSE = (b"data: ", b"event: ", b"\n", b"\n\n", b"\r\n\r\n", b"data: [DONE]\n\n", b": comment\n\n")
_CHUNK = (
    b'{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]',
    b'"usage":{"prompt_tokens":1,"completion_tokens":2}',
    b'{"choices":[],',
    b'"finish_reason":"stop"',
)
_MESSAGE = (
    b'{"type":"message_start","message":{"content":[],',
    b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},',
    b'{"type":"message_stop"}',
    b'"usage":{"input_tokens":1,"output_tokens":2}',
    b'{"type":"error","error":{"type":"overloaded_error"}}',
)
_RESPONSE = (
    b'{"type":"response.created","response":{"output":[],',
    b'{"type":"response.completed","response":{"status":"completed",',
    b'{"type":"response.failed","response":{"error":{"code":"server_error"}}}',
    b'"usage":{"input_tokens":1,"output_tokens":2}',
    b'{"type":"error","code":"server_error","message":"no"}',
)
_WORDS = (
    b"The answer is ",
    b"Answer: ",
    b"\\boxed{",
    b"}",
    b"{",
    b"\n",
    b"(A)",
    b"**",
    b"= ",
    b"$",
)
_SUMS = (
    b"= ",
    b"highest: A 1; B 2",
    b"count over 3: ",
    b"1,000.5",
    b" among ",
    b"(",
    b")",
    b"12:30",
)
_IMAGES = (
    b"\x89PNG\r\n\x1a\n",
    b"\0\0\0\rIHDR",
    b"\xff\xd8\xff",
    b"GIF89a",
    b"RIFF\0\0\0\0WEBPVP8 ",
)
_DATA_URL = (
    b"data:",
    b"data%3A",
    b"image/png;",
    b'name="a,b";',
    b"base64,",
    b"%2C",
    b"iVBORw0KGgo",
    b"%89PNG%0D%0A%1A%0A",
    b"-_",
    b"%",
    b"=",
    b" ",
)

PARSERS = {
    "chat": Parser(chat, _CHAT + _JSON),
    "result": Parser(result, _RESULT + _JSON),
    "markdown": Parser(
        markdown,
        (b"![", b"](data:image/", b"png;base64,", b"iVBORw0KGgoAAAAN" * 4, b")", b" ", b"\n", b'"'),
    ),
    "solve": Parser(solve, (b'{"question":"a","images":["b"]', b'"stream":', *_JSON)),
    "perceive": Parser(perceive, (b'{"images":["b"],"parts":["caption"]', b'"options":', *_JSON)),
    "image": Parser(image, (*_IMAGES, b"\0\0\0\1" * 2, b"\xff\xc0\0\x11\x08")),
    "data_url": Parser(data_url, _DATA_URL),
    "events": Parser(events, _SSE),
    "chunks": Parser(chunks, _SSE + _CHUNK + _JSON),
    "usage": Parser(usage, _SSE + _CHUNK + _JSON),
    "message": Parser(message, _SSE + _MESSAGE + _JSON),
    "response": Parser(response, _SSE + _RESPONSE + _JSON),
    "upstream_error": Parser(upstream_error, (b'{"error":{"message":"context length"', *_JSON)),
    "answer": Parser(answer, _WORDS),
    "box": Parser(box, _WORDS + _SUMS),
    "formula": Parser(formula, _SUMS),
    "question": Parser(question, (b"\r", b"\n", b"\xcc\x81", b"\xcc\xa3", b"<|im_start|>")),
    "path": Parser(path, (b"/", b"//", b"/v1", b"/models", b"health", b"{", b"..", b"%2f")),
    "entry": Parser(entry, (b"RC", b"\x28\xb5\x2f\xfd")),
}  # fmt: skip


def check(parser: Parser, data: bytes) -> None:
    """Try one input; errors of ours are what a parser may answer with."""
    with suppress(RacroError):
        parser.run(data[1:] if data.startswith(_WHOLE) else joined(parser.pieces, data))


def joined(pieces: Sequence[bytes], data: bytes) -> bytes:
    """Return the text that an input stands for: pieces, and bytes of its own behind each."""
    given = atheris.FuzzedDataProvider(data)
    text = b""
    while given.remaining_bytes():
        text += given.PickValueInList(list(pieces))
        text += given.ConsumeBytes(given.ConsumeIntInRange(0, 3))
    return text


def write_corpus(name: str) -> Path:
    """Write the texts of a parser's corpus as inputs, and return their folder."""
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    for text in (CORPUS / name).iterdir():
        (folder / text.name).write_bytes(_WHOLE + text.read_bytes())
    return folder


def main() -> None:
    if not sys.argv[1:]:
        sys.stdout.write("\n".join(PARSERS))
        return
    program, name, *given = sys.argv
    parser = PARSERS[name]
    arguments = [program, f"-runs={RUNS}", f"-max_len={MOST_BYTES}", "-timeout=10", *given]
    if all(argument.startswith("-") for argument in given):
        arguments.append(str(write_corpus(name)))
    atheris.Setup(arguments, lambda data: check(parser, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
