"""Copies of the captioner behind one gateway: which one is asked, and when one goes away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from conftest import gateway_config
from support import http
from support.pictures import data_url, png
from support.processes import Service, free_port, wait_until
from support.scripted import IDENTITY, ScriptedServer

PICTURES = 24


@pytest.fixture
def copies() -> Iterator[list[ScriptedServer]]:
    with ScriptedServer() as one, ScriptedServer() as other:
        yield [one, other]


def before(copies: list[str], reasoner: ScriptedServer, **more) -> dict:
    config = gateway_config(copies[0], reasoner.url)
    config["captioner"] = {**config["captioner"], "url": copies, **more}
    return config


def urls(copies: list[ScriptedServer]) -> list[str]:
    return [copy.url for copy in copies]


def solve(gateway: Service, number: int, question: str = "How high?"):
    body = {"question": question, "images": [data_url(png(f"no. {number}"))]}
    return http.post(f"{gateway.url}/v1/solve", json=body)


def images_of(copy: ScriptedServer) -> set[str]:
    return {image for asked in copy.perceptions for image in asked.json["images"]}


def test_an_image_is_asked_about_where_it_was_before(copies, reasoner) -> None:
    with Service("gateway", before(urls(copies), reasoner)) as gateway:
        for question in ("How high?", "How wide?", "How deep?"):
            for number in range(PICTURES):
                assert solve(gateway, number, question).status_code == 200
    one, other = (images_of(copy) for copy in copies)
    assert len(one | other) == PICTURES
    assert not one & other
    assert min(len(one), len(other)) > 0


def test_one_that_is_gone_costs_no_request(reasoner) -> None:
    with ExitStack() as behind, ScriptedServer() as other:
        one = behind.enter_context(ScriptedServer())
        with Service("gateway", before(urls([one, other]), reasoner)) as gateway:
            assert solve(gateway, 0).status_code == 200
            behind.close()
            statuses = [solve(gateway, number).status_code for number in range(1, 101)]
            ready = http.get(f"{gateway.url}/readyz")
            metrics = gateway.metrics()
    assert statuses == [200] * 100
    checks = ready.json()["checks"]
    assert (ready.status_code, ready.json()["degraded"]) == (200, True)
    assert checks["captioner"] == "ok"
    assert checks["copies of captioner"] == "1 of 2 copies is down"
    assert metrics['racro_component_ok{component="captioner"}'] == 1
    for state in ("up", "down"):
        assert metrics[f'racro_replicas{{component="captioner",state="{state}"}}'] == 1


def test_one_that_starts_later_is_found(copies, reasoner) -> None:
    port = free_port()
    late = f"http://127.0.0.1:{port}"
    with Service("gateway", before([urls(copies)[0], late], reasoner)) as gateway:
        assert solve(gateway, 0).status_code == 200
        with ScriptedServer(port=port) as started:

            def is_asked() -> bool:
                http.get(f"{gateway.url}/readyz")
                for number in range(PICTURES):
                    assert solve(gateway, number, f"Q{len(started.perceptions)}").status_code == 200
                return bool(started.perceptions)

            wait_until(is_asked, what="a request to it")


def test_one_that_is_busy_is_passed_over(copies, reasoner) -> None:
    with Service("gateway", before(urls(copies), reasoner)) as gateway:
        solve(gateway, 1)
        first = copies[0] if copies[0].perceptions else copies[1]
        for copy in copies:
            copy.script.held_at = 0
        with ThreadPoolExecutor(8) as pool:
            # All about the picture that `first` had before.
            asked = [pool.submit(solve, gateway, 1, f"Q{number}") for number in range(8)]
            wait_until(
                lambda: sum(len(copy.perceptions) for copy in copies) == 9, what="the requests"
            )
            for copy in copies:
                copy.script.held_at = None
            assert [answer.result().status_code for answer in asked] == [200] * 8
    others = len(copies[1 - copies.index(first)].perceptions)
    assert 2 <= others <= 4


def test_two_versions_side_by_side_give_each_image_one_identity(copies, reasoner) -> None:
    for number, copy in enumerate(copies):
        copy.script.identity = {**IDENTITY, "fingerprint": f"f{number}", "revision": f"v{number}"}
    with (
        Service("gateway", before(urls(copies), reasoner)) as gateway,
        Service("gateway", before(urls(copies)[::-1], reasoner)) as another,
    ):
        seen: dict[int, set[str]] = {}
        for service in (gateway, another, gateway):
            for number in range(PICTURES):
                context = solve(service, number).json()["visual_context"]
                seen.setdefault(number, set()).add(context["revision"])
        again = [solve(gateway, number).json()["visual_context"]["cache"] for number in seen]
    assert {revision for revisions in seen.values() for revision in revisions} == {"v0", "v1"}
    assert all(len(revisions) == 1 for revisions in seen.values())
    assert set(again) == {"hit"}
