"""What the command line prints: results to stdout; errors, and progress of pipes, to stderr.

Whatever stands in a text is printed as it is: Rich's markup and emoji codes are off, nothing is
wrapped but by the terminal, and control characters, which could steer one, are replaced.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Where no terminal says how wide it is, the lines of a table stay whole.
_PIPED_WIDTH = 10_000
_KEPT = "\n\t"
_CONTROLS = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(32), *range(127, 160))
    if chr(code) not in _KEPT
} | {ord("\r"): None}


def _console(*, stderr: bool = False) -> Console:
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    return console


out = _console()
err = _console(stderr=True)


def command_line(summary: str | None = None) -> typer.Typer:
    """A command, or a group of them. Help and usage errors are plain text, in whole lines."""
    return typer.Typer(
        help=summary,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def plain(text: object) -> str:
    """The text with no control characters but line ends and tabs."""
    return str(text).translate(_CONTROLS)


def say(text: object, *, style: str | None = None, end: str = "\n") -> None:
    """Print a text to stdout, as it is."""
    _print(out, Text(plain(text), style=style or ""), end=end)


def note(text: object) -> None:
    """Print a text to stderr, as it is."""
    _print(err, Text(plain(text)))


def fail(reason: object) -> NoReturn:
    """Print why to stderr, as it is, and end the command with code 1."""
    _print(err, Text.assemble(("error:", "red"), f" {plain(reason)}"))
    raise typer.Exit(1)


def _print(console: Console, text: Text, *, end: str = "\n") -> None:
    if console.is_terminal:
        console.print(text, end=end)
    else:  # Rich would put spaces in place of tabs
        console.file.write(text.plain + end)
        console.file.flush()


def new_table(*headings: str, title: str | None = None) -> Table:
    """A table whose cells are never cut: what does not fit goes on in the next line."""
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def add_row(table: Table, *cells: object) -> None:
    """One more row, of texts as they are."""
    table.add_row(*(Text(plain(cell)) for cell in cells))


def show(table: Table) -> None:
    """Print a table, as wide as the terminal at most; piped, as wide as its lines are."""
    out.print(table, soft_wrap=False)


def is_live() -> bool:
    """Whether something on the screen can move."""
    return out.is_terminal and not out.is_dumb_terminal


def spinner(what: str) -> AbstractContextManager[object]:
    """Shows that work is done, on a terminal; elsewhere nothing."""
    return out.status(Text(what)) if is_live() else nullcontext()


@contextmanager
def working(what: str) -> Iterator[None]:
    """Shows that work is done: a spinner on a terminal, elsewhere a line on stderr."""
    if not is_live():
        note(f"{what} …")
    with spinner(what):
        yield
