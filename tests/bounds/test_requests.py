"""Whatever a request has in it, the gateway's event loop computes 50 ms at most at a stretch."""

import base64
import json
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest

from support import http
from support.loop_cpu import MeasuredService
from support.pictures import png
from support.request_forms import CHAT, FORMS, RequestForm
from support.scripted import ScriptedServer

_LONGEST_S = 0.05
# Of compose and the chart, half of it for what else is asked at the same time.
_MEMORY_LIMIT_MIB = 1024 / 2
_PICTURE = png()
_MIB = 2**20
# Two marks whose order the normal form changes.
MARKS = "\u0301\u0323"
_FORM = {"content-type": "multipart/form-data; boundary=x"}


class Row(NamedTuple):
    """A request: where to, its body (made when it is needed), and the status of the answer."""

    path: str
    body: Callable[[], bytes]
    status: int
    says: str = ""
    headers: dict[str, str] | None = None


def large_png(size: int) -> bytes:
    """Return a picture that declares a few pixels and is `size` bytes long."""
    end = _PICTURE.index(b"IEND") - 4
    padding = size - len(_PICTURE) - 12
    kind = b"teSt"
    content = bytes(padding)
    chunk = padding.to_bytes(4, "big") + kind + content
    chunk += zlib.crc32(kind + content).to_bytes(4, "big")
    return _PICTURE[:end] + chunk + _PICTURE[end:]


def url(data: bytes = _PICTURE, *, line: int = 0, padded: bool = True) -> str:
    text = base64.b64encode(data).decode()
    if line:
        text = "\\n".join(text[at : at + line] for at in range(0, len(text), line))
    return "data:image/png;base64," + (text if padded else text.rstrip("="))


def solve(question: str = '"What?"', images: str | None = None, more: str = "") -> bytes:
    images = f'["{url()}"]' if images is None else images
    return f'{{"question": {question}, "images": {images}{more}}}'.encode()


def many(item: str, count: int) -> str:
    return ",".join([item] * count)


def numbered(count: int) -> str:
    return "".join(f',"name{number}":1' for number in range(count))


def form(files: int, size: int) -> bytes:
    part = b'--x\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    question = b'--x\r\ncontent-disposition: form-data; name="question"\r\n\r\nWhat?\r\n'
    return question + (part + large_png(size) + b"\r\n") * files + b"--x--\r\n"


RESULT_IMAGE = json.dumps(
    {"type": "image", "data": url().rpartition(",")[2], "mimeType": "image/png"}
)
SMALL_IMAGE = json.dumps({"type": "image", "data": "A" * 300, "mimeType": "image/png"})
SOLVE, CONTEXTS = "/v1/solve", "/v1/visual-contexts"
ROWS = {
    "solve-empty-images": Row(
        SOLVE, lambda: solve(images=f"[{many(chr(34) * 2, 4_000_000)}]"), 400, "max_images = 20"
    ),
    "solve-numbers": Row(
        SOLVE, lambda: solve(images=f"[{many('1', 1_000_000)}]"), 400, "max_images = 20"
    ),
    "solve-fields": Row(SOLVE, lambda: solve(more=numbered(300_000)), 400, "max_fields = 128"),
    "solve-question-list": Row(
        SOLVE, lambda: solve(question=f"[{many('1', 5_000_000)}]"), 400, "max_fields = 128"
    ),
    "solve-question-nested": Row(
        SOLVE, lambda: solve(question=f"[[{many('1', 5_000_000)}]]"), 400, "question: "
    ),
    "solve-no-json": Row(SOLVE, lambda: b"[" + b'"",' * 4_000_000, 400),
    "solve-two-large": Row(
        SOLVE,
        lambda: solve(
            images=json.dumps([url(large_png(19 * _MIB)), url(large_png(19 * _MIB + 1))])
        ),
        200,
    ),
    "solve-line-breaks": Row(
        SOLVE, lambda: solve(images=f'["{url(large_png(19 * _MIB), line=76)}"]'), 200
    ),
    "solve-no-padding": Row(
        SOLVE, lambda: solve(images=f'["{url(large_png(19 * _MIB + 1), padded=False)}"]'), 200
    ),
    "solve-no-base64": Row(
        SOLVE, lambda: solve(images=f'["data:image/png;base64,{"*" * 25_000_000}"]'), 400
    ),
    "solve-form": Row(SOLVE, lambda: form(3, 19 * _MIB), 200, headers=_FORM),
    "solve-form-files": Row(
        SOLVE, lambda: form(20_000, 2000), 400, "max_images = 20", headers=_FORM
    ),
    "contexts-empty-images": Row(
        CONTEXTS, lambda: solve(images=f"[{many(chr(34) * 2, 4_000_000)}]"), 400, "max_images = 20"
    ),
    "contexts-large": Row(CONTEXTS, lambda: solve(images=f'["{url(large_png(19 * _MIB))}"]'), 200),
    "solve-carriage-returns": Row(
        SOLVE,
        lambda: solve(question='"a' + "\\r" * 60_000 + 'b"'),
        400,
        "max_question_chars = 8192",
    ),
    "solve-marks": Row(
        SOLVE, lambda: solve(question=f'"a{MARKS * 4000}"'), 400, "30 combining marks"
    ),
    "contexts-marks": Row(
        CONTEXTS, lambda: solve(question=f'"a{MARKS * 4000}"'), 400, "30 combining marks"
    ),
    "solve-long-question": Row(
        SOLVE, lambda: solve(question=f'"{"x" * 60_000_000}"'), 400, "max_question_chars = 8192"
    ),
    "body-too-large": Row(CHAT.path, lambda: bytes(70 * _MIB), 413),
}


class Talk(NamedTuple):
    """A request with a conversation: its body in the form of an API, and the answer's status."""

    body: Callable[[RequestForm], bytes]
    status: int
    says: str = ""


def said(form: RequestForm, *parts: str, more: str = "") -> bytes:
    """Return a request of one message with those parts."""
    return form.body_json(form.message_json(*parts), more)


def given(form: RequestForm, content: str) -> bytes:
    """Return a request with the result of a tool, which is a text."""
    asked = json.dumps(form.message(form.text("What?")))
    return form.body_json(f"{asked},{json.dumps(form.result(content))}")


TALKS = {
    "fields": Talk(
        lambda form: said(form, form.picture_json(url()), more=numbered(1_000_000)),
        400,
        "max_fields = 128",
    ),
    "parts": Talk(
        lambda form: said(form, form.picture_json(url()), many(form.text_json(""), 1_000_000)),
        400,
        "max_parts = 4096",
    ),
    "messages": Talk(
        lambda form: form.body_json(
            f"{many('{}', 1_000_000)},{form.message_json(form.picture_json(url()))}"
        ),
        400,
        "max_messages = 2048",
    ),
    "messages-of-text": Talk(lambda form: form.body_json(many("{}", 1_000_000)), 200),
    # Each may refer to an earlier response.
    "items-of-text": Talk(
        lambda form: form.body_json(many("{}", 1_000_000)), 400, "more than 262144 objects"
    ),
    "images": Talk(lambda form: said(form, many(form.picture_json(url()), 4000)), 200),
    "text": Talk(lambda form: said(form, form.text_json("<" * 60_000_000)), 200),
    "unfinished-escapes": Talk(
        lambda form: said(form, form.text_json("\\u003c" * 10_000_000)), 200
    ),
    "other-text-and-image": Talk(
        lambda form: form.body_json(
            f'{{"role":"system","content":"{"x" * 60_000_000}"}},'
            + form.message_json(form.text_json("What?"), form.picture_json(url()))
        ),
        200,
    ),
    "long-text-and-image": Talk(
        lambda form: said(form, form.text_json("x" * 60_000_000), form.picture_json(url())), 200
    ),
    "brackets-and-image": Talk(
        lambda form: said(form, form.text_json("<" * 10_000_000), form.picture_json(url())), 200
    ),
    "reminders": Talk(
        lambda form: said(
            form, form.text_json("<system-reminder>" * 10_000), form.picture_json(url())
        ),
        200,
    ),
    "many-reminders": Talk(
        lambda form: said(
            form,
            form.text_json("<system-reminder></system-reminder>" * 500_000),
            form.picture_json(url()),
        ),
        200,
    ),
    "many-tasks": Talk(
        lambda form: said(
            form, form.text_json("<task></task>" * 1_000_000), form.picture_json(url())
        ),
        200,
    ),
    "carriage-returns": Talk(
        lambda form: said(form, form.text_json("\\r" * 5_000_000), form.picture_json(url())), 200
    ),
    "marks": Talk(
        lambda form: said(form, form.text_json(MARKS * 1_000_000), form.picture_json(url())), 200
    ),
    "two-large": Talk(
        lambda form: said(
            form,
            form.text_json("What?"),
            form.picture_json(url(large_png(19 * _MIB))),
            form.picture_json(url(large_png(19 * _MIB + 1))),
        ),
        200,
    ),
    "surrogates": Talk(
        lambda form: said(form, form.text_json("\\ud83d" * 5_000_000), form.picture_json(url())),
        400,
        "65536 halves of surrogate pairs",
    ),
    "some-surrogates": Talk(
        lambda form: said(
            form,
            form.text_json("\\ud83d" * 65_536 + "\\n" * 5_000_000),
            form.picture_json(url()),
        ),
        200,
    ),
    "nested": Talk(
        lambda form: said(form, more=',"metadata":' + "[" * 10_000_000 + "]" * 10_000_000), 400
    ),
    "nested-part": Talk(
        lambda form: said(form, form.picture_json(url()), "[" * 10_000_000 + "]" * 10_000_000),
        400,
    ),
    "result-nested": Talk(lambda form: given(form, "[" * 10_000_000 + "]" * 10_000_000), 200),
    "result-lists": Talk(
        lambda form: given(form, f'[{many("[]", 6_000_000)},{{"type":"image"}}]'), 200
    ),
    "result-fields": Talk(
        lambda form: given(form, f'{{"type":"image"{numbered(1_000_000)}}}'), 200
    ),
    "result-images": Talk(lambda form: given(form, f"[{many(SMALL_IMAGE, 100_000)}]"), 200),
    "result-some-images": Talk(lambda form: given(form, f"[{many(RESULT_IMAGE, 4000)}]"), 200),
    "result-large": Talk(
        lambda form: given(form, f'[{{"screenshot":"{url(large_png(19 * _MIB))}"}}]'), 200
    ),
    "result-large-within-levels": Talk(
        lambda form: given(
            form, "[" * 60 + f'{{"screenshot":"{url(large_png(19 * _MIB))}"}}' + "]" * 60
        ),
        200,
    ),
    "markdown-without-ends": Talk(
        lambda form: said(form, form.text_json("![a](data:image/png;base64,A" * 1_000_000)), 200
    ),
    "markdown-large": Talk(
        lambda form: said(form, form.text_json(f"Here: ![a]({url(large_png(19 * _MIB))})")), 200
    ),
    "markdown-images": Talk(lambda form: said(form, form.text_json(f"![a]({url()})" * 4000)), 200),
    "images-beside": Talk(
        lambda form: form.body_json(f'{{"role":"user","images":[{many(chr(34) * 2, 4_000_000)}]}}'),
        400,
        "images: more than 4096",
    ),
}
# What is done with texts is the same work in all forms: chat has these alone.
_OF_CHAT = {"unfinished-escapes", "many-reminders", "many-tasks", "result-images"}
TALKS_OF = {
    "chat": TALKS.keys() - {"items-of-text"},
    "responses": TALKS.keys() - _OF_CHAT - {"messages-of-text"},
    "messages": TALKS.keys() - _OF_CHAT - {"items-of-text"},
    "count_tokens": {"fields", "parts", "messages", "images", "two-large", "nested"},
}
TALK_ROWS = {
    f"{name}-{talk}": Row(form.path, partial(TALKS[talk].body, form), *TALKS[talk][1:])
    for name, form in FORMS.items()
    for talk in TALKS
    if talk in TALKS_OF[name]
}


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=name) for name, row in (ROWS | TALK_ROWS).items()]
)
def test_no_request_holds_the_event_loop_up(
    measured: MeasuredService, captioner: ScriptedServer, reasoner: ScriptedServer,
    row: Row, record_property: Callable[[str, Any], None],
) -> None:  # fmt: skip
    body = row.body()
    headers = row.headers or {"content-type": "application/json"}
    measured.clear()
    answer = http.post(measured.url + row.path, content=body, headers=headers)
    assert http.get(f"{measured.url}/healthz").status_code == 200
    found = measured.stretches()
    record_property("loop_cpu_ms", found.cpu_s * 1000)
    # For information: where the machine is busy, they tell about the machine, too.
    print(  # noqa: T201
        f"{row.path} {answer.status_code}: loop {found.cpu_s * 1000:.0f} ms,"
        f" by the clock {found.wall_s * 1000:.0f} ms, process {found.process_cpu_s:.2f} s,"
        f" {measured.peak_mib():.0f} MiB; {answer.text[:120]}"
    )
    assert (answer.status_code, row.says in answer.text) == (row.status, True)
    assert found.cpu_s <= _LONGEST_S
    assert measured.peak_mib() <= _MEMORY_LIMIT_MIB
