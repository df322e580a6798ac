"""What is noted while a training runs. Each works in every process and writes in the first."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from racro.base.atomic import replace_folder, unfinished_beside
from racro.training.run_folder import mark_complete, write_record
from racro.training.saving import saving
from racro.training.training_error import NO_REWARD, Stopped

METRICS = "metrics.jsonl"
BEST = "best"


class WholeCheckpoints(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """A checkpoint is whole when every process has written its part of it."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def on_save(self, args: TrainingArguments, state: TrainerState, _: Any, **__: Any) -> None:
        self._trainer.accelerator.wait_for_everyone()
        if state.is_world_process_zero:
            mark_complete(Path(args.output_dir) / f"checkpoint-{state.global_step}")


class MetricsFile(TrainerCallback):  # type: ignore[misc]
    """metrics.jsonl. After a resumption it begins with what the checkpoint knows."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, _: Any, **__: Any
    ) -> None:
        if state.is_world_process_zero:
            lines = (json.dumps(entry) + "\n" for entry in state.log_history)
            (Path(args.output_dir) / METRICS).write_text("".join(lines), encoding="utf-8")

    def on_log(self, args: TrainingArguments, state: TrainerState, _: Any, **__: Any) -> None:
        if state.is_world_process_zero:
            with (Path(args.output_dir) / METRICS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(state.log_history[-1]) + "\n")


class HeldoutRewardsMissing(TrainerCallback):  # type: ignore[misc]
    """TRL would go on where no held-out caption was rewarded at all, and nothing would be best."""

    def on_log(
        self,
        _: TrainingArguments,
        state: TrainerState,
        __: TrainerControl,
        logs: Mapping[str, Any],
        **___: Any,
    ) -> None:
        if "eval_reward" in logs and logs["eval_reward"] is None:
            raise Stopped(
                f"no held-out caption was rewarded after step {state.global_step}: {NO_REWARD}"
            )


class Best(TrainerCallback):  # type: ignore[misc]
    """The weights with the best held-out value so far, in best/."""

    def __init__(
        self, trainer: Trainer, record: Mapping[str, Any], *, metric: str, highest: bool
    ) -> None:
        self._trainer = trainer
        self._record = record
        self._metric = metric
        self._sign = 1 if highest else -1

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        _: TrainerControl,
        metrics: Mapping[str, Any],
        **__: Any,
    ) -> None:
        value = metrics[self._metric]
        if self._is_best(value, state):
            folder = Path(args.output_dir) / BEST
            note = {"step": state.global_step, self._metric: value}
            save_model(self._trainer, folder, {**self._record, **note})

    def _is_best(self, value: float, state: TrainerState) -> bool:
        """Earlier values are in the history, which checkpoints keep; the last one there is this."""
        earlier = (entry[self._metric] for entry in state.log_history[:-1] if self._metric in entry)
        return all(self._sign * value > self._sign * other for other in earlier)


def save_model(trainer: Trainer, folder: Path, record: Mapping[str, Any]) -> None:
    """Weights or adapter, processor and record; `folder` is replaced when all of it is there, and
    what was there before is `<folder>.old` for that moment.

    Raises Stopped.
    """
    unfinished = unfinished_beside(folder)
    first: bool = trainer.is_world_process_zero()
    if first:
        shutil.rmtree(unfinished, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    with saving(unfinished):
        trainer.save_model(str(unfinished))
        trainer.accelerator.wait_for_everyone()
        if first:
            # PEFT's card is a form to fill in; `ref` is what TRL measures the KL divergence from.
            (unfinished / "README.md").unlink(missing_ok=True)
            shutil.rmtree(unfinished / "ref", ignore_errors=True)
            write_record(unfinished, record)
            replace_folder(unfinished, folder)
