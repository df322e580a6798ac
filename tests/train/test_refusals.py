"""What is told before torch is imported."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from train.conftest import CAPTIONED, Training, write_config, write_lines


def refused(tmp_path: Path, method: str, settings: dict[str, Any]) -> str:
    log = Training.start(method, write_config(tmp_path / "it.toml", settings)).ends(1)
    assert "error: " in log
    assert "Traceback" not in log
    # The message is all there is: no library that comes with torch has had its say.
    return log.strip()


def test_every_wrong_field_is_named_in_one_go(tmp_path, cro):
    wrong = {**cro, "optimiser.learning_rate": 0, "batch.generations": 1, "lora.rank": 8}
    del wrong["reward.model"]
    message = refused(tmp_path, "cro", wrong)
    for field in ("optimiser.learning_rate", "batch.generations", "lora.rank", "reward.model"):
        assert f"{field}: " in message, message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"duration.epochs": 1}, "duration: Value error, give epochs or steps, one of them"),
        ({"data.heldout": ["x"], "data.heldout_share": 0.5}, "heldout and heldout_share exclude"),
        ({"grpo.beta": 0}, "grpo: Extra inputs are not permitted"),
        ({"model.path": "/no/such/model"}, "model.path: /no/such/model is no folder"),
        ({"data.train": ["/no/such/captions.jsonl"]}, "data.train: "),
        ({"model.adapter": "/nowhere"}, "model.adapter: /nowhere is no adapter"),
        ({"model.frozen": "("}, "model.frozen: Value error, is no regular expression: "),
        ({"model.frozen": ".", "lora.r": 4}, "an adapter leaves all of its base as it is"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_sft_refuses(tmp_path, sft, change, says):
    assert says in refused(tmp_path, "sft", {**sft, **change})


def test_no_toml(tmp_path):
    config = tmp_path / "it.toml"
    config.write_text("output = ")
    assert f"{config} cannot be read" in Training.start("sft", config).ends(1)


def test_an_adapter_of_another_base(tmp_path, sft, models):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": str(models / "other")})
    )
    message = refused(tmp_path, "sft", {**sft, "model.adapter": str(adapter)})
    assert f"is an adapter of {models / 'other'}, not of {models / 'base'}" in message
    message = refused(tmp_path, "sft", {**sft, "model.path": str(adapter)})
    assert "is an adapter; name its base here" in message


def test_a_base_that_is_not_what_the_adapter_was_trained_on_any_more(tmp_path, sft, models):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": str(models / "base")})
    )
    (adapter / "training.json").write_text(json.dumps({"base": {"digest": "sha256:another"}}))
    message = refused(tmp_path, "sft", {**sft, "model.adapter": str(adapter)})
    assert "is not what" in message
    assert "was trained on any more" in message


def test_a_folder_that_holds_something_else(tmp_path, sft):
    output = Path(sft["output"])
    output.mkdir()
    (output / "thesis.tex").touch()
    assert "is not empty and holds no training" in refused(tmp_path, "sft", sft)


@pytest.mark.parametrize("what", ["optimiser.learning_rate", "base.digest", "data"])
def test_a_folder_that_was_begun_with_something_else(tmp_path, sft, models, data, what):
    """The first process makes the folder before it loads torch, and is then ended."""
    sft |= {"model.path": str(shutil.copytree(models / "base", tmp_path / "base"))}
    captions = tmp_path / CAPTIONED
    shutil.copytree(data, tmp_path, dirs_exist_ok=True)
    sft |= {"data.train": [str(captions)]}
    begun = Training.start("sft", write_config(tmp_path / "begun.toml", sft))
    begun.waits_for((Path(sft["output"]) / "training.json").exists, "the training's folder")
    begun.kill()

    if what == "optimiser.learning_rate":
        sft |= {what: 0.5}
    elif what == "base.digest":
        shutil.copy(models / "other" / "model.safetensors", tmp_path / "base")
    else:
        rows = [json.loads(line) for line in captions.read_text().splitlines()]
        write_lines(captions, [{**row, "answer": "43"} for row in rows])
    message = refused(tmp_path, "sft", sft)
    assert f"was begun with {'settings.' if what[0] == 'o' else ''}{what}" in message
    assert "give this one another folder" in message


def test_no_row_is_left(tmp_path, sft, data):
    captions = write_lines(tmp_path / CAPTIONED, [{"id": "lost", "caption": "A bar."}])
    message = refused(tmp_path, "sft", {**sft, "data.train": [str(captions)]})
    assert f"no row is left to train on; {captions}: lost: " in message
