"""The files in deploy/training/ are what the commands take."""

import tomllib
from pathlib import Path

import pytest

from racro.training.settings import CroSettings, SftSettings, read_settings

FOLDER = Path(__file__).parents[2] / "deploy" / "training"
METHODS = {"racro-7b-cro.toml": CroSettings, "sft.toml": SftSettings}


def test_every_file_is_looked_at():
    assert {path.name for path in FOLDER.glob("*.toml")} == METHODS.keys()


@pytest.mark.parametrize("name", METHODS)
def test_it_parses(name):
    settings = read_settings(FOLDER / name, METHODS[name])
    # No default is repeated under another name: what a file says is what arrives.
    said = tomllib.loads((FOLDER / name).read_text())
    assert settings.model_dump(mode="json", exclude_unset=True) == said


def test_the_papers_settings():
    """Batch 256, 4 captions a group at temperature 1, rate 1e-6, KL 0.001, one rollout."""
    settings = read_settings(FOLDER / "racro-7b-cro.toml", CroSettings)
    batch = settings.batch
    training_gpus = 4
    captions = batch.per_device * batch.accumulation * training_gpus
    assert captions / batch.generations == 256
    assert batch.generations == 4
    assert settings.sampling.temperature == 1
    assert settings.optimiser.learning_rate == 1e-6
    assert settings.grpo.beta == 0.001
    assert settings.reward.rollouts == 1
    assert settings.reward.sampling.temperature == 0.6
    assert settings.reward.sampling.top_p == 0.95
    assert settings.reward.terms.leak == 0
