"""The files in deploy/training/ are what the commands take."""

import importlib
import inspect
import tomllib
from pathlib import Path

import pytest
import yaml

from racro.cro.settings import read_settings
from racro.training.settings import CroSettings, SftSettings
from racro.training.trl_config import cro_config

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


def test_the_papers_settings_are_what_trl_computes():
    """Batch 256, 4 captions a group at temperature 1, rate 1e-6, KL 0.001, one rollout."""
    settings = read_settings(FOLDER / "racro-7b-cro.toml", CroSettings)
    on_a_cpu = {**settings.trl, "bf16": False, "activation_checkpointing": True}
    config = cro_config(settings.model_copy(update={"trl": on_a_cpu}), has_heldout=True)
    training_gpus = 4
    captions = (
        config.per_device_train_batch_size * config.gradient_accumulation_steps * training_gpus
    )
    assert captions / config.num_generations == 256
    assert config.num_generations == 4
    assert config.steps_per_generation == config.gradient_accumulation_steps
    assert (config.temperature, config.top_p, config.top_k) == (1, 1, 0)
    assert config.learning_rate == 1e-6
    assert config.weight_decay == 0
    assert (config.loss_type, config.beta) == ("grpo", 0.001)
    assert config.use_bias_correction_kl is False
    assert config.scale_rewards == "group"
    assert (config.num_iterations, config.epsilon, config.epsilon_high) == (1, 0.2, None)
    assert config.vllm_importance_sampling_mode == "token_truncate"
    assert config.log_multimodal is False
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
    actor = config["actor_rollout_ref"]["actor"]
    assert actor["kl_loss_type"] == "low_var_kl"
    assert actor["loss_agg_mode"] == "seq-mean-token-mean"
    assert actor["optim"] == {"lr": 1e-6, "weight_decay": 0}
