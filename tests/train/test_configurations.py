"""The files in deploy/training/ are what the commands take."""

import importlib
import inspect
import tomllib
from pathlib import Path

import pytest
import yaml

from racro.cro.settings import read_settings
from racro.training.settings import CroSettings, SftSettings

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


def test_verl_finds_the_reward_that_its_file_names():
    config = yaml.safe_load((FOLDER / "verl-cro.yaml").read_text())
    function = config["reward"]["custom_reward_function"]
    module = importlib.import_module(function["path"].removeprefix("pkg://"))
    compute_score = getattr(module, function["name"])
    # verl awaits it where it says so, and calls it by these names.
    assert inspect.iscoroutinefunction(compute_score)
    verls = {"data_source", "solution_str", "ground_truth", "extra_info"}
    assert verls <= inspect.signature(compute_score).parameters.keys()
    # Its other manager turns errors into rewards of 0.
    assert config["reward"]["reward_manager"]["name"] == "naive"
    assert config["data"]["train_batch_size"] == 256
    assert config["actor_rollout_ref"]["rollout"]["n"] == 4
    assert config["actor_rollout_ref"]["actor"]["kl_loss_type"] == "low_var_kl"
