"""What 0.1 cached is found, and its settings and keys files boot (tests/compatibility)."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import gateway_config
from gateway.settings import GatewaySettings
from racro.servekit.settings import CONFIG_VARIABLE, ServiceSettings
from services.captioner.settings import CaptionerSettings
from services.reasoner.settings import ReasonerSettings
from support import http
from support.processes import Service
from support.redis import RedisServer
from support.scripted import ScriptedServer

# Of 0.2, whose captioners prepare images in another way, and whose OCR tells screens by blocks.
NEW = {
    "ocr": {
        "prompt_profile": "linked-2",
        "fingerprint": "7725e2b06b246b6608c4779a5a3b77e7d764aa99bd1d4322cf3d1865947a9a0c",
    },
    "llama": {
        "fingerprint": "a6c634d2dc94bc444263f303a4960f4c35908d9a6ad1b2ad24eff4bd20c61a7b",
    },
}
OLD = Path(__file__).parents[1] / "compatibility/0.1"
RECORD = json.loads((OLD / "captions.json").read_text())
SETTINGS: dict[str, type[ServiceSettings]] = {
    "gateway": GatewaySettings,
    "captioner": CaptionerSettings,
    "reasoner": ReasonerSettings,
}


@pytest.fixture
def old_redis() -> Iterator[RedisServer]:
    """A Redis that holds what gateways of 0.1 stored."""
    with RedisServer() as redis:
        for key, value in RECORD["redis"].items():
            redis.client.set(key, base64.b64decode(value))
        yield redis


@pytest.mark.parametrize("tenants", [False, True])
def test_cached_captions_are_found(
    captioner: ScriptedServer, reasoner: ScriptedServer, old_redis: RedisServer, tenants: bool
) -> None:
    config: dict[str, Any] = gateway_config(
        captioner.url, reasoner.url, cache={"url": old_redis.url}
    )
    if tenants:
        config["tenants"] = {"keys_file": str(OLD / "keys.yaml"), "secret_env": "SECRET"}
    with Service("gateway", config, env={"SECRET": RECORD["secret"]}) as gateway:
        for request in RECORD["requests"]:
            answer = http.post(
                f"{gateway.url}/v1/solve",
                json=request,
                headers={"authorization": f"Bearer {RECORD['api_key']}"},
            )
            assert answer.status_code == 200, answer.text
            assert answer.json()["visual_context"]["cache"] == "hit"
    assert captioner.perceptions == []


def test_the_captioners_caption_as_the_changelog_says(
    ocr_captioner: Service, llama_captioner: Service
) -> None:
    """Another fingerprint makes every cached caption a miss: CHANGELOG says so first."""
    for name, service in (("ocr", ocr_captioner), ("llama", llama_captioner)):
        identity = http.get(f"{service.url}/v1/identity").json()
        assert identity == RECORD["identities"][name] | NEW[name]


@pytest.mark.parametrize(
    "path", sorted((OLD / "settings").glob("*.yaml")), ids=lambda path: path.stem
)
def test_settings_are_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONFIG_VARIABLE, str(path))
    SETTINGS[path.stem.rpartition("-")[2]].read()
