"""LoRA on the dequantised weights of the reasoner that is served, on a CPU, from a seed."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from rich.progress import Progress
from torch.nn.parallel import DistributedDataParallel

from experiments.recipes.reasoner.curriculum import curriculum
from experiments.recipes.reasoner.export import Weights, export_lora
from experiments.recipes.reasoner.packing import Packed, pack
from racro.base.atomic import replacing
from racro.embedded.reasoner import ADAPTER, TRAINING

_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_WEIGHT = re.compile(r"layers\.(\d+)\.(\w+\.\w+)\.lora_([AB])\.weight$")
# Scenes on which the loss is watched; their seed is no training seed.
_WATCHED = 16
_WATCH_SEED = 10**6
_WATCH_EVERY = 100
# Scenes sorted by length at a time: those of one step are then of one length, and no worker waits.
_SORTED = 16


@dataclass(frozen=True)
class Recipe:
    """Each of the `workers` learns one scene a step; their gradients are averaged."""

    scenes: int = 2676
    workers: int = 2
    seed: int = 1
    rank: int = 16
    alpha: int = 32
    learning_rate: float = 1.5e-3
    warmup_steps: int = 20
    saved_every: int = 50

    @property
    def steps(self) -> int:
        return self.scenes // self.workers

    def rate(self, step: int) -> float:
        """Linear warm-up, then half a cosine down to a twentieth."""
        warm = min(1.0, step / self.warmup_steps)
        done = step / self.steps
        return self.learning_rate * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


def load(gguf_file: Path) -> tuple[Any, Any]:
    """(tokenizer, model) of the served weights, dequantised to float32."""
    transformers.utils.logging.disable_progress_bar()
    source = {
        "pretrained_model_name_or_path": str(gguf_file.parent),
        "gguf_file": gguf_file.name,
    }
    tokenizer = transformers.AutoTokenizer.from_pretrained(**source)
    model = transformers.AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    return tokenizer, model


def loss_of(model: Any, packed: Packed) -> torch.Tensor:
    """Mean cross entropy of the replies' tokens, each lesson seeing the caption and itself."""
    branches = torch.tensor(packed.branches)
    own = branches[:, None] == branches[None, :]
    seen = (own | (branches == 0)[None, :]).tril()
    mask = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)
    logits = model(
        input_ids=torch.tensor([packed.tokens]),
        position_ids=torch.tensor([packed.positions]),
        attention_mask=mask[None, None],
        logits_to_keep=torch.tensor(packed.predictors),
    ).logits
    return torch.nn.functional.cross_entropy(logits[0], torch.tensor(packed.targets))


def train(gguf_file: Path, recipe: Recipe, folder: Path) -> Path:
    """The adapter's path; beside it the recipe and the curve of the loss.

    What was broken off goes on from the last `saved_every` steps when it is begun again in the same
    folder, and ends with the same bytes.

    Each worker is a process with one thread and one scene of every step: threads of one process
    wait for each other at every operation, which is slow where cores are shared.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as meeting:
        torch.multiprocessing.spawn(
            _work, (gguf_file, recipe, folder, f"file://{meeting}/rendezvous"), recipe.workers
        )
    return folder / ADAPTER.name


def _work(worker: int, gguf_file: Path, recipe: Recipe, folder: Path, meeting: str) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(recipe.seed)
    torch.distributed.init_process_group(
        "gloo", init_method=meeting, rank=worker, world_size=recipe.workers
    )
    tokenizer, base = load(gguf_file)
    config = LoraConfig(r=recipe.rank, lora_alpha=recipe.alpha, target_modules=list(_MODULES))
    model = get_peft_model(base, config)

    def tokens(text: str) -> list[int]:
        found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def packed(seed: int, count: int) -> Iterator[Packed]:
        drawn = islice(curriculum(seed), count)
        while block := list(islice(drawn, _SORTED)):
            yield from sorted((pack(scene, tokens) for scene in block), key=len)

    mine = islice(packed(recipe.seed, recipe.scenes), worker, None, recipe.workers)
    watched = list(packed(_WATCH_SEED, _WATCHED)) if worker == 0 else []
    checkpoint = Checkpoint(folder / "checkpoint.pt", recipe)
    curve = _optimise(model, recipe, mine, watched, checkpoint)
    if worker == 0:
        record = {"recipe": asdict(recipe), "loss": curve}
        (folder / TRAINING.name).write_text(json.dumps(record, indent=1) + "\n")
        _export(model, recipe, folder / ADAPTER.name)
        checkpoint.forget()
    torch.distributed.destroy_process_group()


class Checkpoint:
    """Where a training stands: hours of a CPU are not to be lost."""

    def __init__(self, path: Path, recipe: Recipe) -> None:
        self._path = path
        self._recipe = asdict(recipe)

    def save(
        self,
        weights: list[torch.nn.Parameter],
        optimiser: torch.optim.Optimizer,
        step: int,
        curve: list[dict[str, float]],
    ) -> None:
        """All of it or nothing."""
        state = {
            "recipe": self._recipe,
            "step": step,
            "curve": curve,
            "weights": [weight.detach() for weight in weights],
            "optimiser": optimiser.state_dict(),
        }
        with replacing(self._path) as unfinished:
            torch.save(state, unfinished)

    def restore(
        self, weights: list[torch.nn.Parameter], optimiser: torch.optim.Optimizer
    ) -> tuple[int, list[dict[str, float]]]:
        """(steps done, curve of the loss). Raises ValueError for one of another recipe."""
        if not self._path.exists():
            return 0, []
        state = torch.load(self._path, weights_only=True)
        if state["recipe"] != self._recipe:
            raise ValueError(f"{self._path} is of another recipe: remove it to begin anew")
        with torch.no_grad():
            for weight, saved in zip(weights, state["weights"], strict=True):
                weight.copy_(saved)
        optimiser.load_state_dict(state["optimiser"])
        return state["step"], state["curve"]

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


def _optimise(
    model: PeftModel,
    recipe: Recipe,
    lessons: Iterator[Packed],
    watched: list[Packed],
    checkpoint: Checkpoint,
) -> list[dict[str, float]]:
    """Ends with the same weights in every worker; the one that watches gives back the curve."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=0)
    done, curve = checkpoint.restore(weights, optimiser)
    averaged = DistributedDataParallel(model)
    if watched and not done:
        curve = [{"step": 0, "loss": _watched_loss(model, watched)}]
    with Progress(disable=not watched) as progress:
        task = progress.add_task("training", total=recipe.steps, completed=done)
        for step, packed in enumerate(islice(lessons, done, recipe.steps), start=done + 1):
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate(step)
            loss_of(averaged, packed).backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()
            optimiser.zero_grad()
            if watched and (step % _WATCH_EVERY == 0 or step == recipe.steps):
                curve.append({"step": step, "loss": _watched_loss(model, watched)})
                progress.update(task, description=f"training, loss {curve[-1]['loss']:.3f}")
            if watched and step % recipe.saved_every == 0:
                checkpoint.save(weights, optimiser, step, curve)
            progress.advance(task)
    return curve


def _watched_loss(model: PeftModel, watched: list[Packed]) -> float:
    with torch.inference_mode():
        return round(sum(float(loss_of(model, one)) for one in watched) / len(watched), 4)


def _export(model: PeftModel, recipe: Recipe, path: Path) -> None:
    found: dict[tuple[int, str, str], Weights] = {}
    for name, weight in get_peft_model_state_dict(model).items():
        layer, module, half = _WEIGHT.search(name).groups()  # type: ignore[union-attr]
        found[int(layer), module, half] = weight.numpy()
    config = model.config
    export_lora(
        found,
        path,
        alpha=recipe.alpha,
        heads=config.num_attention_heads,
        key_value_heads=config.num_key_value_heads,
        name="RACRO compact-v1 for SmolLM2-135M-Instruct",
    )
