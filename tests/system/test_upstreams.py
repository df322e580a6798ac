"""What real servers answer, and what each client of ours gets of it, a row a deviation.

A row says what an upstream sends, plain and streamed, and what comes of it: `OK`, or the code of an
error and words of its message. It is tried by those who read an answer (`/v1/solve`, a captioner's
`/v1/perceive`) and by those who pass one on (chat at the gateway and at the reasoner service), each
plain and streamed. Add rows to `READ` and `RELAYED`.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from conftest import gateway_config
from racro.cro.captioned import Captioned
from racro.cro.reward import Reward
from racro.cro.settings import RewardSettings
from support import http
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service
from support.scripted import ScriptedServer, read_events
from support.strange import Answer, StrangeServer, event, response, stream

TEXT = "The answer is \\boxed{42}."
DONE = b"data: [DONE]\n\n"
PICTURE = data_url(png("upstreams"))
_numbers = count()


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return event({"id": "c1", "object": "chat.completion.chunk", "choices": [choice], **more})


def completion(text: Any = TEXT, finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}], **more}


SAID = chunk({"content": TEXT})
STOP = chunk(finish="stop")
WHOLE = Answer(response(completion()), stream(SAID, STOP, DONE))


class Outcome(NamedTuple):
    """What a client gets: an answer where there is no `code`, else an error of that code."""

    code: str = ""
    says: str = ""
    retry_after: str | None = None


OK = Outcome()
UNAVAILABLE, UPSTREAM = "upstream_unavailable", "upstream_error"


@dataclass(frozen=True)
class Row:
    """What an upstream sends, and what comes of it."""

    name: str
    sends: Answer
    comes: Outcome = OK
    headers: dict[str, str] = field(default_factory=dict)


def ended(finish: str | None) -> Answer:
    return Answer(response(completion(finish=finish)), stream(SAID, chunk(finish=finish), DONE))


def streamed(*pieces: bytes) -> Answer:
    return Answer(None, stream(*pieces))


def both(said: bytes) -> Answer:
    return Answer(said, said)


def in_stream(error: Any) -> Answer:
    return streamed(event({"error": error}), DONE)


def refused(status: str, body: Any, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return both(response(body, status=status, headers=named))


SGLANG = {
    "object": "error",
    "message": "The input (12345 tokens) is longer than the model's context length (8192 tokens).",
    "type": "BadRequestError",
    "code": 400,
}
TOO_LONG = "context_length_exceeded"

# How an answer ended is what only a reader judges: who is passed one on sees it.
ENDINGS = [
    Row("vLLM aborts", ended("abort"), Outcome(UNAVAILABLE, "finish_reason 'abort'")),
    Row("the engine fails", ended("error"), Outcome(UNAVAILABLE, "finish_reason 'error'")),
    Row("no finish_reason", ended(None), Outcome(UNAVAILABLE, "without a finish_reason")),
    Row("a filter", ended("content_filter"), Outcome(UPSTREAM, "finish_reason 'content_filter'")),
    Row("repetition", ended("repetition"), Outcome(UPSTREAM, "finish_reason 'repetition'")),
    Row("a tool call", ended("tool_calls"), Outcome(UPSTREAM, "finish_reason 'tool_calls'")),
    Row("the limit of tokens", ended("length")),
    *(Row(f"the end called {one}", ended(one)) for one in ("eos", "STOP", "MAX_TOKENS")),
]

# What both meet in a stream.
STREAMS = [
    Row("no [DONE]", streamed(SAID, STOP)),
    Row("[DONE] without its end", streamed(SAID, STOP, b"data: [DONE]")),
    Row("[DONE] and a line feed", streamed(SAID, STOP, b"data: [DONE]\n")),
    Row("[DONE] and a space", streamed(SAID, STOP, b"data: [DONE] \n\n")),
    Row("lines that end with CR", streamed(*(b.replace(b"\n", b"\r") for b in (SAID, STOP, DONE)))),
    Row("a byte order mark", streamed(b"\xef\xbb\xbf", SAID, STOP, DONE)),
    Row("a last event without its end", streamed(SAID, STOP.rstrip())),
    Row("comments first", streamed(b": PROCESSING\n\n", SAID, STOP, DONE)),
    Row("fractional counts", streamed(SAID, STOP, event({"usage": {"prompt_tokens": 7.5}}), DONE)),
    Row("counts as texts", streamed(SAID, STOP, event({"usage": {"prompt_tokens": "7"}}), DONE)),
    Row("null everywhere", streamed(event({"choices": None, "usage": None, "error": None}), SAID,
                                    STOP, DONE)),
    Row("it ends early", streamed(SAID), Outcome(UNAVAILABLE, "broke off its answer")),
    Row("SGLang: too long", in_stream(SGLANG), Outcome(TOO_LONG, "8192 tokens")),
    Row("too long without a code", in_stream("exceeds the available context size"),
        Outcome(TOO_LONG, "context size")),
    Row("a full queue", in_stream({"message": "queue full", "code": 429}),
        Outcome("rate_limited", "queue full")),
    Row("a code that is a text", in_stream({"message": "queue full", "code": "429"}),
        Outcome("rate_limited", "queue full")),
    Row("vLLM's bare error", streamed(event(SGLANG), DONE), Outcome(TOO_LONG, "8192 tokens")),
    Row("a named error", streamed(b"event: error\n", event(SGLANG)), Outcome(TOO_LONG, "8192")),
    Row("llama.cpp's error", streamed(b"error: " + json.dumps(SGLANG).encode() + b"\n\n"),
        Outcome(TOO_LONG, "8192")),
    Row("out of memory", in_stream("CUDA out of memory"),
        Outcome(UNAVAILABLE, "failed while it was answering")),
    Row("JSON for a stream", Answer(None, response(completion())),
        Outcome(UPSTREAM, "other JSON instead of a chat completion")),
]  # fmt: skip

# What both meet in either.
EITHER = [
    Row("a login page", both(response(b"<html>login</html>", kind="text/html")),
        Outcome(UPSTREAM, "an HTML page instead of a chat completion")),
    Row("an error with 200", both(response({"error": {"message": "quota exceeded", "code": 429}})),
        Outcome(UPSTREAM, "an error (quota exceeded)")),
    Row("a refused key with 200", both(response({"error": {"message": "key sk-1", "code": 401}})),
        Outcome(UPSTREAM, "with an error instead")),
    Row("nothing", both(b"HTTP/1.1 204 No Content\r\n\r\n"), Outcome()._replace(code="*")),
    Row("another 2xx", Answer(response(completion(), status="203 Non-Authoritative Information"),
                              stream(SAID, STOP, DONE).replace(b"200 OK", b"201 Created"))),
    Row("too many requests",
        refused("429 Too Many Requests", {"error": {"message": "slow down"}}, retry_after="30",
                x_ratelimit_remaining_tokens="0"),
        Outcome("rate_limited", "slow down", "30"), {"x-ratelimit-remaining-tokens": "0"}),
    Row("later", refused("503 Service Unavailable", b"", retry_after="30"),
        Outcome(UNAVAILABLE, "is not available", "30")),
    Row("a fraction of a second", refused("429 Too Many Requests", {}, retry_after="0.25"),
        Outcome("rate_limited", "", "1")),
    Row("a date that is none",
        refused("429 Too Many Requests", {}, retry_after="Mon, 01 Jan 2024 00:00:00 +" + "9" * 17),
        Outcome("rate_limited", "", "1")),
    Row("Ollama's error", refused("400 Bad Request", {"error": "x does not support tools"}),
        Outcome("invalid_request", "x does not support tools")),
    Row("TGI's error", refused("422 Unprocessable Entity", {
        "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096."}),
        Outcome(TOO_LONG, "4096")),
    Row("FastAPI's error", refused("422 Unprocessable Entity", {
        "detail": [{"loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}]}),
        Outcome("invalid_request", "top_k: Extra inputs")),
    Row("Mistral's error", refused("422 Unprocessable Entity", {"message": {
        "detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs"}]}}),
        Outcome("invalid_request", "stream_options: Extra inputs")),
    Row("Gemini's error", refused("400 Bad Request", [{"error": {
        "message": "The token count (9) exceeds the maximum number of tokens allowed (8)."}}]),
        Outcome(TOO_LONG, "allowed (8)")),
    Row("SGLang's error", refused("400 Bad Request", {"object": "error", "message":
        "Input length (700001 tokens) exceeds the maximum allowed length (536826 tokens)."}),
        Outcome(TOO_LONG, "536826")),
    Row("xAI's refused key", refused("400 Bad Request", {
        "code": "Client specified an invalid argument", "error": "Incorrect API key: xai-sk-1"}),
        Outcome(UPSTREAM, "refused the credentials")),
    Row("a code of ours with another status", refused("401 Unauthorized", {
        "error": {"code": "invalid_request", "message": "sk-1"}}),
        Outcome(UPSTREAM, "refused the credentials")),
    Row("an address", refused("400 Bad Request", b"dial tcp 10.0.0.5:8000: refused"),
        Outcome("invalid_request", "dial tcp [redacted]: refused")),
    Row("a model that is being loaded", refused("409 Conflict", {"error": "being loaded"}),
        Outcome(UNAVAILABLE, "is not available")),
    Row("a quota", refused("429 Too Many Requests", {
        "error": {"message": "x", "code": "insufficient_quota"}}), Outcome(UPSTREAM, "no credit")),
    Row("a text", refused("400 Bad Request", b"temperature must be positive"),
        Outcome("invalid_request", "temperature must be positive")),
]  # fmt: skip

# The content of an answer: who passes one on does not look.
CONTENTS = [
    Row("Mistral's thoughts", streamed(
        chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}),
        SAID, STOP, DONE)),
    Row("texts in parts", streamed(
        chunk({"content": [{"type": "text", "text": TEXT}]}), STOP, DONE)),
    Row("an index that is a text, and no thoughts", streamed(
        event({"choices": [{"index": "0", "delta": {"content": TEXT, "reasoning": []}}]}),
        STOP, DONE)),
    Row("one part, and no error", streamed(
        chunk({"content": {"type": "text", "text": TEXT}}, error=""), STOP, DONE)),
    Row("a ping", streamed(b"event: ping\ndata: ping\n\n", SAID, STOP, DONE)),
    Row("half of a surrogate pair", streamed(
        SAID, chunk({"content": " \ud83d"}), STOP, DONE)),
]  # fmt: skip
PLAIN = [
    Row("a stream for JSON", Answer(stream(SAID, STOP, DONE)),
        Outcome(UPSTREAM, "an event stream instead of a chat completion")),
    Row("no choices", Answer(response({"id": "c1"})), Outcome(UPSTREAM, "other JSON")),
    Row("counts that are none", Answer(response(completion(usage={"prompt_tokens": [7]})))),
]  # fmt: skip

READ = [*ENDINGS, *STREAMS, *EITHER, *CONTENTS]
RELAYED_STREAMS = [*(Row(row.name, row.sends) for row in ENDINGS), *STREAMS, *EITHER, *CONTENTS]
RELAYED_PLAIN = [*(Row(row.name, row.sends) for row in ENDINGS), *EITHER, *PLAIN]


@pytest.fixture(scope="module")
def upstream() -> Iterator[StrangeServer]:
    with StrangeServer() as server:
        yield server


@pytest.fixture(scope="module")
def eyes(upstream: StrangeServer) -> Iterator[Service]:
    """A captioner service over the strange server."""
    engine = {"kind": "url", "url": upstream.url, "model": "strange", "revision": "r1"}
    with Service("services.captioner", {"captioner": {"kind": "vlm", "engine": engine}}) as service:
        yield service


@pytest.fixture(scope="module")
def mind(upstream: StrangeServer) -> Iterator[Service]:
    """A reasoner service over the strange server."""
    engine = {"kind": "url", "url": upstream.url, "model": "strange"}
    with Service("services.reasoner", {"engine": engine}) as service:
        yield service


@pytest.fixture(scope="module")
def strange_gateway(
    upstream: StrangeServer, _scripted_captioner: ScriptedServer
) -> Iterator[Service]:
    """A gateway whose captioner is a good one, and whose reasoner is the strange server."""
    config = gateway_config(_scripted_captioner.url, "http://unused")
    config["reasoners"]["default"] = {"url": upstream.url, "model": "strange"}
    with Service("gateway", config) as service:
        yield service


@pytest.fixture(scope="module")
def blurred_gateway(eyes: Service, _scripted_reasoner: ScriptedServer) -> Iterator[Service]:
    """A gateway whose captioner is over the strange server, and whose reasoner is a good one."""
    with Service("gateway", gateway_config(eyes.url, _scripted_reasoner.url)) as service:
        yield service


def question() -> str:
    """Return one whose caption no cache has."""
    return f"How high is bar {next(_numbers)}?"


def solve(service: Service, **more: Any) -> httpx2.Response:
    body = {"question": question(), "images": [PICTURE], **more}
    return http.post(f"{service.url}/v1/solve", json=body)


def perceive(service: Service, **more: Any) -> httpx2.Response:
    body = {"question": question(), "images": [PICTURE], **more}
    return http.post(f"{service.url}/v1/perceive", json=body)


def chat(service: Service, **more: Any) -> httpx2.Response:
    body = {"messages": [{"role": "user", "content": "Hello"}], **more}
    return http.post(f"{service.url}/v1/chat/completions", json=body)


def error_of(answer: httpx2.Response) -> dict[str, Any] | None:
    """Return the error of a response, be it all of it or an event of its stream."""
    if answer.status_code != 200:
        return answer.json()["error"]
    if "event-stream" not in answer.headers["content-type"]:
        return None
    lines = answer.text.replace("\r", "\n").split("\n")
    datas = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")]
    return next((one["error"] for one in map(json.loads, datas) if one.get("error")), None)


def check(answer: httpx2.Response, row: Row) -> None:
    comes, error = row.comes, error_of(answer)
    if comes.code == "":
        assert error is None, error
        assert "42" in answer.text
        return
    assert error is not None, answer.text
    assert comes.code in ("*", error["code"]), error
    assert comes.says in error["message"]
    assert "sk-1" not in answer.text
    if answer.status_code != 200:
        assert comes.retry_after in (None, answer.headers.get("retry-after"))
        assert row.headers.items() <= dict(answer.headers).items()


def rows(of: list[Row]) -> Callable:
    return pytest.mark.parametrize("row", of, ids=[row.name for row in of])


@rows(READ)
def test_a_solve(strange_gateway: Service, upstream: StrangeServer, row: Row) -> None:
    upstream.answer = row.sends
    check(solve(strange_gateway), row)
    answer = solve(strange_gateway, stream=True)
    check(answer, row)
    assert read_events(answer.text)[-1][0] == ("error" if row.comes.code else "done")


@rows(READ)
def test_a_caption(eyes: Service, upstream: StrangeServer, row: Row) -> None:
    upstream.answer = row.sends
    check(perceive(eyes), row)
    check(perceive(eyes, stream=True), row)
    # Of the tentative response alone.
    check(perceive(eyes, parts=["tentative"]), row)


@rows(RELAYED_STREAMS)
def test_a_streamed_chat(
    strange_gateway: Service, mind: Service, upstream: StrangeServer, row: Row
) -> None:
    upstream.answer = row.sends
    for service in (strange_gateway, mind):
        check(chat(service, stream=True), row)


@rows(RELAYED_PLAIN)
def test_a_plain_chat(
    strange_gateway: Service, mind: Service, upstream: StrangeServer, row: Row
) -> None:
    upstream.answer = row.sends
    for service in (strange_gateway, mind):
        check(chat(service), row)


@rows([row for row in READ if row.comes.code])
def test_a_caption_that_failed_is_not_cached(
    blurred_gateway: Service, upstream: StrangeServer, row: Row
) -> None:
    asked = {"question": question(), "images": [PICTURE]}
    upstream.answer = row.sends
    check(http.post(f"{blurred_gateway.url}/v1/solve", json=asked), row)
    upstream.answer = WHOLE
    context = http.post(f"{blurred_gateway.url}/v1/solve", json=asked).json()["visual_context"]
    assert (context["cache"], context["caption"]) == ("miss", TEXT)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_passed_on_says_how_it_ended(
    strange_gateway: Service, upstream: StrangeServer, stream: bool
) -> None:
    upstream.answer = ended("content_filter")
    assert '"finish_reason": "content_filter"' in chat(strange_gateway, stream=stream).text


def test_each_of_several_answers_that_are_passed_on_has_to_end(
    strange_gateway: Service, mind: Service, upstream: StrangeServer
) -> None:
    upstream.answer = streamed(SAID, STOP, *[b": waiting\n\n"] * 20)
    for service in (strange_gateway, mind):
        assert error_of(chat(service, stream=True)) is None
        error = error_of(chat(service, stream=True, n=2))
        assert error is not None
        assert "broke off" in error["message"]


def test_an_evaluation_grades_no_answer_that_failed(
    strange_gateway: Service, upstream: StrangeServer, tmp_path: Path
) -> None:
    upstream.answer = ended("content_filter")
    data = tmp_path / "Bars.tsv"
    with data.open("w", newline="") as file:
        table = csv.writer(file, delimiter="\t")
        table.writerow(["index", "question", "answer", "image"])
        table.writerow([0, question(), "42", PICTURE.partition(",")[2]])
    run = tmp_path / "run"
    command = [sys.executable, "-m", "racro.cli", "eval", "run", data, "--output", run]
    done = subprocess.run(
        [*map(str, command), "--gateway", strange_gateway.url],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "content_filter" in done.stdout + done.stderr
    assert not (run / "results.jsonl").read_text()


@rows([row for row in ENDINGS if row.comes.code])
async def test_a_rollout_that_failed_gives_no_reward(upstream: StrangeServer, row: Row) -> None:
    upstream.answer = row.sends
    settings = RewardSettings.model_validate(
        {"urls": [upstream.url], "model": "strange", "attempts": 1, "rollouts": 1}
    )
    async with Reward(settings) as reward:
        assert await reward([Captioned("1", "How high?", "A bar.", "42")]) == [None]


@pytest.mark.parametrize(
    "body",
    [b"\xef\xbb\xbf" + json.dumps(completion()).encode(), completion(f"\ud83d {TEXT}")],
    ids=["a byte order mark", "half of a surrogate pair"],
)
async def test_a_rollout_that_is_written_oddly_gives_a_reward(
    upstream: StrangeServer, body: Any
) -> None:
    upstream.answer = Answer(response(body))
    settings = RewardSettings.model_validate(
        {"urls": [upstream.url], "model": "strange", "attempts": 1, "rollouts": 1}
    )
    async with Reward(settings) as reward:
        assert await reward([Captioned("1", "How high?", "A bar.", "42")]) == [1.0]


async def test_a_rollout_is_waited_for_whatever_date_is_said(upstream: StrangeServer) -> None:
    date = "Mon, 01 Jan 2024 00:00:00 +99999999999999999"
    upstream.answer = refused("429 Too Many Requests", {}, retry_after=date)
    settings = RewardSettings.model_validate(
        {"urls": [upstream.url], "model": "strange", "rollouts": 1, "patience_s": 0}
    )
    async with Reward(settings) as reward:
        assert await reward([Captioned("1", "How high?", "A bar.", "42")]) == [None]


def test_a_request_that_a_server_dies_of_is_sent_twice_at_most(
    strange_gateway: Service, upstream: StrangeServer
) -> None:
    upstream.answer = WHOLE
    assert chat(strange_gateway).status_code == 200
    upstream.answer = Answer()
    before = len(upstream.chats)
    answer = chat(strange_gateway)
    assert (answer.status_code, answer.headers["x-racro-begun"]) == (503, "true")
    assert len(upstream.chats) - before <= 2


class TestRequests:
    """What clients send, and the reasoner is to judge."""

    @pytest.mark.parametrize(
        "body",
        [
            b'{"messages": []}',
            b'\xef\xbb\xbf{"messages": [{"role": "user", "content": "Hello"}]}',
            rb'{"messages": [{"role": "user", "content": "cut \ud83d"}]}',
            rb'{"messages": [{"role": "user", "content": "\ude00 cut"}], "stop": "\ud83d"}',
        ],
        ids=ascii,
    )
    def test_a_text_reaches_it_as_it_is(
        self, strange_gateway: Service, upstream: StrangeServer, body: bytes
    ) -> None:
        upstream.answer = WHOLE
        answer = http.post(f"{strange_gateway.url}/v1/chat/completions", content=body)
        assert answer.status_code == 200, answer.text
        asked = json.loads(upstream.chats[-1].partition(b"\r\n\r\n")[2])
        assert asked == json.loads(body.decode("utf-8-sig")) | {"model": "strange"}

    def test_half_of_a_surrogate_pair_stays_beside_an_image_or_is_named(
        self, strange_gateway: Service, mind: Service
    ) -> None:
        image = b'{"type": "image_url", "image_url": {"url": "' + PICTURE.encode() + b'"}}'
        text = rb'{"type": "text", "text": "\ud83d"}'
        body = b'{"messages": [{"role": "user", "content": [%b, %b]}]}' % (text, image)
        passed = http.post(f"{strange_gateway.url}/v1/chat/completions", content=body)
        assert passed.status_code == 200
        named = http.post(f"{mind.url}/v1/chat/completions", content=body)
        assert named.status_code == 400
        assert "half of a surrogate pair" in named.json()["error"]["message"]
