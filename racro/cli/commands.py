"""What can be typed after `racro`."""

import json
import signal
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.syntax import Syntax

from racro.cli import cache, keys
from racro.cli.client import SolveError, image_argument, solve_events
from racro.cli.demo import EXAMPLES, answered, right_answers, run_examples, table_of
from racro.cli.stack import EmbeddedCaptioner, Ports, Stack, StackError, embedded_default
from racro.servekit.settings import KEY_VARIABLE

app = typer.Typer(
    help="Eyes for any text-only reasoner.", no_args_is_help=True, add_completion=False
)
app.add_typer(keys.app, name="keys")
app.add_typer(cache.app, name="cache")
for name, package in (("eval", "racro.evaluation"), ("train", "racro.training")):
    # The gateway's image, where operators run `racro keys`, has neither.
    if find_spec(package) is not None:
        app.add_typer(import_module(f"racro.cli.{name}").app, name=name)
# A log or a pipe has no width of its own, and 80 columns are too few for the demo's table.
_console = Console(width=None if sys.stdout.isatty() else 120)
_errors = Console(stderr=True)

_SNIPPETS = """\
curl -s {url}/v1/solve -F image=@examples/receipt.png -F question="What is the total?"

from openai import OpenAI
client = OpenAI(base_url="{url}/v1", api_key="none")
image = {{"type": "image_url", "image_url": {{"url": "data:image/png;base64,…"}}}}
text = {{"type": "text", "text": "What is the total?"}}
answer = client.chat.completions.create(
    model="default", messages=[{{"role": "user", "content": [image, text]}}]
)
"""


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Port of the gateway.")] = 8000,
    captioner_port: Annotated[int, typer.Option(help="Port of the captioner.")] = 8001,
    reasoner_port: Annotated[int, typer.Option(help="Port of the reasoner.")] = 8002,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="Choose ports that are free.")
    ] = False,
    captioner: Annotated[
        EmbeddedCaptioner,
        typer.Option(help="What captions: OCR, or the small model that learnt from drawings."),
    ] = "ocr",
) -> None:
    """Run captioner, reasoner and gateway on this machine until Ctrl-C."""
    ports = Ports.free() if free_ports else Ports(port, captioner_port, reasoner_port)
    stack = Stack(embedded_default(ports, captioner))
    _end_like_ctrl_c()
    try:
        with stack.running(_say_ready):
            _console.print(f"\n[bold]RACRO serves at {stack.url}[/]  (Ctrl-C ends it)\n")
            _console.print(Syntax(_SNIPPETS.format(url=stack.url), "python", word_wrap=True))
            while True:
                time.sleep(1)
                stack.check()
    except StackError as error:
        _fail(error)
    except KeyboardInterrupt:
        _console.print("ended")


@app.command()
def solve(
    arguments: Annotated[
        list[str], typer.Argument(metavar="IMAGE… QUESTION", help="Files or URLs, then a question.")
    ],
    gateway: Annotated[str, typer.Option(help="The gateway's URL.")] = "http://127.0.0.1:8000",
    model: Annotated[str, typer.Option(help="The reasoner's name.")] = "default",
    tentative: Annotated[
        bool, typer.Option(help="Give the reasoner a tentative response, too.")
    ] = True,
    cache_mode: Annotated[str, typer.Option("--cache", help="use, refresh or bypass.")] = "use",
    key: Annotated[
        str | None,
        typer.Option(envvar=KEY_VARIABLE, help="API key, where the gateway has tenants."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the response object and nothing else.")
    ] = False,
) -> None:
    """Answer a question about images; caption, reasoning and answer appear as they come."""
    *images, question = arguments
    try:
        request = {
            "question": question,
            "images": [image_argument(image) for image in images],
            "model": model,
            "tentative": tentative,
            "cache": cache_mode,
        }
        for name, data in solve_events(gateway, request, key):
            if as_json and name == "done":
                sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
            elif not as_json:
                _show(name, data)
    except SolveError as error:
        _fail(error)


@app.command()
def demo(
    examples: Annotated[
        Path, typer.Option(help="Folder with images and questions.jsonl.", exists=True)
    ] = EXAMPLES,
) -> None:
    """Start everything on free ports, answer the example questions, end everything."""
    stack = Stack(embedded_default(Ports.free()))
    _end_like_ctrl_c()
    try:
        with stack.running(_say_ready):
            outcomes = run_examples(stack.url, examples, _console)
    except StackError as error:
        _fail(error)
    _console.print(table_of(outcomes))
    _console.print(
        f"{right_answers(outcomes)} of {len(outcomes)} as expected. The embedded default shows the "
        "flow on a bare CPU; it is no measure of what real models do."
    )
    if not answered(outcomes):
        _fail("not every stage ran for every example")


_PARTS = {
    "visual_context.delta": "dim",
    "reasoning.delta": "italic dim",
    "answer.delta": "",
}


def _show(name: str, data: dict[str, Any]) -> None:
    if name in _PARTS:
        _console.print(data["text"], style=_PARTS[name], end="", markup=False, highlight=False)
    elif name == "visual_context.done":
        _console.print(f"\n\n[dim]caption: {data['cache']}, by {data['model']}[/]\n")
    elif name == "done":
        _console.print(f"\n\n[bold]Answer:[/] {data['answer']}", highlight=False)


def _say_ready(name: str, seconds: float) -> None:
    _console.print(f"[green]✓[/] {name} ready after {seconds:.1f} s", highlight=False)


def _end_like_ctrl_c() -> None:
    """A service manager's SIGTERM must end the services too."""

    def interrupt(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)


def _fail(reason: object) -> NoReturn:
    _errors.print(f"[red]error:[/] {reason}", highlight=False)
    raise typer.Exit(1)
