"""A PDF at the gateway: what the captioner is asked, what is stored, and what its pages cost."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from support import http
from support.pictures import data_url, png
from support.processes import Service
from support.scripted import IDENTITY, ScriptedServer

OPTIONS = ["max_tokens", "temperature", "seed", "n", "max_pages"]
MAX_PAGES = 4
# A tenant for each test, and its images a minute.
TENANTS = {
    "asks": None,
    "charged": 10,
    "copies": 4,
    "cached": 5,
    "small": 2,
    "mixed": 9,
    "refused": None,
    "unbounded": 6,
    "doors": None,
}


def pdf() -> bytes:
    """A PDF that nobody has seen, for a gateway: it does not open it."""
    return b"%PDF-1.7\n" + uuid.uuid4().bytes + b"\n%%EOF\n"


class Door:
    """A gateway, and the keys of its tenants."""

    def __init__(self, service: Service, keys: dict[str, str]) -> None:
        self.service = service
        self._keys = keys

    def headers(self, tenant: str) -> dict[str, str]:
        return {"x-api-key": self._keys[tenant]}

    def solve(self, tenant: str, *images: bytes, question: str = "How much?") -> httpx2.Response:
        body = {"question": question, "images": [data_url(one) for one in images]}
        headers = self.headers(tenant)
        return http.post(f"{self.service.url}/v1/solve", json=body, headers=headers)

    def left(self, tenant: str) -> int:
        """How many images a tenant may still have captioned; they are taken."""
        taken = 0
        while self.solve(tenant, png(uuid.uuid4().hex)).status_code == 200:
            taken += 1
        return taken


@pytest.fixture(scope="module")
def peer() -> Iterator[ScriptedServer]:
    """A captioner that takes PDFs."""
    with ScriptedServer() as server:
        server.script.identity = {**IDENTITY, "options": OPTIONS}
        yield server


@pytest.fixture
def pages(peer: ScriptedServer) -> ScriptedServer:
    """The captioner, where each answer is of three pages."""
    peer.reset()
    peer.script.identity = {**IDENTITY, "options": OPTIONS}
    peer.script.pages = 3
    return peer


@pytest.fixture(scope="module")
def _door(
    peer: ScriptedServer,
    _scripted_reasoner: ScriptedServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Door]:
    path: Path = tmp_path_factory.mktemp("keys") / "keys.yaml"
    file, keys = KeysFile(), {}
    for tenant, images in TENANTS.items():
        record = TenantRecord(images_per_minute=images)
        file, keys[tenant] = file.with_new_key(tenant, record)
    file.write(path)
    config = gateway_config(
        peer.url,
        _scripted_reasoner.url,
        tenants={"keys_file": str(path)},
        limits={"max_pages": MAX_PAGES},
    )
    with Service("gateway", config) as service:
        yield Door(service, keys)


@pytest.fixture
def door(_door: Door, pages: ScriptedServer, reasoner: ScriptedServer) -> Door:
    return _door


def test_only_a_request_with_a_pdf_says_how_many_pages(door: Door, pages: ScriptedServer) -> None:
    paper = pdf()
    for images in ([png()], [paper], [png(), paper]):
        assert door.solve("asks", *images).status_code == 200
    asked_for = [asked.json["options"].get("max_pages") for asked in pages.perceptions]
    assert asked_for == [None, MAX_PAGES, MAX_PAGES]
    assert pages.perceptions[1].json["images"] == [data_url(paper, "application/pdf")]


def test_a_pdf_is_taken_wherever_an_image_is(door: Door, pages: ScriptedServer) -> None:
    url, headers = door.service.url, door.headers("doors")
    paper = pdf()
    form = http.post(
        f"{url}/v1/solve",
        data={"question": "Form?"},
        files={"image": ("a.pdf", paper)},
        headers=headers,
    )
    body = {"question": "Context?", "images": [data_url(paper, "application/pdf")]}
    kept = http.post(f"{url}/v1/visual-contexts", json=body, headers=headers)
    part = {"type": "image_url", "image_url": {"url": data_url(paper, "")}}
    content = [{"type": "text", "text": "Chat?"}, part]
    chat = http.post(
        f"{url}/v1/chat/completions",
        json={"model": "default", "messages": [{"role": "user", "content": content}]},
        headers=headers,
    )
    assert [one.status_code for one in (form, kept, chat)] == [200] * 3
    sent = [asked.json["images"] for asked in pages.perceptions]
    assert sent == [[data_url(paper, "application/pdf")]] * 3
    answered = {"question": "Context?", "visual_context": kept.json()["id"]}
    assert http.post(f"{url}/v1/solve", json=answered, headers=headers).status_code == 200


def test_the_pages_of_a_pdf_are_counted(door: Door) -> None:
    assert door.solve("charged", pdf()).status_code == 200
    assert door.solve("charged", pdf()).status_code == 200
    # Of ten six are gone: four pages may be too many soon, but are not yet.
    assert door.solve("charged", pdf()).status_code == 200
    refused = door.solve("charged", pdf())
    assert refused.status_code == 429
    assert "images_per_minute = 10" in refused.json()["error"]["message"]
    assert door.left("charged") == 1


def test_copies_are_one(door: Door, pages: ScriptedServer) -> None:
    pages.script.pages = 6
    paper = pdf()
    assert door.solve("copies", paper, paper).status_code == 200
    assert door.left("copies") == 1


def test_a_caption_out_of_the_cache_costs_nothing(door: Door, pages: ScriptedServer) -> None:
    paper = pdf()
    answers = [door.solve("cached", paper) for _ in range(3)]
    assert [one.json()["visual_context"]["cache"] for one in answers] == ["miss", "hit", "hit"]
    assert door.left("cached") == 2


def test_a_small_limit_is_no_reason_to_refuse_a_pdf(door: Door) -> None:
    assert door.solve("small", pdf()).status_code == 200
    assert door.left("small") == 0


def test_a_pdf_beside_an_image_is_counted_beside_it(door: Door) -> None:
    assert door.solve("mixed", pdf(), png()).status_code == 200
    assert door.left("mixed") == 5


def test_no_captioner_makes_more_pages_than_were_asked_for(
    door: Door, pages: ScriptedServer
) -> None:
    pages.script.pages = 10**6
    assert door.solve("unbounded", pdf()).status_code == 200
    assert door.left("unbounded") == 2


def test_a_captioner_that_takes_no_pdf_is_passed_on(door: Door, pages: ScriptedServer) -> None:
    error = {"type": "invalid_request_error", "code": "unsupported_media_type", "message": "PNG"}
    pages.script.status = 415
    pages.script.plain = {"error": {**error, "param": "images[1]"}}
    refused = door.solve("refused", png(), pdf())
    assert refused.status_code == 415
    assert refused.json()["error"]["param"] == "images[1]"


def test_a_captioner_of_before_is_not_asked_for_pages(
    reasoner: ScriptedServer, captioner: ScriptedServer
) -> None:
    with Service("gateway", gateway_config(captioner.url, reasoner.url)) as gateway:
        body = {"question": "How much?", "images": [data_url(pdf())]}
        assert http.post(f"{gateway.url}/v1/solve", json=body).status_code == 200
    assert "max_pages" not in captioner.perceptions[0].json["options"]
