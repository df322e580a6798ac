"""What a careless or hostile client, and a broken captioner, get from the real gateway.

Each answer is the error envelope with the right status and code, names the field or the limit, and
shows nothing of the inside; after each the gateway serves the next request.
"""

import json
import re
import struct
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx2
import psutil
import pytest

from conftest import gateway_config
from support import http
from support.pictures import data_url, png
from support.processes import Service, free_port, wait_until
from support.scripted import Asked, ScriptedServer

MB = 2**20
GOOD = data_url(png())
TOO_MANY_BYTES = png() + bytes(21 * MB)
TOO_MANY_PIXELS = png()[:16] + struct.pack(">II", 60_000, 60_000) + png()[24:]
LEAK = re.compile(
    r"Traceback|File \"|\w+Error\b|0x[0-9a-f]{6}|<\w+[ .]|object at|127\.0\.0\.1|localhost|/lib/"
)


@pytest.fixture(scope="module")
def api(_gateway: Service) -> Iterator[httpx2.Client]:
    with http.client(base_url=_gateway.url) as client:
        yield client


@pytest.fixture(autouse=True)
def still_serves(
    api: httpx2.Client, gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer
) -> Iterator[None]:
    logged = len(gateway.log())
    yield
    captioner.reset()
    reasoner.reset()
    answer = solve(api, question("Still there?"))
    assert answer.status_code == 200, answer.text
    assert len(captioner.perceptions) == 1
    assert "Exception in ASGI application" not in gateway.log()[logged:]


def question(text: str = "", **more: Any) -> dict[str, Any]:
    """A good request that nobody has asked before, but for `more`."""
    return {"question": f"{text} {uuid.uuid4()}", "images": [GOOD], **more}


def solve(api: httpx2.Client, body: Any, **options: Any) -> httpx2.Response:
    return api.post("/v1/solve", json=body, **options)


def chat_body(image: Any, **more: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": "How high?"}, {"type": "image_url", "image_url": image}]
    return {"model": "default", "messages": [{"role": "user", "content": content}], **more}


def assert_envelope(body: Any, code: str, *, says: str = "", param: str | None = None) -> None:
    assert body.keys() == {"error"}
    error = body["error"]
    assert error.keys() == {"type", "code", "message", "param"}
    assert error["code"] == code, error
    assert says in error["message"]
    assert error["param"] == param, error
    assert not LEAK.search(error["message"]), error["message"]


def assert_error(
    answer: httpx2.Response, status: int, code: str, *, says: str = "", param: str | None = None
) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert_envelope(answer.json(), code, says=says, param=param)


def events(answer: httpx2.Response) -> list[tuple[str, Any]]:
    assert answer.headers["content-type"].startswith("text/event-stream"), answer.text
    blocks = [block for block in answer.text.split("\n\n") if block.startswith("event: ")]
    pairs = (block.removeprefix("event: ").split("\ndata: ", 1) for block in blocks)
    return [(name, json.loads(data)) for name, data in pairs]


def assert_gone(asked: Asked) -> None:
    wait_until(lambda: asked.left_at, what="the end of the call upstream")


# /v1/solve, JSON.


def bad_image(name: str, image: str, status: int, code: str, says: str) -> Any:
    return pytest.param({"images": [image]}, status, code, says, "images[0]", id=name)


def bad_field(name: str, body: dict[str, Any], param: str, says: str) -> Any:
    return pytest.param(body, 400, "invalid_request", says, param, id=name)


@pytest.mark.parametrize(
    ("body", "status", "code", "says", "param"),
    [
        bad_field("empty-question", {"question": ""}, "question", "question"),
        bad_field("blank-question", {"question": " \n\t"}, "question", "question"),
        bad_field("null-question", {"question": None}, "question", "question"),
        bad_field("number-as-question", {"question": 5}, "question", "question"),
        bad_field("list-as-question", {"question": ["q"]}, "question", "question"),
        bad_field("misspelt-question", {"qestion": "q"}, "qestion", "did you mean question?"),
        bad_field(
            "long-question", {"question": "q" * 8193}, "question", "max_question_chars = 8192"
        ),
        bad_field(
            "many-marks", {"question": "e" + "\u0301" * 31}, "question", "30 combining marks"
        ),
        bad_field("no-images", {"images": []}, "images", "images: at least one"),
        bad_field("images-and-context", {"visual_context": "vc-1"}, "images", "one of the two"),
        bad_field("images-null", {"images": None}, "images", "images"),
        bad_field("images-a-string", {"images": GOOD}, "images", "images"),
        bad_field("image-null", {"images": [GOOD, None]}, "images[1]", "images[1]"),
        bad_field("21-images", {"images": [GOOD] * 21}, "images", "max_images = 20"),
        bad_field("unknown-field", {"temprature": 1}, "temprature", "temprature"),
        bad_field("wrong-cache-mode", {"cache": "never"}, "cache", "'use'"),
        bad_field("timeout-too-large", {"timeout_s": 601}, "timeout_s", "max_timeout_s = 600"),
        bad_field("timeout-infinite", {"timeout_s": float("inf")}, "timeout_s", "max_timeout_s"),
        bad_field("timeout-nan", {"timeout_s": float("nan")}, "timeout_s", "timeout_s"),
        bad_field("timeout-zero", {"timeout_s": 0}, "timeout_s", "timeout_s"),
        bad_field("timeout-negative", {"timeout_s": -1}, "timeout_s", "timeout_s"),
        bad_field("timeout-text", {"timeout_s": "soon"}, "timeout_s", "timeout_s"),
        pytest.param({"model": "gpt-9"}, 404, "unknown_model", "/v1/models", "model", id="model"),
        bad_image("bad-base64", "data:image/png;base64,@@@@", 400, "invalid_image", "base64"),
        bad_image("cut-base64", GOOD.rstrip("=")[:-1], 400, "invalid_image", "base64"),
        bad_image("not-ascii", "data:image/png;base64,éé==", 400, "invalid_image", "base64"),
        bad_image("not-base64", "data:image/png,hello", 415, "unsupported_media_type", "PNG"),
        bad_image("word", "chart", 400, "invalid_image", "data URL"),
        bad_image("other-scheme", "ftp://a/b.png", 400, "invalid_image", "ftp: URLs are not"),
        bad_image("no-scheme", "//a/b.png", 400, "invalid_image", "no scheme"),
        bad_image("no-comma", "data:image/png;base64", 400, "invalid_image", "base64"),
        bad_image("no-url", "chart.png", 400, "invalid_image", "data URL"),
        bad_image("empty-string", "", 400, "invalid_image", "data URL"),
        bad_image("0-bytes", data_url(b""), 400, "invalid_image", "0 bytes"),
        bad_image("text-as-png", data_url(b"hello"), 415, "unsupported_media_type", "PNG"),
        bad_image(
            "svg", data_url(b"<svg/>", "image/svg+xml"), 415, "unsupported_media_type", "PNG"
        ),
        bad_image("psd", data_url(b"8BPS" * 9), 415, "unsupported_media_type", "PNG"),
        bad_image("tiff-header", data_url(b"II*\0" * 9), 400, "invalid_image", "header"),
        bad_image("magic-only", data_url(png()[:8]), 400, "invalid_image", "header"),
        bad_image("cut-in-header", data_url(png()[:20]), 400, "invalid_image", "header"),
        bad_image("no-width", data_url(png()[:16] + bytes(40)), 400, "invalid_image", "header"),
        bad_image("jpeg-header", data_url(b"\xff\xd8\xff\xe0"), 400, "invalid_image", "header"),
        bad_image("webp-header", data_url(b"RIFF1234WEBP"), 400, "invalid_image", "header"),
        bad_image("gif-header", data_url(b"GIF89a"), 400, "invalid_image", "header"),
        bad_image("60000x60000", data_url(TOO_MANY_PIXELS), 413, "too_large", "60000x60000"),
        bad_image("21-mb", data_url(TOO_MANY_BYTES), 413, "too_large", "max_image_bytes = 2097152"),
    ],
)
def test_a_bad_solve_is_refused_at_the_gateway(
    api: httpx2.Client,
    captioner: ScriptedServer,
    body: dict[str, Any],
    status: int,
    code: str,
    says: str,
    param: str,
) -> None:
    content = json.dumps(question(**body)).encode()
    answer = api.post(
        "/v1/solve",
        content=content,
        headers={"content-type": "application/json"},
    )
    assert_error(answer, status, code, says=says, param=param)
    assert captioner.perceptions == []


def test_a_solve_without_images_or_question_is_refused(api: httpx2.Client) -> None:
    for missing in ("images", "question"):
        body = question()
        del body[missing]
        assert_error(solve(api, body), 400, "invalid_request", says=f"{missing}: ", param=missing)
    for body in ({}, {"images": []}, {"visual_context": "vc-1"}):
        answer = solve(api, body)
        assert_error(answer, 400, "invalid_request", says="question: is required", param="question")


NOT_JSON = {
    "text": b"hello",
    "nothing": b"",
    "cut-off": b'{"question": "How',
    "array": b"[1, 2]",
    "null": b"null",
    "bad-utf-8": b'{"question": "\xff"}',
    # Of a chat it is passed on, but the body is none yet.
    "lone-surrogate": b'{"question": "\\ud83d", "model": 5, "images": []}',
    "deeply-nested": b"[" * 100_000,
    "two-values": b"{} {}",
}


@pytest.mark.parametrize("path", ["/v1/solve", "/v1/chat/completions"])
@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON)
def test_a_body_that_is_no_json_object_is_refused(
    api: httpx2.Client, path: str, content: bytes
) -> None:
    headers = {"content-type": "application/json"}
    answer = api.post(path, content=content, headers=headers)
    assert_error(answer, 400, "invalid_request", param=answer.json()["error"]["param"])


# /v1/solve, multipart.


@dataclass(frozen=True)
class Form:
    data: dict[str, Any] = field(default_factory=lambda: {"question": "How high?"})
    files: Any = field(default_factory=lambda: {"image": ("chart.png", png())})


def bad_form(name: str, form: Form, param: str | None, says: str) -> Any:
    return pytest.param(form, 400, "invalid_request", says, param, id=name)


def bad_file(name: str, *files: bytes, status: int, code: str, says: str) -> Any:
    """The last of the files is the bad one."""
    form = Form(files=[("image", ("chart.png", data, "image/png")) for data in files])
    return pytest.param(form, status, code, says, f"image[{len(files) - 1}]", id=name)


GOOD_FILE = ("chart.png", png())


@pytest.mark.parametrize(
    ("form", "status", "code", "says", "param"),
    [
        bad_form("no-file", Form({}, {"question": (None, "q")}), "image", "image"),
        bad_form("nothing-chosen", Form(files={"image": ("", b"")}), "image", "at least one"),
        pytest.param(
            Form(files={"image": (None, "chart.png")}),
            400,
            "invalid_image",
            "expected a base64 data URL",
            "image[0]",
            id="name-as-image",
        ),
        bad_form("wrong-name", Form(files={"images": GOOD_FILE}), "images", "image"),
        bad_form("other", Form(files={"image": GOOD_FILE, "mask": GOOD_FILE}), "mask", "mask"),
        bad_form("21-images", Form(files=[("image", GOOD_FILE)] * 21), "image", "max_images = 20"),
        bad_form("unknown-field", Form({"question": "q", "colour": "red"}), "colour", "colour"),
        bad_form("empty-question", Form({"question": " "}), "question", "question"),
        bad_form(
            "long-question", Form({"question": "q" * 8193}), "question", "max_question_chars = 8192"
        ),
        bad_form("no-question", Form({}), "question", "question: is required"),
        bad_form("nothing", Form({}, {"x": (None, "y")}), "question", "question: is required"),
        bad_form("two-questions", Form({"question": ["a", "b"]}), "question", "twice"),
        bad_form(
            "question-as-file",
            Form({}, {"question": ("q.txt", b"q"), "image": GOOD_FILE}),
            "question",
            "only `image` may be a file",
        ),
        bad_form(
            "timeout", Form({"question": "q", "timeout_s": "601"}), "timeout_s", "max_timeout_s"
        ),
        bad_form("long-text", Form({"question": "q" * 2 * MB}), None, "1024KB"),
        bad_form("30-fields", Form({str(number): "" for number in range(30)}), None, "16"),
        bad_file("0-bytes", b"", status=400, code="invalid_image", says="0 bytes"),
        bad_file(
            "text-renamed-png", b"hello", status=415, code="unsupported_media_type", says="PNG"
        ),
        bad_file("second-cut", png(), png()[:20], status=400, code="invalid_image", says="header"),
        bad_file(
            "21-mb", TOO_MANY_BYTES, status=413, code="too_large", says="max_image_bytes = 2097152"
        ),
    ],
)
def test_a_bad_form_is_refused(
    api: httpx2.Client,
    captioner: ScriptedServer,
    form: Form,
    status: int,
    code: str,
    says: str,
    param: str | None,
) -> None:
    answer = api.post("/v1/solve", data=form.data, files=form.files)
    assert_error(answer, status, code, says=says, param=param)
    assert captioner.perceptions == []


@pytest.mark.parametrize(
    ("content", "boundary"),
    [
        pytest.param(b"garbage", "; boundary=x", id="garbage"),
        pytest.param(b"", "; boundary=x", id="nothing"),
        pytest.param(b"--x--", "", id="no-boundary"),
        pytest.param(b"--x\r\n\r\nabc\r\n--x--", "; boundary=x", id="no-disposition"),
        pytest.param(b'--x\r\nContent-Disposition: form-data; name="i', "; boundary=x", id="cut"),
    ],
)
def test_a_body_that_is_no_form_is_refused(
    api: httpx2.Client, content: bytes, boundary: str
) -> None:
    headers = {"content-type": f"multipart/form-data{boundary}"}
    answer = api.post("/v1/solve", content=content, headers=headers)
    assert_error(answer, 400, "invalid_request", param=answer.json()["error"]["param"])


# /v1/chat/completions.

IMAGE_PARAM = "messages[0].content[1].image_url"


@dataclass(frozen=True)
class Refusal:
    status: int
    code: str
    says: str
    param: str | None = IMAGE_PARAM


BAD_CHAT_IMAGES = {
    "null": (None, Refusal(400, "invalid_request", "url")),
    "no-url": ({}, Refusal(400, "invalid_request", "url")),
    "number": (5, Refusal(400, "invalid_request", "url")),
    "empty-url": ({"url": ""}, Refusal(400, "invalid_request", "url")),
    "not-a-url": ({"url": "a.png"}, Refusal(400, "invalid_image", "data URL")),
    "bad-base64": ({"url": "data:image/png;base64,@"}, Refusal(400, "invalid_image", "base64")),
    "text": ({"url": data_url(b"hello")}, Refusal(415, "unsupported_media_type", "PNG")),
    "cut": ({"url": data_url(png()[:20])}, Refusal(400, "invalid_image", "header")),
    "60000x60000": ({"url": data_url(TOO_MANY_PIXELS)}, Refusal(413, "too_large", "60000x60000")),
    "21-mb": ({"url": data_url(TOO_MANY_BYTES)}, Refusal(413, "too_large", "max_image_bytes")),
    "private": (
        {"url": "http://169.254.169.254/"},
        Refusal(403, "url_forbidden", "fetch.allow_networks"),
    ),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("image", "refusal"), BAD_CHAT_IMAGES.values(), ids=BAD_CHAT_IMAGES)
def test_a_bad_image_in_a_chat_is_refused(
    api: httpx2.Client,
    captioner: ScriptedServer,
    reasoner: ScriptedServer,
    stream: bool,
    image: Any,
    refusal: Refusal,
) -> None:
    body = chat_body(image, stream=stream)
    answer = api.post("/v1/chat/completions", json=body)
    assert_error(answer, refusal.status, refusal.code, says=refusal.says, param=refusal.param)
    assert captioner.perceptions == []
    assert reasoner.chats == []


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"model": "gpt-9"}, Refusal(404, "unknown_model", "/v1/models", "model")),
        ({"model": 5}, Refusal(400, "invalid_request", "model", None)),
        ({"stream": "yes"}, Refusal(400, "invalid_request", "stream", None)),
    ],
    ids=["unknown-model", "number-as-model", "text-as-stream"],
)
def test_a_bad_chat_is_refused(
    api: httpx2.Client, reasoner: ScriptedServer, body: dict[str, Any], refusal: Refusal
) -> None:
    sent = chat_body({"url": GOOD}, **body)
    answer = api.post("/v1/chat/completions", json=sent)
    assert_error(answer, refusal.status, refusal.code, says=refusal.says, param=refusal.param)
    assert reasoner.chats == []


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("messages", [b"[]", b" [ \n ]"])
def test_a_chat_without_messages_is_the_reasoners_to_refuse(
    api: httpx2.Client, reasoner: ScriptedServer, messages: bytes, stream: bool
) -> None:
    body = b'{"stream": %s, "messages": %s}' % (str(stream).lower().encode(), messages)
    assert api.post("/v1/chat/completions", content=body).status_code == 200
    assert reasoner.chats[0].json["messages"] == []


def test_a_chat_that_is_not_utf_8_is_refused(api: httpx2.Client) -> None:
    content = json.dumps(chat_body({"url": GOOD})).encode().replace(b"How", b"\xff")
    answer = api.post("/v1/chat/completions", content=content)
    assert_error(answer, 400, "invalid_request", param=answer.json()["error"]["param"])


# The HTTP around it.


@pytest.mark.parametrize("path", ["/v1/solve", "/v1/chat/completions"])
def test_a_wrong_method_is_refused(api: httpx2.Client, path: str) -> None:
    answer = api.get(path)
    assert_error(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "OPTIONS, POST"
    assert "OPTIONS, POST" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path", ["/v1/solves", "/v1/solve/../nothing", "/v1/v2/solve", "/v1/solve%00", "/V1/solve"]
)
def test_an_unknown_path_is_refused_with_those_that_there_are(
    api: httpx2.Client, path: str
) -> None:
    answer = api.post(path, json=question())
    assert_error(answer, 404, "not_found", says="there are: GET /, ")
    assert "POST /v1/solve, " in answer.json()["error"]["message"]


def test_a_long_path_is_not_repeated(api: httpx2.Client) -> None:
    answer = api.post("/v1/" + "x/" * 10_000)
    assert_error(answer, 404, "not_found")
    assert len(answer.text) < 1000


def test_a_wrong_content_type_is_refused(api: httpx2.Client) -> None:
    headers = {"content-type": "image/png"}
    answer = api.post("/v1/solve", content=png(), headers=headers)
    assert_error(answer, 415, "unsupported_media_type", says="application/json")


@pytest.mark.parametrize(
    "host", ["evil/../healthz?", "evil.test", "evil.test:80/v1/models#", "[::1", "", "a" * 5000]
)
def test_a_forged_host_header_changes_nothing(api: httpx2.Client, host: str) -> None:
    answer = solve(api, question(), headers={"host": host})
    assert answer.status_code == 200, answer.text
    assert answer.json()["answer"] == "42"
    assert_error(api.get("/nothing", headers={"host": host}), 404, "not_found")


@pytest.mark.parametrize("path", ["/v1/models/", "/models/", "/healthz/", "/docs/"])
def test_no_redirect_is_built_from_the_host_header(api: httpx2.Client, path: str) -> None:
    answer = api.get(path, headers={"host": "evil.test"})
    assert "location" not in answer.headers
    assert answer.status_code == 200


# Bodies that do not end.


class Upload:
    """A request body of up to `size` bytes, and the gateway's memory while it is sent."""

    def __init__(self, gateway: Service, *, head: bytes, size: int) -> None:
        self.size = size
        self.sent = 0
        self._head = head
        self._process = psutil.Process(gateway.pid)
        self._before = self.peak = self._process.memory_info().rss

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        chunk = b" " * MB
        while self.sent < self.size:
            self.sent += len(chunk)
            yield chunk
            self.peak = max(self.peak, self._process.memory_info().rss)

    @property
    def growth(self) -> int:
        return max(self.peak, self._process.memory_info().rss) - self._before


FORM_HEAD = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
# The kernel takes tens of megabytes of each that the gateway never reads.
LARGE_BODIES = {
    "json-declared": (b"{", "application/json", 300 * MB, True),
    "json-chunked": (b"{", "application/json", 300 * MB, False),
    "form-declared": (FORM_HEAD, "multipart/form-data; boundary=x", 300 * MB, True),
    "form-chunked": (FORM_HEAD, "multipart/form-data; boundary=x", 300 * MB, False),
}


@pytest.mark.parametrize("path", ["/v1/solve", "/v1/chat/completions"])
@pytest.mark.parametrize(
    ("head", "content_type", "size", "declared"), LARGE_BODIES.values(), ids=LARGE_BODIES
)
def test_a_body_over_the_limit_is_not_read_to_its_end(
    api: httpx2.Client,
    gateway: Service,
    path: str,
    head: bytes,
    content_type: str,
    size: int,
    declared: bool,
) -> None:
    upload = Upload(gateway, head=head, size=size)
    headers = {"content-type": content_type}
    if declared:
        headers["content-length"] = str(len(head) + size)
    answer = api.post(path, content=iter(upload), headers=headers)
    assert_error(answer, 413, "too_large", says="max_body_bytes = 67108864")
    assert upload.sent < (size // 2)
    assert upload.growth < 150 * MB


# Deadlines.


def until_it_reaches(server: ScriptedServer, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
    """On a busy machine the time may be over before anybody is asked."""

    def reached() -> httpx2.Response | None:
        answer = ask()
        return answer if server.asked else None

    return wait_until(reached, what="a call upstream")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("slow", ["captioner", "reasoner"])
def test_a_slow_upstream_runs_into_the_deadline(
    api: httpx2.Client, captioner: ScriptedServer, reasoner: ScriptedServer, slow: str, stream: bool
) -> None:
    server = {"captioner": captioner, "reasoner": reasoner}[slow]
    server.script.held_at = 0
    answer = until_it_reaches(server, lambda: solve(api, question(timeout_s=0.3, stream=stream)))
    if stream and slow == "reasoner":
        name, body = events(answer)[-1]
        assert (answer.status_code, name) == (200, "error")
        assert_envelope(body, "deadline_exceeded", says="timeout_s = 0.3")
    else:
        assert_error(answer, 504, "deadline_exceeded", says="timeout_s = 0.3")
    assert_gone(server.asked[-1])


def test_a_deadline_within_a_stream_is_an_event(
    api: httpx2.Client, captioner: ScriptedServer
) -> None:
    captioner.script.held_at = 1

    def begun() -> httpx2.Response | None:
        answer = solve(api, question(timeout_s=0.5, stream=True))
        return answer if answer.status_code == 200 else None

    got = events(wait_until(begun))
    assert [name for name, _ in got] == ["visual_context.delta", "error"]
    assert_envelope(got[-1][1], "deadline_exceeded", says="timeout_s = 0.5")
    assert_gone(captioner.perceptions[0])


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/solve"])
def test_a_deadline_in_a_header_is_named_as_such(
    api: httpx2.Client, captioner: ScriptedServer, path: str, stream: bool
) -> None:
    captioner.script.held_at = 0
    unseen = data_url(png(uuid.uuid4().hex))
    body = chat_body({"url": unseen}) if "chat" in path else question(images=[unseen])
    headers = {"x-racro-timeout-ms": "300"}
    answer = until_it_reaches(
        captioner, lambda: api.post(path, json={**body, "stream": stream}, headers=headers)
    )
    assert_error(answer, 504, "deadline_exceeded", says="x-racro-timeout-ms = 300")
    assert_gone(captioner.perceptions[0])


def test_a_header_shortens_the_time_of_a_visual_context(
    api: httpx2.Client, captioner: ScriptedServer
) -> None:
    captioner.script.before_s = 20
    body, headers = question(timeout_s=1), {"x-racro-timeout-ms": "300"}
    answer = api.post("/v1/visual-contexts", json=body, headers=headers)
    assert_error(answer, 504, "deadline_exceeded", says="x-racro-timeout-ms = 300")
    answer = api.post("/v1/visual-contexts", json={**body, "timeout_s": 0.2})
    assert_error(answer, 504, "deadline_exceeded", says="timeout_s = 0.2")


# Images that only the captioner finds broken.


def refuse_image(captioner: ScriptedServer, index: int) -> None:
    error = {"type": "invalid_request_error", "code": "invalid_image", "message": "damaged"}
    captioner.script.status = 400
    captioner.script.plain = {"error": {**error, "param": f"images[{index}]"}}


def ask_with_two_images(api: httpx2.Client, way: str, *, stream: bool) -> httpx2.Response:
    one, other = (png(uuid.uuid4().hex) for _ in range(2))
    urls, text = [data_url(one), data_url(other)], {"question": "How high?"}
    if way == "chat":
        body = chat_body({"url": urls[0]}, stream=stream)
        content = body["messages"][0]["content"]
        content.append({"type": "image_url", "image_url": {"url": urls[1]}})
        return api.post("/v1/chat/completions", json=body)
    if way == "form":
        files = [("image", ("a.png", data)) for data in (one, other)]
        return api.post("/v1/solve", data={**text, "stream": str(stream).lower()}, files=files)
    more = {} if way == "visual-contexts" else {"stream": stream}
    return api.post(f"/v1/{way}", json={**text, "images": urls, **more})


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("way", "param"),
    [
        ("solve", "images[1]"),
        ("form", "image[1]"),
        ("visual-contexts", "images[1]"),
        ("chat", "messages[0].content[2].image_url"),
    ],
)
def test_an_image_that_the_captioner_refuses_is_named_by_the_client_s_field(
    api: httpx2.Client, captioner: ScriptedServer, way: str, param: str, stream: bool
) -> None:
    refuse_image(captioner, 1)
    answer = ask_with_two_images(api, way, stream=stream)
    assert_error(answer, 400, "invalid_image", says="damaged", param=param)


def test_whoever_shares_a_refused_image_has_it_named_by_his_own_field(
    api: httpx2.Client, captioner: ScriptedServer
) -> None:
    refuse_image(captioner, 0)
    captioner.script.before_s = 0.5
    shared = data_url(png(uuid.uuid4().hex))
    bodies = {
        "/v1/chat/completions": chat_body({"url": shared}),
        "/v1/solve": {"question": "How high?", "images": [shared], "tentative": False},
    }
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(api.post, path, json=body) for path, body in bodies.items()]
        params = [one.result().json()["error"]["param"] for one in asked]
    assert params == [IMAGE_PARAM, "images[0]"]


def test_a_truncated_png_is_refused_by_the_real_captioner_under_the_client_s_name(
    ocr_captioner: Service, reasoner: ScriptedServer
) -> None:
    truncated = data_url(png()[:-100])
    with Service("gateway", gateway_config(ocr_captioner.url, reasoner.url)) as service:
        chat = http.post(f"{service.url}/v1/chat/completions", json=chat_body({"url": truncated}))
        solved = http.post(f"{service.url}/v1/solve", json={"question": "q", "images": [truncated]})
    assert_error(chat, 400, "invalid_image", says="truncated", param=IMAGE_PARAM)
    assert_error(solved, 400, "invalid_image", says="truncated", param="images[0]")


# A captioner that is away, or out of its mind.


@pytest.fixture(scope="module")
def blind_gateway(_scripted_reasoner: ScriptedServer) -> Iterator[Service]:
    """Its captioner's port is closed."""
    config = {
        "captioner": {"url": f"http://127.0.0.1:{free_port()}"},
        "reasoners": {"default": {"url": f"{_scripted_reasoner.url}/v1", "model": "scripted"}},
    }
    with Service("gateway", config, wait_for="/healthz") as service:
        yield service


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("/v1/solve", question(), id="solve"),
        pytest.param("/v1/solve", question(stream=True), id="solve-stream"),
        pytest.param("/v1/chat/completions", chat_body({"url": GOOD}), id="chat"),
        pytest.param(
            "/v1/chat/completions", chat_body({"url": GOOD}, stream=True), id="chat-stream"
        ),
    ],
)
def test_a_captioner_that_is_away_is_told_at_once(
    blind_gateway: Service, reasoner: ScriptedServer, path: str, body: dict[str, Any]
) -> None:
    answer = http.post(blind_gateway.url + path, json=body)
    assert_error(answer, 503, "upstream_unavailable", says="captioner")
    assert int(answer.headers["retry-after"]) >= 1
    assert reasoner.chats == []


def fails(captioner: ScriptedServer) -> None:
    captioner.script.status = 500
    captioner.script.plain = {"detail": "Traceback: <Engine object at 0x7f00aa> on 127.0.0.1"}


def answers_nonsense(captioner: ScriptedServer) -> None:
    captioner.script.status = 500
    captioner.script.plain = None


def breaks_its_contract(captioner: ScriptedServer) -> None:
    captioner.script.identity = {"model": 5}


def has_no_caption(captioner: ScriptedServer) -> None:
    captioner.script.caption = None


def breaks_off_at_once(captioner: ScriptedServer) -> None:
    captioner.script.die_after = 0


def breaks_off_mid_stream(captioner: ScriptedServer) -> None:
    captioner.script.die_after = 1


def breaks_off_before_done(captioner: ScriptedServer) -> None:
    captioner.script.die_after = 4


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("disturb", "status", "code"),
    [
        (fails, 503, "upstream_unavailable"),
        (answers_nonsense, 503, "upstream_unavailable"),
        (breaks_its_contract, 502, "upstream_error"),
        (has_no_caption, 502, "upstream_error"),
        (breaks_off_at_once, 503, "upstream_unavailable"),
        (breaks_off_mid_stream, 503, "upstream_unavailable"),
        (breaks_off_before_done, 503, "upstream_unavailable"),
    ],
)
def test_nothing_of_a_broken_caption_is_kept(
    api: httpx2.Client,
    captioner: ScriptedServer,
    reasoner: ScriptedServer,
    disturb: Callable[[ScriptedServer], None],
    status: int,
    code: str,
    stream: bool,
) -> None:
    disturb(captioner)
    body = question()
    answer = solve(api, {**body, "stream": stream})
    if answer.status_code == 200:
        assert stream
        name, envelope = events(answer)[-1]
        assert name == "error"
        assert_envelope(envelope, code, says="captioner")
    else:
        assert_error(answer, status, code, says="captioner")
        assert ("retry-after" in answer.headers) == (status == 503)
    assert reasoner.chats == []

    captioner.reset()
    results = [solve(api, body).json()["visual_context"]["cache"] for _ in range(2)]
    assert results == ["miss", "hit"]
    assert len(captioner.perceptions) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_broken_reasoner_costs_no_second_caption(
    api: httpx2.Client, captioner: ScriptedServer, reasoner: ScriptedServer, stream: bool
) -> None:
    reasoner.script.die_after = 1
    body = question()
    answer = solve(api, {**body, "stream": stream})
    if stream:
        name, envelope = events(answer)[-1]
        assert name == "error"
        assert_envelope(envelope, "upstream_unavailable", says="reasoner")
    else:
        assert_error(answer, 503, "upstream_unavailable", says="reasoner")
    reasoner.reset()
    assert solve(api, body).json()["visual_context"]["cache"] == "hit"
    assert len(captioner.perceptions) == 1
