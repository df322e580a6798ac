"""What can be typed after `racro`. A command is imported when it is called: help need not wait."""

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from racro import __version__
from racro.cli.signals import interrupts_are_raised

# The first sentence of each command's own help; the command is `racro.cli.<name>`.
SUMMARIES = {
    "up": "Run captioner, reasoner and gateway on this machine until Ctrl-C.",
    "solve": "Answer a question about images, shown as it comes.",
    "models": "List the reasoners of a gateway, by the names to use as --model.",
    "doctor": "Check a gateway and all that is behind it, and say what to do.",
    "connect": "Print or write the settings that make a client ask the gateway.",
    "demo": "Start everything, answer the example questions, end everything.",
    "keys": "Make, list and revoke API keys.",
    "cache": "Count and purge cached captions. Settings are the gateway's: RACRO_CONFIG.",
    "usage": "Show what each tenant used: requests, tokens, images.",
    "eval": "Measure a running gateway on a benchmark.",
    "train": "Train a captioner.",
}
# The gateway's image, where operators run `racro keys`, has neither.
_PACKAGES = {"eval": "racro.evaluation", "train": "racro.training"}


class _Commands(TyperGroup):
    """Its commands are summaries alone, until one is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        name, summary, rest = super().resolve_command(ctx, args)
        if name is None or summary is None:
            return name, summary, rest
        command = imported(name)
        interrupts_are_raised()
        return name, command, rest


def imported(name: str) -> Any:
    """The command of that name, with its options and all commands below it."""
    return get_command(import_module(f"racro.cli.{name}").app)


app = typer.Typer(
    cls=_Commands,
    help="Eyes for any text-only reasoner.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"racro {__version__}")
        raise typer.Exit


@app.callback()
def _racro(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None: ...


def _imported_when_called() -> None: ...


for _name, _summary in SUMMARIES.items():
    if _name not in _PACKAGES or find_spec(_PACKAGES[_name]):
        app.command(_name, help=_summary)(_imported_when_called)
