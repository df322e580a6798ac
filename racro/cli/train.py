"""`racro train`: captioners by supervised fine-tuning and by Caption Reward Optimization.

What can be wrong with a configuration is looked for before torch is imported, which takes seconds.
"""

import importlib
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from racro.base.wrong_settings import WrongSettingsError
from racro.cli.extras import require
from racro.cli.output import command_line, fail
from racro.cro.settings import read_settings
from racro.training.settings import CroSettings, Data, S, SftSettings
from racro.training.training_error import TrainingError

app = command_line("Train a captioner.")

# What only the extra `training` brings.
_NEEDED = ("torch", "trl", "transformers", "peft", "accelerate", "datasets", "math_verify")

Config = Annotated[Path, typer.Option(help="A TOML file; deploy/training/ has examples.")]


@app.command()
def sft(config: Config) -> None:
    """Supervised fine-tuning: on problems with captions to imitate."""
    _train("sft", config, SftSettings)


@app.command()
def cro(config: Config) -> None:
    """Caption Reward Optimization: on problems, rewarded by a reasoner's success."""
    _train("cro", config, CroSettings)


@app.command()
def verl_data(
    data: Annotated[list[Path], typer.Argument(help="Files of problems.")],
    output: Annotated[Path, typer.Option(help="Folder for train.parquet and heldout.parquet.")],
    against: Annotated[
        list[Path] | None,
        typer.Option(
            help="Evaluation set: what shows or asks the same is left out. May be given again."
        ),
    ] = None,
    heldout_share: Annotated[float, typer.Option(min=0.001, max=0.5)] = 0.01,
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    max_pixels: Annotated[
        int, typer.Option(min=28 * 28, help="Of an image as the captioner sees it.")
    ] = 1003520,
) -> None:
    """Write problems as verl reads them, for CRO on Ray clusters."""
    try:
        _check_installed()
        from racro.training.data import read_data, to_explore  # noqa: PLC0415
        from racro.training.preparation import tell_left_out  # noqa: PLC0415
        from racro.training.verl_data import write_verl  # noqa: PLC0415

        settings = Data(
            train=tuple(data),
            against=tuple(against or ()),
            heldout_share=heldout_share,
            split_seed=seed,
        )
        found = read_data(settings, to_explore)
        write_verl(found.train, output / "train.parquet", max_pixels=max_pixels)
        write_verl(found.heldout, output / "heldout.parquet", max_pixels=max_pixels)
        tell_left_out(found.left_out, output)
    except (TrainingError, WrongSettingsError, OSError) as error:
        fail(error)


def _train(method: str, config: Path, kind: type[S]) -> None:
    try:
        settings = read_settings(config, kind)
        _check_installed()
        from racro.training.data import to_explore, to_imitate  # noqa: PLC0415
        from racro.training.preparation import prepare  # noqa: PLC0415

        reader = to_imitate if method == "sft" else to_explore
        preparation = prepare(method, settings, reader)
        if preparation.run.is_finished:
            logging.getLogger("racro").info("%s is finished", preparation.run.folder)
            return
        importlib.import_module(f"racro.training.{method}").train(preparation)
    except (TrainingError, WrongSettingsError, OSError) as error:
        fail(error)


def _check_installed() -> None:
    require("train", "training", *_NEEDED)
    _set_up_output()


def _set_up_output() -> None:
    """One process speaks, however many were launched; TRL's telemetry is off unless asked for."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    first = os.environ.get("RANK", "0") == "0"
    if not first:
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    logging.getLogger("racro").setLevel(logging.INFO if first else logging.ERROR)
