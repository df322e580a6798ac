"""One entry of the registry is all that makes an engine of a kind."""

import inspect

import pytest
from pydantic import ValidationError

from racro.base.wrong_settings import WrongSettingsError
from racro.engines.engine_sections import EngineSection, VisionSection
from racro.engines.llama import LlamaSettings, LlamaVisionSettings
from racro.engines.registry import ENGINES, create_engine
from racro.engines.vllm import VllmSettings


@pytest.mark.parametrize("kind", ENGINES)
def test_an_entry_stands_under_the_kind_of_its_settings(kind: str) -> None:
    entry = ENGINES[kind]
    for section in (entry.settings, entry.vision_settings):
        assert section.model_json_schema()["properties"]["kind"]["const"] == kind


@pytest.mark.parametrize("kind", ENGINES)
def test_the_settings_of_an_entry_tell_what_services_ask_of_them(kind: str) -> None:
    entry = ENGINES[kind]
    assert issubclass(entry.settings, EngineSection)
    assert issubclass(entry.vision_settings, VisionSection)
    # Else the first captioner with such an engine would find out.
    assert not inspect.isabstract(entry.vision_settings)


@pytest.mark.parametrize("section", ["engine", "captioner.engine"])
@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (VllmSettings(kind="vllm", model="/no/where"), "model: no folder there"),
        (LlamaVisionSettings(model_path="/nowhere.gguf"), "model_path: no GGUF file there"),
    ],
    ids=["vllm", "llama"],
)
def test_a_problem_is_told_by_its_place_in_the_services_settings(
    settings: VisionSection, problem: str, section: str
) -> None:
    with pytest.raises(WrongSettingsError) as end:
        create_engine(settings, section=section, served_name="m")
    assert end.value.problems == (f"{section}.{problem}",)


@pytest.mark.parametrize("seconds", [0, 9.9, float("inf"), float("nan")])
def test_a_restart_waits_at_least_as_long_as_readyz(seconds: float) -> None:
    with pytest.raises(ValidationError, match="restart_unanswered_after_s"):
        LlamaSettings(restart_unanswered_after_s=seconds)
    with pytest.raises(ValidationError, match="restart_unanswered_after_s"):
        VllmSettings(kind="vllm", model="m", restart_unanswered_after_s=seconds)
