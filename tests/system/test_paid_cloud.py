"""A server that counts what it is asked: readiness checks do not ask it each time."""

import json
from collections.abc import Iterator

import pytest

from support import http
from support.pictures import data_url, png
from support.processes import Service, wait_until
from support.scripted import Fixed, ScriptedServer

CHECKS = 40


@pytest.fixture
def cloud() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def check_often(service: Service) -> None:
    for _ in range(CHECKS):
        assert http.get(f"{service.url}/readyz").status_code == 200


def gateway_before(captioner: ScriptedServer, cloud: ScriptedServer, **section) -> Service:
    reasoner = {"url": f"{cloud.url}/v1", "model": "scripted", **section}
    config = {"captioner": {"url": captioner.url}, "reasoners": {"default": reasoner}}
    return Service("gateway", config, env={"CLOUD_KEY": "sk-1"})


@pytest.mark.parametrize("revision", [{}, {"revision": "r1"}], ids=["asked", "set"])
def test_a_gateway(captioner, cloud, revision) -> None:
    with gateway_before(captioner, cloud, api_key_env="CLOUD_KEY", **revision) as gateway:
        check_often(gateway)
        for number in range(5):
            body = {"question": f"How high {number}?", "images": [data_url(png())]}
            assert http.post(f"{gateway.url}/v1/solve", json=body).status_code == 200
        check_often(gateway)
    assert cloud.listed == 1


def test_a_captioner(cloud) -> None:
    engine = {
        "kind": "url",
        "url": f"{cloud.url}/v1",
        "model": "scripted",
        "api_key_env": "CLOUD_KEY",
    }
    config = {"captioner": {"kind": "vlm", "engine": engine}}
    with Service("services.captioner", config, env={"CLOUD_KEY": "sk-1"}) as captioner:
        check_often(captioner)
        body = {"images": [data_url(png())]}
        assert http.post(f"{captioner.url}/v1/perceive", json=body).status_code == 200
    assert cloud.listed == 1


def test_a_reasoner(cloud) -> None:
    engine = {
        "kind": "url",
        "url": f"{cloud.url}/v1",
        "model": "scripted",
        "probe_interval_s": 600,
    }
    with Service("services.reasoner", {"engine": engine}) as reasoner:
        check_often(reasoner)
    assert cloud.listed == 1


def test_one_without_a_key_is_asked_each_time(captioner, cloud) -> None:
    with gateway_before(captioner, cloud) as gateway:
        before = cloud.listed
        check_often(gateway)
        assert cloud.listed == before + CHECKS


def listing(revision: str) -> Fixed:
    return Fixed(200, json.dumps({"data": [{"id": "scripted", "revision": revision}]}).encode())


def test_a_revision_that_is_told_is_asked_for_in_spite_of_a_key(cloud) -> None:
    """Captions of new weights must not be kept under the old revision."""
    engine = {
        "kind": "url",
        "url": f"{cloud.url}/v1",
        "model": "scripted",
        "api_key_env": "CLOUD_KEY",
        "probe_interval_s": 3600,
    }
    config = {"captioner": {"kind": "vlm", "engine": engine}}
    cloud.script.fixed = {"/v1/models": listing("old")}
    with Service("services.captioner", config, env={"CLOUD_KEY": "sk-1"}) as captioner:

        def revision() -> str:
            body = {"images": [data_url(png())]}
            return http.post(f"{captioner.url}/v1/perceive", json=body).json()["revision"]

        assert revision() == "old"
        cloud.script.fixed = {"/v1/models": listing("new")}
        wait_until(lambda: revision() == "new", what="the new revision")
