"""Tenants: who is let in, how often, and what they never see of one another."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import openai
import pytest
import yaml

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from support import http
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service, wait_until

IMAGE, ANOTHER = data_url(png()), data_url(png("another"))


class Door:
    """A gateway with a keys file, which may change."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "keys.yaml"
        self.file = KeysFile()
        self.service: Service

    def key(self, tenant: str, **limits) -> str:
        self.file, key = self.file.with_new_key(tenant, TenantRecord(**limits))
        self.file.write(self.path)
        return key

    def solve(self, key: str | None = None, **fields) -> httpx2.Response:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return self.post("/v1/solve", headers, **fields)

    def post(self, path: str, headers: dict[str, str], **fields) -> httpx2.Response:
        body = {"question": "How high?", "images": [IMAGE], "tentative": False, **fields}
        return http.post(self.service.url + path, json=body, headers=headers)


@pytest.fixture(scope="module")
def _door(_scripted_captioner, _scripted_reasoner, tmp_path_factory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("keys"))
    door.key("first")
    config = gateway_config(
        _scripted_captioner.url, _scripted_reasoner.url, tenants={"keys_file": str(door.path)}
    )
    with Service("gateway", config) as door.service:
        yield door


@pytest.fixture
def door(_door, captioner, reasoner) -> Door:
    return _door


def known(door: Door, tenant: str, **limits) -> str:
    """A new key, which the gateway has seen."""
    key = door.key(tenant, **limits)
    headers = {"authorization": f"Bearer {key}"}
    url = door.service.url + "/v1/models"
    wait_until(lambda: http.get(url, headers=headers).status_code != 401, what="the key works")
    return key


def test_without_a_key_nobody_is_let_in(door) -> None:
    for headers in (
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer rk_" + "0" * 16 + "_" + "A" * 43},
        {"authorization": "Basic YTpi"},
        {"authorization": "Bearer", "x-api-key": ""},
        {"x-api-key": "x" * 5000},
    ):
        response = door.post("/v1/solve", headers)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_api_key"
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.headers["x-should-retry"] == "false"
    assert http.get(door.service.url + "/healthz").status_code == 200


def test_both_headers_open_and_two_different_keys_do_not(door) -> None:
    one, other = known(door, "one"), known(door, "other")
    assert door.post("/v1/solve", {"x-api-key": one}).status_code == 200
    assert door.post("/v1/solve", {"authorization": f"bearer {one}"}).status_code == 200
    both = {"authorization": f"Bearer {one}", "x-api-key": one}
    assert door.post("/v1/solve", both).status_code == 200
    assert door.post("/v1/solve", {**both, "x-api-key": other}).status_code == 401
    # A proxy's own credentials are none of ours.
    proxied = {"authorization": "Basic YTpi", "x-api-key": one}
    assert door.post("/v1/solve", proxied).status_code == 200


def test_the_openai_sdk_brings_its_key(door) -> None:
    key = known(door, "sdk")
    client = openai.OpenAI(base_url=f"{door.service.url}/v1", api_key=key, max_retries=0)
    question = [{"role": "user", "content": "hello"}]
    answer = client.chat.completions.create(model="default", messages=question)
    assert answer.choices[0].message.content
    wrong = client.with_options(api_key="none")
    with pytest.raises(openai.AuthenticationError):
        wrong.chat.completions.create(model="default", messages=question)


def test_the_client_s_key_never_goes_upstream(door, captioner, reasoner) -> None:
    key = known(door, "quiet")
    door.solve(key, question="Upstream?")
    for asked in (*captioner.asked, *reasoner.asked):
        assert key not in str(asked.headers)


def test_captions_are_never_another_tenant_s(door, captioner) -> None:
    one, other = known(door, "caption-one"), known(door, "caption-other")
    first = door.solve(one, question="Whose?")
    again = door.solve(one, question="Whose?")
    theirs = door.solve(other, question="Whose?")
    assert [answer.json()["visual_context"]["cache"] for answer in (first, again, theirs)] == [
        "miss", "hit", "miss",
    ]  # fmt: skip
    assert len(captioner.perceptions) == 2
    for answer in (first, theirs):
        answer.headers.pop("x-request-id")
        answer.headers.pop("server-timing")
        answer.headers.pop("date")
        # Timings are as long as their digits.
        answer.headers.pop("content-length")
    assert first.headers == theirs.headers
    assert first.json()["usage"] == theirs.json()["usage"]


def test_a_kept_visual_context_is_its_tenant_s_own(door) -> None:
    one, other = known(door, "kept-one"), known(door, "kept-other")
    kept = http.post(
        door.service.url + "/v1/visual-contexts",
        json={"question": "How high?", "images": [IMAGE]},
        headers={"x-api-key": one},
    ).json()
    mine = door.solve(one, images=[], visual_context=kept["id"])
    assert mine.status_code == 200
    assert mine.json()["visual_context"]["caption"] == kept["visual_context"]["caption"]
    theirs = door.solve(other, images=[], visual_context=kept["id"])
    none = door.solve(other, images=[], visual_context="vc-" + "0" * 32)
    assert theirs.status_code == none.status_code == 404
    assert theirs.json() == none.json()


def test_requests_a_minute(door) -> None:
    key = known(door, "slow", requests_per_minute=5)
    answers = [door.solve(key) for _ in range(6)]
    refused = [answer for answer in answers if answer.status_code == 429]
    # One or two went into waiting for the key to be known.
    assert refused
    assert all(answer.status_code == 200 for answer in answers[:3])
    last = refused[-1]
    assert last.json()["error"]["code"] == "rate_limited"
    assert "requests_per_minute = 5" in last.json()["error"]["message"]
    assert 1 <= int(last.headers["retry-after"]) <= 120
    assert last.headers["x-ratelimit-limit-requests"] == "5"
    assert last.headers["x-ratelimit-remaining-requests"] == "0"
    assert int(answers[0].headers["x-ratelimit-remaining-requests"]) >= 2
    # The other header is no way round it.
    assert door.post("/v1/solve", {"x-api-key": key}).status_code == 429


def test_images_a_minute(door) -> None:
    key = known(door, "pictures", images_per_minute=3)
    # The same one many times over is one.
    assert door.solve(key, images=[IMAGE, ANOTHER, IMAGE]).status_code == 200
    refused = door.solve(key, images=[IMAGE, ANOTHER])
    assert refused.status_code == 429
    assert "images_per_minute = 3" in refused.json()["error"]["message"]
    assert 1 < int(refused.headers["retry-after"]) <= 60
    assert door.solve(key).status_code == 200
    more = [data_url(png(str(number))) for number in range(4)]
    never = door.solve(key, images=more)
    assert never.status_code == 400
    assert "4 images; images_per_minute = 3" in never.json()["error"]["message"]


def test_requests_at_a_time(door, reasoner) -> None:
    key = known(door, "narrow", concurrency=1)
    reasoner.script.held_at = 0
    with http.client() as client:
        body = {"question": "Slow?", "images": [IMAGE], "stream": True}
        headers = {"x-api-key": key}
        url = door.service.url + "/v1/solve"
        with client.stream("POST", url, json=body, headers=headers) as first:
            assert first.status_code == 200
            refused = door.solve(key)
            assert refused.status_code == 429
            assert "concurrency = 1" in refused.json()["error"]["message"]
            reasoner.script.held_at = None
            first.read()
    wait_until(lambda: door.solve(key).status_code == 200, what="there is room again")


def test_reasoners_that_a_tenant_may_not_ask_are_not_there(door) -> None:
    key = known(door, "blind", reasoners=("another",))
    headers = {"authorization": f"Bearer {key}"}
    assert http.get(door.service.url + "/v1/models", headers=headers).json()["data"] == []
    assert door.solve(key).json()["error"]["code"] == "unknown_model"


def test_a_revoked_key_is_refused_within_a_second_or_two(door) -> None:
    key = known(door, "gone")
    door.file = door.file.without_key(key.split("_")[1])
    door.file.write(door.path)
    wait_until(lambda: door.solve(key).status_code == 401, what="it is refused")


# Files that were changed by hand, and what the log says of them.
WRONG_FILES = {
    "tenants: [": "cannot be read",
    "tenents: {b: {}}": "tenents is unknown; did you mean tenants?",
    "owner: me": "tenants: is required",
    "tenants: {b: {reasoner: [another], request_per_minute: 1}}": "tenants.b.reasoner is unknown",
}


@pytest.mark.parametrize(("text", "named"), WRONG_FILES.items())
def test_a_broken_file_locks_nobody_out(door, text, named) -> None:
    key = known(door, "steady")
    door.path.write_text(text)

    def said() -> bool:
        door.solve(key)
        left = "the keys file is left as it was"
        return any(left in line and named in line for line in door.service.log().splitlines())

    wait_until(said, what="the log says it")
    assert door.solve(key).status_code == 200
    checks = http.get(f"{door.service.url}/readyz").json()["checks"]
    assert checks["keys"] == "cannot be read; those of before are good"
    door.file.write(door.path)
    wait_until(
        lambda: http.get(f"{door.service.url}/readyz").json()["checks"]["keys"] == "ok",
        what="the file is whole again",
    )


def test_further_fields_are_taken_with_a_warning(door) -> None:
    key = known(door, "further")
    there = yaml.safe_load(door.path.read_text())
    there["tenants"]["further"] |= {"zones": ["eu"], "concurrency": 7}
    door.path.write_text(yaml.safe_dump(there))
    warning = "tenants.further.zones is unknown: this version ignores it"

    def said() -> bool:
        return door.solve(key).status_code == 200 and warning in door.service.log()

    wait_until(said, what="the changed file is read")
    door.file.write(door.path)


def keys(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "racro.cli", "keys", *arguments]
    return subprocess.run(
        [*command, "--file", folder / "keys.yaml"], capture_output=True, text=True, check=False
    )


def test_keys_are_made_listed_and_revoked_on_the_command_line(tmp_path) -> None:
    made = keys(tmp_path, "new", "acme", "--requests-per-minute", "60", "--reasoner", "default")
    key = made.stdout.strip()
    identifier = key.split("_")[1]
    assert KeysFile.read(tmp_path / "keys.yaml").tenant_of(key) == "acme"
    again = keys(tmp_path, "new", "acme", "--requests-per-minute", "0", "--concurrency", "2")
    acme = KeysFile.read(tmp_path / "keys.yaml").tenants["acme"]
    assert (acme.requests_per_minute, acme.concurrency, acme.reasoners) == (None, 2, ("default",))
    assert len(acme.keys) == 2
    listed = keys(tmp_path, "list").stdout
    assert identifier in listed
    assert again.stdout.strip() not in listed
    assert keys(tmp_path, "revoke", key).returncode == 0
    assert KeysFile.read(tmp_path / "keys.yaml").tenant_of(key) is None
    gone = keys(tmp_path, "revoke", identifier)
    assert (gone.returncode, identifier in gone.stderr) == (1, True)


def test_keys_that_are_made_at_once_are_all_there(tmp_path) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = [*pool.map(lambda number: keys(tmp_path, "new", f"t{number % 2}"), range(6))]
    file = KeysFile.read(tmp_path / "keys.yaml")
    assert [file.tenant_of(one.stdout.strip()) for one in made] == ["t0", "t1"] * 3


@pytest.mark.parametrize("name", ["Acme", "a b", "[/]", ""])
def test_a_tenant_needs_a_plain_name(tmp_path, name) -> None:
    refused = keys(tmp_path, "new", name)
    assert refused.returncode == 1
    assert "a tenant's name is of" in refused.stderr
    assert not (tmp_path / "keys.yaml").exists()


def test_a_gateway_boots_with_further_fields_but_not_with_misspelt_ones(
    tmp_path, captioner, reasoner
) -> None:
    path = tmp_path / "keys.yaml"
    config = gateway_config(captioner.url, reasoner.url, tenants={"keys_file": str(path)})
    path.write_text("owner: me\ntenants: {b: {zones: [eu]}}")
    with Service("gateway", config) as gateway:
        for field in ("owner", "tenants.b.zones"):
            assert f"{field} is unknown: this version ignores it" in gateway.log()
    for text, named in WRONG_FILES.items():
        path.write_text(text)
        ended = _boot(tmp_path, config)
        assert ended.returncode == 1
        assert named in ended.stderr


def _boot(folder: Path, config: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """Start a gateway that is expected to end at once."""
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(config))
    return subprocess.run(
        [sys.executable, "-m", "gateway"],
        env={**os.environ, "RACRO_CONFIG": str(path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"host": "0.0.0.0"}, "tenants.keys_file: needed with host 0.0.0.0"),
        ({"tenants": {"keys_file": "/nowhere/keys.yaml"}}, "tenants.keys_file: /nowhere"),
        (
            {"tenants": {"keys_file": "keys.yaml"}, "cache": {"url": "redis://127.0.0.1:1/0"}},
            "tenants.secret_env: needed where tenants share a Redis",
        ),
        ({"tenants": {"secret_env": "NOT_SET"}}, "environment variable NOT_SET is not set"),
        ({"cache": {"url": "http://redis"}}, "cache.url"),
    ],
    ids=str,
)
def test_a_setting_that_would_let_anybody_in_stops_the_boot(tmp_path, config, says) -> None:
    ended = _boot(tmp_path, config)
    assert ended.returncode == 1
    assert says in ended.stderr
