"""`racro train`: captioners by supervised fine-tuning and by Caption Reward Optimization.

Everything that can be wrong with a configuration is looked for before torch is imported.
"""

import importlib.util
import logging
import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from racro.training.errors import TrainingError
from racro.training.settings import CroSettings, SftSettings, read_settings

app = typer.Typer(help="Train a captioner.", no_args_is_help=True)
_errors = Console(stderr=True, soft_wrap=True)

# What only the extra `training` brings.
_NEEDED = ("torch", "trl", "transformers", "peft", "accelerate", "datasets", "math_verify")

Config = Annotated[Path, typer.Option(help="A TOML file; deploy/training/ has examples.")]


@app.command()
def sft(config: Config) -> None:
    """Supervised fine-tuning: on problems with captions to imitate."""
    try:
        settings = read_settings(config, SftSettings)
        _check_installed()
        from racro.training.data import to_imitate  # noqa: PLC0415
        from racro.training.preparation import prepare  # noqa: PLC0415

        preparation = prepare("sft", settings, to_imitate)
        if preparation.run.is_finished:
            return _say_finished(preparation.run.folder)
        from racro.training.sft import train  # noqa: PLC0415

        train(preparation)
    except (TrainingError, OSError) as error:
        _fail(error)


@app.command()
def cro(config: Config) -> None:
    """Caption Reward Optimization: on problems, rewarded by a reasoner's success."""
    try:
        settings = read_settings(config, CroSettings)
        _check_installed()
        from racro.training.data import to_explore  # noqa: PLC0415
        from racro.training.preparation import prepare  # noqa: PLC0415

        preparation = prepare("cro", settings, to_explore)
        if preparation.run.is_finished:
            return _say_finished(preparation.run.folder)
        from racro.training.cro import train  # noqa: PLC0415

        train(preparation)
    except (TrainingError, OSError) as error:
        _fail(error)


def _check_installed() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        _fail(
            f"{', '.join(missing)} not installed: `racro train` needs torch and then the extra "
            "`training`; `make .training-venv/installed` makes an environment with them"
        )
    _set_up_output()


def _set_up_output() -> None:
    """One process speaks, whoever launched how many; TRL's telemetry is off unless asked for."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    first = os.environ.get("RANK", "0") == "0"
    if not first:
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    logging.getLogger("racro").setLevel(logging.INFO if first else logging.ERROR)


def _say_finished(folder: Path) -> None:
    _errors.print(f"the training in {folder} is finished", highlight=False)


def _fail(reason: object) -> NoReturn:
    _errors.print(f"[red]error:[/] {escape(str(reason))}", highlight=False)
    raise typer.Exit(1)
