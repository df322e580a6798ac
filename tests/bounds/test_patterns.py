"""CPU time that is linear in the length of foreign text, whatever stands in it.

Each case names a function, and how a text of some length is made that costs it most. `make
test-bounds` runs them: figures of CPU time want a machine that does little else.
"""

import asyncio
import gc
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from gateway.dialects.chat_conversation import ChatConversation
from gateway.dialects.conversation import find_image_turns
from gateway.dialects.relayed_request import RelayedRequest
from gateway.dialects.request_options import cache_mode, check_question
from gateway.dialects.text_images import replace_images
from gateway.images.loader import read_image
from gateway.reasoning.names import matches
from gateway.settings import LimitsSection
from racro.answers.extract import compact_answer, final_answer, solve_answer
from racro.answers.formulas import worked_out
from racro.answers.thought import split_reasoning
from racro.contracts.control_tokens import escape_headings, neutralise
from racro.contracts.errors import RacroError, UpstreamError, UpstreamUnavailable
from racro.contracts.marks import limit_marks
from racro.contracts.perception import normalise_question
from racro.contracts.prompts import COMPACT_V1
from racro.contracts.solve_api import SolveRequest
from racro.servekit import messages_relay, responses_relay
from racro.servekit.chat_relay import StreamedAnswer, check_completion
from racro.servekit.context import adopt_request_id, timeout_from_headers
from racro.servekit.dialect_streams import ResponsesEventStream
from racro.servekit.paths import RouteTable, printable
from racro.servekit.relay import error_from_answer
from racro.servekit.relayed_stream import RelayedStream
from racro.servekit.sse import read_events
from racro.servekit.validation import parse_json
from services.reasoner.compact import CompactText
from services.reasoner.fold import Fold
from services.reasoner.loops import LoopDetector

# n grows until a call takes so long, or a text is so long.
LIMITS = LimitsSection()
_ENOUGH_S = 0.002
_LONGEST = 100_000
# Less may be the clock's or the cache's.
_FLOOR_S = 0.0002
# Where time is linear it is ten, and up to fifteen with what no longer fits into the processor's
# cache; where it is quadratic it is a hundred.
_MOST = 30

Call = Callable[[Any], object]
Builder = Callable[[int], Any]


def repeat(text: str, *, before: str = "", after: str = "") -> Builder:
    """Build `before`, `text` up to n characters, `after`."""
    return lambda n: before + text * max(1, n // len(text)) + after


def nested(opening: str, inner: str, closing: str, *, before: str = "") -> Builder:
    def build(n: int) -> str:
        depth = max(1, n // len(opening + closing))
        return before + opening * depth + inner + closing * depth

    return build


def encoded(builder: Builder) -> Builder:
    return lambda n: builder(n).encode()


def image_turn(builder: Builder) -> Builder:
    """Build the messages of a chat that shows an image, with a text."""

    def build(n: int) -> bytes:
        image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
        content = [image, {"type": "text", "text": builder(n)}]
        return json.dumps([{"role": "user", "content": content}]).encode()

    return build


def find_turns(messages: bytes) -> object:
    return find_image_turns(ChatConversation(messages), LIMITS, follow_up=True)


def read_text(text: str) -> object:
    # With a word that is long enough for what is at little cost not to end it.
    return replace_images(f"{'x' * 48} {text}", lambda _: "", param="", with_links=True)


def parse_chat(body: bytes) -> object:
    return RelayedRequest(body, follow_up=True, limits=LIMITS)


def read_any_image(content: str | bytes) -> object:
    return read_image(content, param="images[0]", limits=LIMITS)


def check(question: str) -> object:
    return check_question(question, LIMITS)


def solve_compact(text: str) -> object:
    return solve_answer(COMPACT_V1, text)


def read_control(value: bytes) -> object:
    return cache_mode({"headers": [(b"cache-control", value)]})


def read_error(body: bytes) -> object:
    return error_from_answer(400, body, name="reasoner")


def read_completion(body: bytes) -> object:
    with suppress(UpstreamError):
        return check_completion(body, name="reasoner")


def read_request_id(value: bytes) -> object:
    return adopt_request_id([(b"x-request-id", value)])


def read_timeout(value: bytes) -> object:
    return timeout_from_headers([(b"x-racro-timeout-ms", value)], most_s=1)


def parse_solve(body: bytes) -> object:
    return parse_json(SolveRequest, body)


def feed_usage(stream: bytes) -> object:
    return feed_stream(StreamedAnswer(name="reasoner"), stream)


def feed_message(stream: bytes) -> object:
    return feed_stream(messages_relay.StreamedAnswer(name="reasoner"), stream)


def feed_response(stream: bytes) -> object:
    return feed_stream(responses_relay.StreamedAnswer(name="reasoner"), stream)


def feed_stream(answer: RelayedStream, stream: bytes) -> object:
    for start in range(0, len(stream), 4096):
        answer.feed(stream[start : start + 4096])
    with suppress(UpstreamUnavailable):
        answer.end()
    return answer.usage


def read_message(body: bytes) -> object:
    return messages_relay.check_completion(body, name="reasoner")


def read_response(body: bytes) -> object:
    return responses_relay.check_completion(body, name="reasoner")


def number_events(stream: bytes) -> object:
    """Look for the number of a stream's last event, as its pieces are written."""

    async def note() -> int:
        out = ResponsesEventStream(None, None, keep_alive_s=60)
        for start in range(0, len(stream), 4096):
            out._note_number(out._last_bytes + stream[start : start + 4096])
        return out._last_number

    return asyncio.run(note())


def match_name(pattern: str) -> object:
    """Match a pattern of a name, and a name that it nearly is."""
    return matches(pattern, pattern.replace("*", "") + "b")


def show_compact(text: str) -> object:
    compact = CompactText()
    shown = [compact.add(text[start : start + 4]) for start in range(0, len(text), 4)]
    return shown, compact.end(broken_off=False)


def fold(text: str) -> object:
    folded = Fold()
    for start in range(0, len(text), 4):
        delta = {"content": text[start : start + 4]}
        folded.add({"choices": [{"index": 0, "delta": delta}]})
    return folded.answer()


class _Pieces:
    """Gives a stream in pieces."""

    def __init__(self, stream: bytes) -> None:
        self._pieces = iter(range(0, len(stream), 1024))
        self._stream = stream

    async def readany(self) -> bytes:
        start = next(self._pieces, len(self._stream))
        return self._stream[start : start + 1024]


def read_stream(stream: bytes) -> object:
    async def read() -> list[object]:
        return [event async for event in read_events(_Pieces(stream))]

    # Nothing waits in it, so that it needs no event loop.
    with suppress(StopIteration):
        read().send(None)


def detect_loop(text: str) -> object:
    detector = LoopDetector()
    return [detector.repeats(text[start : start + 4]) for start in range(0, len(text), 4)]


ANSWERS = {
    "line feeds after an announcement": repeat("\n", before="The answer is"),
    "spaces after an announcement": repeat(" ", before="The answer is", after="\n"),
    "stars after an announcement": repeat("* ", before="The answer is"),
    "announcements": repeat("The answer is "),
    "announced lines": repeat("answer: a\n"),
    "ends of sentences": repeat(". ", before="The answer is a"),
    "modal verbs": repeat("answer must "),
    "boxes within boxes": nested(r"\boxed{", "1", "}"),
    "boxes within frames": nested(r"\fbox{", r"\boxed{1}", "}"),
    "empty boxes": repeat(r"\boxed{}"),
    "boxes that are not closed": repeat(r"\boxed{"),
    "spaces after a box": repeat(" ", before=r"\boxed"),
    "braces": repeat("{"),
    "texts in a box": repeat(r"\text{", before=r"\boxed{", after="}"),
    "formulas in a box": repeat("$", before=r"\boxed{", after="x}"),
    "one line without a word": repeat("*"),
    "lines without a word": repeat("*\n"),
    "empty lines": repeat("\r\n"),
    "values": repeat(": 1"),
    "digits": repeat("1,", before=": ", after="x"),
    "ends of thought": repeat("</think>"),
    "answer lines": repeat("\nAnswer: "),
}
THOUGHTS = {
    "beginnings of thought": repeat("<think>"),
    "lines of beginnings of thought": repeat("\n <think>"),
    "spaces before a thought": repeat(" ", before="\n", after="x"),
    "channels": repeat("<|channel|>final<|message|>"),
    "halves of channels": repeat("<|end|><|start|>assistant<|channel|>"),
    "control tokens": repeat("<|im_end|>"),
    "halves of control tokens": repeat("<|a"),
}
PHRASES = {
    "elements": repeat("<answer>5</answer>"),
    "elements that are not closed": repeat("<answer>"),
    "boxes without braces": repeat(r"\boxed 2 "),
    "digits in a box without braces": repeat("1,", before=r"\boxed "),
    "emphasis": repeat("**a"),
    "retractions": repeat("wait, "),
    "answers that are retracted": repeat("the answer is a. Wait, "),
    "corrected figures": repeat("actually, it should be 5. "),
    "line feeds before a retraction": repeat("\n", after="actually"),
    "options of": repeat("my choice to a "),
    "parentheses behind a number": repeat(" (a a", before="The answer is 1"),
    "answers that are not": repeat("the answer is not "),
    "answers that are not, but": repeat("the answer isn't but "),
    "answers to questions": repeat("the answer to "),
    "corrections": repeat("it isn't a but ", before="The answer is "),
    "lines of corrections": repeat("a isn't "),
    "adverbs after an announcement": repeat("therefore ", before="The answer is "),
    "nouns": repeat("answer "),
    "headings": repeat("\n## answer"),
    "stars of a heading": repeat("*", before="\n", after="answer"),
    "totals of GSM8K": repeat("\n#### 1"),
    "spaces in a total of GSM8K": repeat(" ", before="####", after="1"),
    "verdicts": repeat("option A is "),
    "verdicts with adverbs": repeat("the ", before="option A is "),
    "letters": repeat("A "),
    "letters in brackets": repeat("(A) is "),
    "chosen letters": repeat("choose the "),
    "letters of one answer": repeat("A, ", before="The answer is "),
    "JSON": repeat('{"answer": "a'),
    "JSON strings that are not closed": repeat("\\a", before='{"answer": "'),
    "initials": repeat("J. ", before="The answer is "),
    "assignments": repeat("x = 1, ", before="The answer is "),
    "reasons": repeat(" because", before="The answer is a"),
    "parentheses of reasons": repeat(" (", before="The answer is a"),
    "conclusions": repeat("so, "),
    "dollars": repeat("= $a$ "),
    "words behind a number": repeat("= 1 a"),
    "Chinese announcements": repeat("答案是"),
    "Chinese choices": repeat("选"),
    "Chinese verdicts": repeat("选项A"),
}
FORMULAS = {
    "spaces": repeat(" ", before="= 1", after="1"),
    "parentheses": nested("(", "1", ")", before="= "),
    "open parentheses": repeat("(", before="= "),
    "roots": nested("√(", "1", ")", before="= "),
    "signs": repeat("-", before="= ", after="1"),
    "squares": repeat("²", before="= 9"),
    "digits": repeat("9", before="= ", after=" × 9"),
    "amounts that are none": repeat("1 ", before="= sum: ", after=":"),
    "entries": repeat("1;", before="= sum: ", after="1"),
    "terms": repeat("1+1;", before="= sum: ", after="1"),
    "labels": repeat("a 1;", before="= highest: ", after="a 1"),
    "counted entries": repeat("1;", before="= count over 1: ", after="1"),
    "limits": repeat(": ", before="= count over "),
    "comparisons": repeat(" ", before="= 1", after="< 1"),
    "options": repeat("A b;", before="= c among "),
    "options that are terms": repeat("A 1+2;", before="= 1+1 among "),
    "long options": repeat("A b;", before="= " + "1+" * 99 + "1 among "),
}
TOKENS = {
    f"control tokens {text!r}": repeat(text)
    for text in (
        "<",
        "</",
        "<|",
        "<im",
        "<img ",
        "<a-",
        "<td>",
        "<s",
        "＜a",
        "‹",
        "[",
        "[/IMG",
        "[img-",
        "]!a",
    )
} | {
    "one long tag": repeat(" x", before="<img"),
    "a long name": repeat("A_", before="<A"),
    "many digits": repeat("1", before="<row_"),
    "long tags": repeat("<img" + " " * 99),
    "a name of many parts": repeat("a-", before="<"),
    "capitals": repeat("A", before="["),
    "fences": repeat("visual_context"),
    "halves of fences": repeat("visual_"),
    "a fence with what nobody sees": repeat("\u200b", before="v", after="_"),
}
HEADINGS = {
    "headings": repeat("\n###"),
    "indents": repeat("\n \t\u200b"),
    "one long indent": repeat(" ", before="\n", after="#"),
    "what nobody sees in a heading": repeat("\u200b", before="\n#"),
}
QUESTIONS = {
    "carriage returns": repeat("\r"),
    "carriage returns and line feeds": repeat("\r\r\r\n"),
    "marks to be ordered": repeat("\u0301\u0323"),
    "marks of class 0": repeat("\u0f73"),
    "letters with 30 marks": repeat("a" + "\u0301\u0323" * 15),
    "symbols": repeat("\u263a"),
    "syllables": repeat("\u1112\u1161\u11ab"),
    "letters to be composed": repeat("e\u0301"),
}
REMINDERS = {
    "beginnings of reminders": repeat("<system-reminder>"),
    "ends of reminders": repeat("</system-reminder>"),
    "reminders": repeat("<system-reminder></system-reminder>"),
    "brackets": repeat("<"),
    "halves of reminders": repeat("<system-"),
    "beginnings of blocks": repeat("<task><environment_context><info-msg>"),
    "lines of beginnings of blocks": repeat("\n<environment_context>\n<task>"),
    "blocks": repeat("<task></task><environment_context></environment_context>"),
    "ends of blocks": repeat("</environment_context></task>"),
    "other tags": repeat("<a>"),
    "long names": repeat("a", before="<"),
    "names without an end": repeat("<" + "a" * 31),
    "spaces before a block": repeat(" ", after="<task>"),
    "indents before blocks": repeat(" " * 15 + "<task>"),
    "numbers of images": repeat("[Image #1]"),
    "beginnings of numbers of images": repeat("[Image #"),
    "paths of images": repeat("\n[Image: source: ]"),
    "a path of brackets": repeat("]", before="[Image: source: ", after="x"),
    "paths of images without an end": repeat("\n[Image: source: " + "] " * 2000),
    "beginnings of images": repeat("<image name=["),
    "images": repeat("<image name=[a]></image>"),
    "images' ends": repeat("</image>", before="<image name=[a]>"),
    "images without an end": repeat('\n<image name=[a] path="' + "a" * 4000),
    "files": repeat("\nThis is file a:"),
    "spaces after a file": repeat(" ", before="This is file a:", after="x"),
    "calls": repeat("\nCalled the Read tool with the following input: {}"),
    "calls without an end": repeat(
        "\nCalled the Read tool with the following input: {" + "} " * 2000
    ),
    "lines of titles": repeat("Generate a title for this conversation:\n"),
    "spaces before a title": repeat(" ", after="Generate a title"),
}
IMAGES = {
    "spaces in base64": repeat("QUJD ", before="data:image/png;base64,"),
    "spaces alone": repeat(" ", before="data:image/png;base64,", after="!"),
    "parameters": repeat(";", before="data:"),
    "parameters of base64": repeat(";base64", before="data:"),
    "spaces before a data URL": repeat(" ", after="data:"),
    "spaces before a URL": repeat(" ", after="http"),
    "quotes": repeat('"', before="data:"),
    "names in quotes": repeat('"a"', before="data:"),
    "percent signs before the data": repeat("%", before="data:"),
    "percent signs": repeat("%", before="data:,"),
    "escapes": repeat("%2B", before="data:image/png;base64,"),
    "halves of escapes": repeat("%2", before="data:,"),
    "equals signs": repeat("=", before="data:,"),
    "padding": repeat("=", before="data:;base64,AA"),
    "base64 for URLs": repeat("-_", before="data:;base64,"),
    "base64 alone": repeat("QUJD"),
    "letters of a scheme": repeat("a", after=":"),
    "segments of a JPEG": lambda n: b"\xff\xd8" + b"\xff\xe0\x00\x02" * (n // 4),
    "padding in a JPEG": lambda n: b"\xff\xd8" + b"\xff" * n,
    "zeros in a JPEG": lambda n: b"\xff\xd8\xff\xe0\x00\x02" + bytes(n),
    "chunks of a WebP": lambda n: b"RIFF\xff\xff\xff\x7fWEBP" + b"abcd\0\0\0\0" * (n // 8),
    "chunks of a PNG": lambda n: b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0abcd\0\0\0\0" * (n // 12),
}
ERRORS = {
    "words that are nearly those of an error": repeat("context lengt"),
    "one letter": repeat("c"),
    "a message": repeat("maximum model ", before='{"error": {"message": "', after='"}}'),
}
COMPLETIONS = {
    "halves of surrogate pairs": repeat(r"\ud83d", before='{"choices": [{"a": "', after='"}]}'),
    "escapes": repeat("\\", before='{"choices": ["\\ud83d', after='"]}'),
    "pairs that are whole": repeat(r"\ud83d\ude00", before='["', after='"'),
    "an error": repeat("context ", before='{"error": "', after='"}'),
    "errors": nested('{"error": ', "1", "}"),
    "a list of errors": repeat('{"error":1},', before="[", after="1]"),
}
STREAMS = {
    "a long line": repeat('"usage":'),
    "lines with a usage": repeat('data: {"usage": 1}\n'),
    "lines that are no JSON": repeat('data: "usage":\n'),
    "line feeds": repeat("\n"),
    "events": repeat("data: 1\n\n"),
    "carriage returns": repeat("\r"),
    "lines that end with CR": repeat("data: 1\r\r"),
    "an end that does not come": repeat(" ", before='data: {"finish_reason"'),
    "ends of texts": repeat(r"\"finish_reason\": \""),
}
EVENTS = {
    "responses": repeat('data: {"type":"response.completed","response":{}}\n\n'),
    "responses in one line": repeat('"type":"response.completed","response":'),
    "usages": repeat('"usage":{', before='data: {"response":', after="\n"),
    "usages that are long": repeat('"usage":{"a":"' + "x" * 99 + '"}', before='"response":'),
    "usages in lines": repeat('data: {"response":{"usage":{"input_tokens":1}}}\n'),
    "spaces behind a type": repeat(" ", before='"response":"type"'),
    "spaces behind a usage": repeat(" ", before='"response":"usage":'),
    "types": repeat('"type":', before='"response":'),
    "errors with spaces": repeat('"error":  ', before="error"),
    "an error with spaces": repeat(" ", before='"error":'),
    "an object of an error": repeat(" ", before='"error":{'),
    "beginnings of error events": repeat("event: erro\n"),
    "messages": repeat('data: {"type":"message_delta","usage":{"output_tokens":1}}\n\n'),
    "messages in one line": repeat('"message_delta"', before="data: "),
    "lines of messages that are no JSON": repeat("data: message_\n"),
    "numbers": repeat('"sequence_number":1,'),
    "numbers with spaces": repeat('"sequence_number":     '),
    "a long number": repeat("1", before='"sequence_number":'),
}
ANSWERED = {
    "an empty error": repeat(" ", before='{"output":[],"content":[],"error":{', after="}}"),
    "an empty list of errors": repeat(
        " ", before='{"output":[],"content":[],"error":[', after="]}"
    ),
    "halves of surrogate pairs": repeat(r"\ud83d", before='{"content": ["', after='"]}'),
    "a usage of many fields": repeat('"a":1,', before='{"content":[],"usage":{', after='"a":1}}'),
    "a failure": repeat("context ", before='{"status":"failed","error":"', after='"}'),
}
NAME_PATTERNS = {
    "stars": repeat("*", before="a", after="c"),
    "stars and letters": repeat("*a", after="*c"),
    "letters": repeat("a", after="*c"),
}
PIECES = {
    "spaces": repeat(" "),
    "spaces, then a box": repeat(" ", after=r"\boxed{1}"),
    "a box": repeat("1 ", before=r"\boxed{"),
    "boxes": repeat(r"\boxed{1}"),
    "backslashes": repeat("\\"),
    "halves of boxes": repeat(r" \box"),
    "one letter": repeat("a"),
    "words": lambda n: "".join(f"{number:4}" for number in range(n // 4)),
}
_PNG = "iVBORw0KGgoAAAANSUhEUgAAAUAAAAB4CAIAAAAMrLyJAAAGBElEQVR4nO3d"
_PNG_URL = f"data:image/png;base64,{_PNG}"
MARKDOWN = {
    "images without an end": repeat(f"![a]({_PNG_URL}"),
    "images with one end": repeat(f"![a]({_PNG_URL}", after=")"),
    "images": repeat(f"![a]({_PNG_URL})"),
    "no images": repeat("![a](data:image/png;base64,AAAA)"),
    "beginnings of descriptions": repeat("![", after=f"]({_PNG_URL})"),
    "addresses without descriptions": repeat(f"]({_PNG_URL} ", before="!["),
    "parameters": repeat(";a", before="![a](data:image/png", after=f";base64,{_PNG})"),
    "spaces": repeat(" ", before=f"![a]({_PNG_URL}", after=")"),
    "data URLs": repeat(f"{_PNG_URL} "),
    "heads": repeat("data:image/png;base64,"),
    "words that begin so": repeat("/9j "),
    "runs that begin so": repeat("/9j/4AAQ" * 6 + "."),
    "one run": repeat("iVBORw0KGgo"),
    "lines": repeat(f"{_PNG}\n"),
    "lines that begin so": repeat(f"{_PNG}=\n"),
}
RESULTS = {
    "images": repeat(f'{{"type":"image","data":"{_PNG}"}},', before="[", after="1]"),
    "strings": repeat(f'"{_PNG}",', before="[", after="1]"),
    "objects around it": nested('{"a":', f'"{_PNG}"', "}"),
    "lists around it": nested("[", f'"{_PNG}"', "]"),
    "links": repeat('{"type":"image-url","url":"https://a/b"},', before="[", after="1]"),
    "links of nothing": repeat('image-url"'),
    "links without an end": repeat('{"type":"image-url",'),
    "escapes": repeat("\\", before='["', after=f'"{_PNG}"]'),
    "escaped slashes": repeat("\\/", before='["\\/9j', after='"]'),
    "escaped line breaks": repeat(f"{_PNG}\\n", before='["', after='"]'),
    "backslashes before it": repeat("\\", after=f'"{_PNG}\\"'),
    "sealed strings": repeat(f'{{"data":"{_PNG}","encrypted_content":"{_PNG}"}},', before="["),
    "runs in one sealed string": repeat(f"{_PNG}.", before='{"encrypted_content":"', after='"}'),
    "texts within texts": lambda n: json.dumps([json.dumps([json.dumps([_PNG * (n // 64)])])]),
}
CHATS = {
    "no message": repeat(" ", before='{"messages": [', after="]}"),
    "one message": repeat(" ", before='{"messages": [', after="0]}"),
    "halves of surrogate pairs": repeat(
        r"\ud83d", before='{"messages": [{"content": "', after='"}]}'
    ),
    "escapes and a half": repeat(r"\n", before='{"messages": [{"content": "', after=r'\ud83d"}]}'),
    "private characters": repeat(r"\udbff\udc00", before='{"a": "', after=r'\ud83d"}'),
    "escapes": repeat(r"\u0041", before='{"messages": [{"content": "', after='"}]}'),
}
REQUESTS = {
    "one long name": repeat("timeout_", before='{"', after='": 1}'),
    "many wrong fields": lambda n: json.dumps({f"question{i}": 1 for i in range(n // 16)}),
    "a long question": repeat("a ", before='{"question": "', after='"}'),
}
HEADERS = {
    "nearly no-store": repeat("no-stor "),
    "hyphens": repeat("-"),
    "digits": repeat("1"),
    "letters": repeat("a"),
}
PATHS = {"slashes": repeat("/"), "versions": repeat("/v1"), "letters": repeat("\u00e9")}

GROUPS: list[tuple[Call, dict[str, Builder]]] = [
    (final_answer, ANSWERS | THOUGHTS | PHRASES),
    (compact_answer, ANSWERS | FORMULAS),
    (solve_compact, ANSWERS | FORMULAS),
    (split_reasoning, ANSWERS | THOUGHTS),
    (worked_out, FORMULAS),
    (neutralise, TOKENS),
    (escape_headings, HEADINGS),
    (normalise_question, QUESTIONS),
    (limit_marks, QUESTIONS),
    (check, QUESTIONS),
    (find_turns, {name: image_turn(text) for name, text in REMINDERS.items()}),
    (read_text, MARKDOWN),
    (read_text, RESULTS),
    (parse_chat, {name: encoded(text) for name, text in CHATS.items()}),
    (read_any_image, IMAGES),
    (read_completion, {name: encoded(text) for name, text in COMPLETIONS.items()}),
    (read_error, {name: encoded(text) for name, text in ERRORS.items()}),
    (feed_usage, {name: encoded(text) for name, text in STREAMS.items()}),
    (read_stream, {name: encoded(text) for name, text in STREAMS.items()}),
    (feed_message, {name: encoded(text) for name, text in (STREAMS | EVENTS).items()}),
    (feed_response, {name: encoded(text) for name, text in (STREAMS | EVENTS).items()}),
    (number_events, {name: encoded(text) for name, text in EVENTS.items()}),
    (read_message, {name: encoded(text) for name, text in ANSWERED.items()}),
    (read_response, {name: encoded(text) for name, text in ANSWERED.items()}),
    (match_name, NAME_PATTERNS),
    (show_compact, PIECES),
    (detect_loop, PIECES),
    (fold, PIECES),
    (parse_solve, {name: encoded(text) for name, text in REQUESTS.items()}),
    (read_control, {name: encoded(text) for name, text in HEADERS.items()}),
    (read_request_id, {name: encoded(text) for name, text in HEADERS.items()}),
    (read_timeout, {name: encoded(text) for name, text in HEADERS.items()}),
    (printable, PATHS),
    (RouteTable([]).canonical, PATHS),
]
CASES = [
    pytest.param(call, build, id=f"{call.__name__}: {name}")
    for call, builders in GROUPS
    for name, build in builders.items()
]


@pytest.fixture(autouse=True)
def _no_collection() -> Iterator[None]:
    """Without the garbage collector, whose share grows with what other tests have left."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def cpu_s(call: Call, given: object, *, repetitions: int) -> float:
    """Return the CPU time that a call takes, the least of several; our errors are answers, too."""
    least = float("inf")
    for _ in range(repetitions):
        started = time.thread_time()
        with suppress(RacroError):
            call(given)
        least = min(least, time.thread_time() - started)
    return least


def ratio(call: Call, given: object, longer: object) -> float:
    once = max(cpu_s(call, given, repetitions=5), _FLOOR_S)
    return cpu_s(call, longer, repetitions=3) / once


@pytest.mark.parametrize(("call", "build"), CASES)
def test_ten_times_the_text_takes_nearer_to_ten_than_to_a_hundred_times_the_time(
    call: Call, build: Builder
) -> None:
    n = 100
    while n < _LONGEST and cpu_s(call, build(n), repetitions=1) < _ENOUGH_S:
        n *= 2
    # A busy machine may be slow for one of two measurements, not for every second one.
    ratios = (ratio(call, build(n), build(10 * n)) for _ in range(4))
    assert any(one <= _MOST for one in ratios), f"n = {n}"
