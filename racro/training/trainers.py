"""TRL's trainers, less what they would spoil: they stop at a loss that is no number and at a
checkpoint that cannot be saved, and go on from all of a checkpoint.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import is_peft_model
from torch.utils.data import Sampler
from transformers import AutoModelForImageTextToText
from trl import GRPOTrainer, SFTTrainer
from trl.trainer.utils import RepeatSampler

from racro.training.saving import saving
from racro.training.training_error import NO_REWARD, Stopped


class _StepOverrides:
    """Mixed into a trainer. Overrides what transformers 5.23 calls within a step."""

    args: Any
    model: Any
    state: Any
    is_fsdp_enabled: bool

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        loss: torch.Tensor = super().training_step(*args, **kwargs)  # type: ignore[misc]
        if not torch.isfinite(loss).all():
            raise Stopped(f"the loss is {loss.item()} in step {self.state.global_step + 1}")
        return loss

    def _get_grad_norm(self, *args: Any, **kwargs: Any) -> float | None:
        """Called after the gradients are summed up and before the optimiser uses them."""
        norm: float | None = super()._get_grad_norm(*args, **kwargs)  # type: ignore[misc]
        if norm is not None and not math.isfinite(norm):
            raise Stopped(f"the gradient is {norm} in step {self.state.global_step + 1}")
        return norm

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        with saving(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"):
            super()._save_checkpoint(*args, **kwargs)  # type: ignore[misc]

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """transformers 5.23 takes tensors by their names on the disk, warns of those that the model
        does not have, and goes on: of a Qwen2.5-VL it loads next to nothing but the last layer.
        FSDP's are loaded by accelerate; DeepSpeed has checkpoints of its own and doesn't come here.
        """
        model = model or self.model
        if is_peft_model(model) or self.is_fsdp_enabled:
            super()._load_from_checkpoint(resume_from_checkpoint, model)  # type: ignore[misc]
            return
        saved = AutoModelForImageTextToText.from_pretrained(
            resume_from_checkpoint, dtype=model.dtype
        )
        model.load_state_dict(saved.state_dict())

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Ours is written when all is done."""


class CaptionSFTTrainer(_StepOverrides, SFTTrainer):  # type: ignore[misc]  # TRL is untyped
    """On captions to imitate."""


class CaptionGRPOTrainer(_StepOverrides, GRPOTrainer):  # type: ignore[misc]
    """On captions of its own, rewarded."""

    def _get_train_sampler(self, dataset: Any = None) -> Sampler:
        return _AnewEachEpoch(super()._get_train_sampler(dataset), self)

    def _calculate_rewards(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Of all processes, those of a whole step; TRL would learn nothing from it and go on."""
        rewards: torch.Tensor = super()._calculate_rewards(*args, **kwargs)
        if self.model.training and rewards.isnan().all():
            raise Stopped(
                f"no caption of step {self.state.global_step + 1} was rewarded: {NO_REWARD}"
            )
        return rewards


class _AnewEachEpoch(Sampler):  # type: ignore[misc]
    """TRL seeds its RepeatSampler once, so the order of an epoch depends on the epochs that the
    process has begun before it: after a resumption it would be another.
    """

    def __init__(self, sampler: RepeatSampler, trainer: GRPOTrainer) -> None:
        self._sampler = sampler
        self._trainer = trainer

    def __iter__(self) -> Iterator[int]:
        if self._sampler.shuffle:
            epoch = int(self._trainer.state.epoch or 0)
            self._sampler.generator.manual_seed(self._sampler.seed + epoch)
        return iter(self._sampler)

    def __len__(self) -> int:
        return len(self._sampler)
