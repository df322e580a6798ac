"""Every profile of deploy/profiles is one that the services take, and its arithmetic is right."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import GatewaySettings
from racro.engines.vllm import VllmSettings
from racro.servekit.settings import CONFIG_VARIABLE, ServiceSettings
from services.captioner.settings import CaptionerSettings, VlmSettings
from services.reasoner.settings import ReasonerSettings

PROFILES = sorted((Path(__file__).parents[3] / "deploy/profiles").iterdir())
SETTINGS: dict[str, type[ServiceSettings]] = {
    "captioner": CaptionerSettings,
    "reasoner": ReasonerSettings,
    "gateway": GatewaySettings,
}
ON_GPUS = [profile for profile in PROFILES if profile.name != "elsewhere"]
by_name = {"ids": lambda value: value.name if isinstance(value, Path) else value}
# Bytes of one token's keys and values: layers, heads, their width, two of 16 bits.
KV_BYTES = {
    "KaiChen1998/RACRO-7B-CRO-GRPO": 28 * 4 * 128 * 4,
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B": 28 * 4 * 128 * 4,
    "Qwen/Qwen2.5-VL-3B-Instruct": 36 * 2 * 128 * 4,
    "Qwen/Qwen3-8B": 36 * 8 * 128 * 4,
    "Qwen/Qwen3-8B-AWQ": 36 * 8 * 128 * 4,
    "Qwen/Qwen2.5-VL-32B-Instruct": 64 * 8 * 128 * 4,
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B": 64 * 8 * 128 * 4,
}
# Tokens of a prompt's own words and a long question.
PROMPT_TEXT = 500
ARITHMETIC = re.compile(
    r"(?P<share>[\d.]+) of (?:(?P<gpus>\d) × )?(?P<each>\d+) GiB = (?P<total>[\d.]+): "
    r"weights (?P<weights>[\d.]+) .*about (?P<activations>[\d.]+), "
    r"KV cache (?P<cache>[\d.]+): (?P<tokens>[\d,]+) tokens of (?P<kib>\d+) KiB"
)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch):
    def settings(profile: Path, service: str) -> Any:
        monkeypatch.setenv(CONFIG_VARIABLE, str(profile / f"{service}.yaml"))
        return SETTINGS[service].read()

    return settings


def engines(profile: Path, read) -> dict[str, VllmSettings]:
    captioner = read(profile, "captioner").captioner
    assert isinstance(captioner, VlmSettings)
    found = {"captioner": captioner.engine, "reasoner": read(profile, "reasoner").engine}
    assert all(isinstance(engine, VllmSettings) for engine in found.values())
    return found


@pytest.mark.parametrize("profile", PROFILES, **by_name)
def test_each_file_parses(profile: Path, read) -> None:
    files = sorted(profile.glob("*.yaml"))
    assert {"captioner.yaml", "gateway.yaml"} <= {path.name for path in files}
    for path in files:
        read(profile, path.stem)


@pytest.mark.parametrize("profile", ON_GPUS, **by_name)
def test_the_gateway_asks_what_there_is(profile: Path, read) -> None:
    gateway, reasoner = read(profile, "gateway"), read(profile, "reasoner")
    [section] = gateway.reasoners.values()
    assert section.model == reasoner.model
    assert section.context_tokens == reasoner.engine.context_tokens
    assert section.visual_budget_tokens + section.sampling.max_tokens <= section.context_tokens
    captioner = read(profile, "captioner").captioner
    assert gateway.captioner.max_tokens == captioner.max_tokens < captioner.engine.context_tokens


@pytest.mark.parametrize("profile", ON_GPUS, **by_name)
def test_as_many_images_as_are_allowed_fit_beside_a_caption(profile: Path, read) -> None:
    captioner = read(profile, "captioner").captioner
    engine = captioner.engine
    tokens_per_image = captioner.max_pixels / captioner.side_multiple**2
    prompt = engine.context_tokens - captioner.max_tokens
    assert engine.images_per_prompt * tokens_per_image + PROMPT_TEXT <= prompt


@pytest.mark.parametrize("profile", ON_GPUS, **by_name)
def test_no_gpu_is_given_away_twice(profile: Path, read) -> None:
    lines = (profile / "compose.env").read_text().splitlines()
    env = dict(line.split("=") for line in lines if not line.startswith("#"))
    assert env["PROFILE"] == profile.name
    taken: dict[str, float] = defaultdict(float)
    for service, engine in engines(profile, read).items():
        gpus = env[f"{service.upper()}_GPUS"].split(",")
        assert len(gpus) == engine.tensor_parallel
        for gpu in gpus:
            taken[gpu] += engine.gpu_memory
    assert max(taken.values()) <= 0.95


@pytest.mark.parametrize("profile", ON_GPUS, **by_name)
@pytest.mark.parametrize("service", ["captioner", "reasoner"])
def test_the_arithmetic_beside_it(profile: Path, service: str, read) -> None:
    engine = engines(profile, read)[service]
    text = (profile / f"{service}.yaml").read_text().replace("\n# ", " ")
    said = ARITHMETIC.search(text)
    assert said is not None
    number = {
        name: float((value or "1").replace(",", "")) for name, value in said.groupdict().items()
    }
    assert number["share"] == engine.gpu_memory
    assert number["gpus"] == engine.tensor_parallel
    total = number["share"] * number["gpus"] * number["each"]
    assert number["total"] == pytest.approx(total, abs=0.6)
    rest = total - number["weights"] - number["activations"]
    assert number["cache"] == pytest.approx(rest, abs=1)
    assert number["kib"] == KV_BYTES[engine.model] / 2**10
    assert number["tokens"] == pytest.approx(number["cache"] * 2**20 / number["kib"], rel=0.05)
    assert engine.context_tokens is not None
    assert number["tokens"] >= engine.context_tokens
