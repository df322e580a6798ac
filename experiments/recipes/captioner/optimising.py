"""How a small model is trained from nothing: Muon for matrices (Jordan et al. 2024), AdamW for all
else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn
from tqdm import tqdm

_RATE_OF_MATRICES, _RATE_OF_OTHERS = 0.02, 0.002
_LOGGED_STEPS = 100

Loss = Callable[[], tuple[torch.Tensor, dict[str, float]]]


@dataclass(frozen=True)
class Schedule:
    """Rates rise at the start, stay, and fall to next to nothing in the last share of the steps.

    `peak` is a share of the usual rates.
    """

    steps: int
    peak: float = 1.0
    warmup: int = 100
    decay: float = 0.4
    least: float = 0.02

    def share(self, step: int) -> float:
        warmed_up = self.peak * min(1.0, (step + 1) / self.warmup)
        return warmed_up * min(
            1.0, max(self.least, (self.steps - step) / (self.decay * self.steps))
        )


def train(
    name: str, loss: Loss, model: nn.Module, schedule: Schedule
) -> Iterator[tuple[int, dict[str, float]]]:
    """Yields (step, means of what `loss` measured since the last one) every hundred steps and at
    the end. `loss()` is of a fresh batch.
    """
    optimisers = _optimisers(model)
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimiser, schedule.share) for optimiser in optimisers
    ]
    measured: list[dict[str, float]] = []
    for step in tqdm(range(1, schedule.steps + 1), desc=name, mininterval=10):
        with torch.autocast("cpu", torch.bfloat16):
            value, measures = loss()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser, rate in zip(optimisers, schedules, strict=True):
            optimiser.step()
            optimiser.zero_grad()
            rate.step()
        measured.append(measures)
        if step % _LOGGED_STEPS == 0 or step == schedule.steps:
            names = measured[0]
            yield step, {n: sum(one[n] for one in measured) / len(measured) for n in names}
            measured = []


def _optimisers(model: nn.Module) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, weight in model.named_parameters():
        is_matrix = weight.ndim == 2 and "embed" not in name and "head" not in name
        (matrices if is_matrix else others).append(weight)
    return (
        torch.optim.Muon(
            matrices,
            lr=_RATE_OF_MATRICES,
            momentum=0.95,
            weight_decay=0.01,
            adjust_lr_fn="original",
        ),
        torch.optim.AdamW(others, lr=_RATE_OF_OTHERS, betas=(0.9, 0.98), weight_decay=0),
    )
