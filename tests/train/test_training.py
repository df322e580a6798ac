"""Trainings of two or three steps, as users start them. A run costs ten seconds of a core: each
answers several questions.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from support.scripted import Script
from train.conftest import CAPTIONED, Training, draw_bar, write_config, write_lines

WEIGHTS = "model.safetensors"
ADAPTER = "adapter_model.safetensors"


def train(method: str, settings: dict[str, Any], *, processes: int = 1) -> Training:
    config = Path(settings["output"]).with_suffix(".toml")
    return Training.start(method, write_config(config, settings), processes=processes)


def by_parity(asked: Any) -> Script | None:
    """A reward that depends on the caption alone: half of all captions let it answer rightly."""
    caption = asked["messages"][-1]["content"]
    return None if sum(caption.encode()) % 2 else Script(texts=["\\boxed{0}"])


def share(chats: list[Any]) -> float:
    """Of captions that were answered rightly."""
    return sum(by_parity(chat.json) is None for chat in chats) / len(chats)


def measured(output: Path, name: str) -> dict[int, float]:
    entries = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    return {entry["step"]: entry[name] for entry in entries if name in entry}


def test_an_adapter_by_sft_then_cro_from_it_each_with_two_processes(sft, cro, reasoner, models):
    sft |= {"lora.r": 4, "data.heldout_share": 0.25, "evaluation.every": 1}
    log = train("sft", sft, processes=2).ends()
    output = Path(sft["output"])
    assert list(measured(output, "loss")) == list(measured(output, "eval_loss")) == [1, 2]
    assert log.count("rows to train on") == 1, "one process speaks"
    for folder in ("final", "best"):
        adapter = json.loads((output / folder / "adapter_config.json").read_text())
        assert adapter["base_model_name_or_path"] == str(models / "base")
        assert (output / folder / "tokenizer.json").exists()
        assert (output / folder / "preprocessor_config.json").exists()
    assert (output / "loss.png").exists()

    reasoner.script.respond = by_parity
    cro |= {"model.adapter": str(output / "final"), "data.heldout_share": 0.25}
    cro |= {"evaluation.every": 1, "duration.steps": 2}
    train("cro", cro, processes=2).ends()
    output = Path(cro["output"])
    rewards, heldout = measured(output, "reward"), measured(output, "eval_reward")
    assert list(rewards) == list(heldout) == [1, 2]
    # In turn: four captions of each process for a step, then one of each held-out row, in one batch
    # of each process.
    chats = reasoner.chats
    asked = (len(chats) - 16) // 2
    first, second = 8 + asked, 16 + asked
    assert 0 < asked <= 8
    assert rewards == {1: share(chats[:8]), 2: share(chats[first:second])}
    assert heldout == pytest.approx({1: share(chats[8:first]), 2: share(chats[second:])})
    best = json.loads((output / "best" / "training.json").read_text())
    assert best["processes"] == 2
    assert best["eval_reward"] == max(heldout.values())
    assert heldout[best["step"]] == best["eval_reward"]
    before = load_file(Path(cro["model.adapter"]) / ADAPTER)
    after = load_file(output / "final" / ADAPTER)
    assert before.keys() == after.keys()
    assert any(np.any(before[name] != after[name]) for name in before)
    card = (output / "README.md").read_text()
    assert str(models / "base") in card
    assert f"held-out reward {best['eval_reward']:.4g}" in card
    assert (output / "reward.png").exists()
    # The reasoner never sees an image or its tag.
    told = [json.dumps(chat.json) for chat in chats]
    assert not [chat for chat in told if "<image>" in chat or "image_pad" in chat]


def test_frozen_weights_stay_as_they_are(sft):
    frozen = r"model\.(visual|language_model\.embed_tokens)\..*"
    sft |= {"model.frozen": frozen, "trl.gradient_checkpointing": True, "duration.steps": 1}
    train("sft", sft).ends()
    before = load_file(Path(sft["model.path"]) / WEIGHTS)
    after = load_file(Path(sft["output"]) / "final" / WEIGHTS)
    same = {name for name in before if np.array_equal(before[name], after[name])}
    assert same == {name for name in before if "visual." in name or "embed_tokens" in name}


def test_a_frozen_part_that_the_model_does_not_have(sft):
    message = train("sft", {**sft, "model.frozen": "visual"}).ends(1)
    assert "model.frozen: 'visual' matches none of the weights (" in message
    assert "Traceback" not in message


def test_disk_full_then_killed_while_saving_then_as_if_nothing_had_been(
    tmp_path, cro, reasoner, running
):
    # Two steps are an epoch: the third is resumed into the second one.
    cro |= {"duration.steps": 3, "data.limit": 4}

    def traps(kind: str, step: int):
        """While the reasoner is asked in this step, its checkpoint gets a file with a catch."""
        chats_before = len(reasoner.chats)
        trap = Path(cro["output"]) / f"checkpoint-{step}" / "trainer_state.json"

        def respond(asked: Any) -> Script | None:
            begun = (len(reasoner.chats) - chats_before - 1) // 4
            if begun == 1 and not os.path.lexists(trap):
                trap.parent.mkdir()
                trap.symlink_to("/dev/full") if kind == "full" else os.mkfifo(trap)
            return by_parity(asked)

        return respond

    reasoner.script.respond = traps("full", 2)
    log = train("cro", cro).ends(1)
    assert "checkpoint-2 cannot be saved: [Errno 28] No space left on device" in log
    checkpoints = {path.name for path in Path(cro["output"]).glob("checkpoint-*")}
    assert checkpoints == {"checkpoint-1"}

    reasoner.script.respond = traps("fifo", 3)
    halted = train("cro", cro)
    running.append(halted)
    unfinished = Path(cro["output"]) / "checkpoint-3"
    halted.waits_for((unfinished / "optimizer.pt").exists, "the checkpoint that is being saved")
    halted.waits_for((unfinished / "rng_state.pth").exists, "the checkpoint that is being saved")
    halted.kill()
    assert "going on from step 1" in halted.log

    reasoner.script.respond = by_parity
    assert "going on from step 2" in train("cro", cro).ends()

    # The same without a break, but for a reasoner that is away at first.
    unbroken = {**cro, "output": str(tmp_path / "unbroken")}
    reasoner.reset()
    reasoner.script.respond = lambda asked: (
        Script(status=503, plain={}) if len(reasoner.chats) < 6 else by_parity(asked)
    )
    train("cro", unbroken).ends()
    broken, whole = (load_file(Path(one["output"]) / "final" / WEIGHTS) for one in (cro, unbroken))
    assert broken.keys() == whole.keys()
    for name in whole:
        np.testing.assert_array_equal(broken[name], whole[name], err_msg=name)
    first = load_file(Path(cro["model.path"]) / WEIGHTS)
    assert any(np.any(first[name] != whole[name]) for name in whole)
    assert "is finished" in train("cro", unbroken).ends()
    for name in ("reward", "loss", "kl"):
        broken, whole = (measured(Path(one["output"]), name) for one in (cro, unbroken))
        assert broken == whole
        assert list(whole) == [1, 2, 3]


def test_a_reasoner_that_stays_away_stops_it_before_a_step_without_rewards_is_kept(cro, reasoner):
    """From the second step on, for longer than the reward is patient."""
    reasoner.script.respond = lambda asked: (
        Script(status=503, plain={}) if len(reasoner.chats) > 4 else by_parity(asked)
    )
    log = train("cro", {**cro, "reward.patience_s": 0}).ends(1)
    assert "no caption of step 2 was rewarded: the reasoner stayed away" in log
    output = Path(cro["output"])
    assert [path.name for path in output.glob("checkpoint-*")] == ["checkpoint-1"]
    assert list(measured(output, "reward")) == [1]


def test_a_loss_that_is_no_number_stops_after_misfits_were_named(tmp_path, sft, data):
    rows = [draw_bar(tmp_path, number) for number in range(8)]
    rows[1]["caption"] = " "
    rows[2]["images"] = ["nowhere.png"]
    (tmp_path / "3.png").write_bytes(b"\x89PNG no more")
    rows[4]["caption"] = "word " * 100
    rows[5]["question"] = "What about this? " * 20
    captions = write_lines(tmp_path / CAPTIONED, rows)
    sft |= {"data.train": [str(captions)], "duration.steps": 4, "optimiser.learning_rate": 1e30}
    sft |= {"length.completion": 100, "length.prompt": 120, "checkpoints.every": 10}
    log = train("sft", sft).ends(1)
    assert "5 rows do not fit and are left out" in log
    for row, reason in {
        "bar1": "the caption is empty",
        "bar2": "nowhere.png",
        "bar3": "image 1",
        "bar4": "more than length.completion",
        "bar5": "more than length.prompt",
    }.items():
        assert any(row in line and reason in line for line in log.splitlines()), (row, log)
    assert "error: the loss is nan in step 2" in log
    assert not (Path(sft["output"]) / "final").exists()


def test_fields_that_trl_does_not_know_are_refused_before_the_model_is_loaded(sft):
    log = train("sft", {**sft, "trl.nonsense": 1, "trl.seed": 3}).ends(1)
    assert "trl.nonsense: TRL's SFTConfig has no such field" in log
    assert "trl.seed: another field of this file sets it" in log
    assert "Loading weights" not in log
