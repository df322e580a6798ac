"""Draws terminals, and editors with side bars, tabs and line numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from experiments.drawn_screens.drawing_pen import SANS, Pen, Screen
from experiments.drawn_screens.screen_words import TYPES, Writer

_SIZES = ((1280, 720), (1366, 768), (1440, 900), (1024, 768))
_PROMPTS = ("$ ", "user@{host}:~/{folder}$ ", "{folder} % ", "~/{folder} (main) $ ")


@dataclass(frozen=True)
class Theme:
    """The colours of an editor or terminal."""

    paper: str
    ink: str
    bar: str
    faint: str
    keyword: str
    string: str
    name: str
    comment: str


DARK = (
    Theme("#1e1e1e", "#d4d4d4", "#252526", "#858585", "#569cd6", "#ce9178", "#dcdcaa", "#6a9955"),
    Theme("#282c34", "#abb2bf", "#21252b", "#636d83", "#c678dd", "#98c379", "#61afef", "#7f848e"),
    Theme("#0d1117", "#c9d1d9", "#161b22", "#8b949e", "#ff7b72", "#a5d6ff", "#d2a8ff", "#8b949e"),
)
_BLACK = Theme(
    "#000000", "#e6e6e6", "#1a1a1a", "#9a9a9a", "#5fd75f", "#ffd75f", "#5fafff", "#9a9a9a"
)
LIGHT = (
    Theme("#ffffff", "#24292f", "#f6f8fa", "#6e7781", "#cf222e", "#0a3069", "#8250df", "#6e7781"),
    Theme("#fdf6e3", "#586e75", "#eee8d5", "#93a1a1", "#859900", "#2aa198", "#268bd2", "#93a1a1"),
    Theme("#fafafa", "#383a42", "#eaeaeb", "#9d9d9f", "#a626a4", "#50a14f", "#4078f2", "#a0a1a7"),
)


def terminal(rng: Random, name: str) -> Screen:
    """Draw commands and what they print."""
    theme = rng.choice([*DARK, *DARK, LIGHT[0], _BLACK])
    writer = Writer(rng)
    pen = Pen(
        *rng.choice(((880, 560), (1000, 640), (1200, 720))), theme.paper, rng.choice((1, 1.5, 2))
    )
    size = rng.choice((13, 14, 15))
    top = _title_bar(pen, theme, writer) if rng.random() < 0.6 else 8.0
    pen.block()
    prompt = rng.choice(_PROMPTS).format(host=writer.noun(), folder=writer.noun())
    lines = _session(writer, prompt)
    while top + 1.3 * size < pen.height:
        text = next(lines)
        ink = theme.ink if not text.startswith(prompt) else rng.choice((theme.ink, theme.keyword))
        pen.code(10, top, [(text, ink)], size=size, right=pen.width - 8)
        top += 1.3 * size
    return pen.screen(name, "terminal")


def _title_bar(pen: Pen, theme: Theme, writer: Writer) -> float:
    pen.box(0, 0, pen.width, 28, theme.bar)
    for place, color in enumerate(("#ff5f56", "#ffbd2e", "#27c93f")):
        left = 10 + 20 * place
        pen.box(left, 8, left + 12, 20, color, radius=6)
    pen.block()
    title = f"{writer.noun()} — bash — {pen.width // 8}×{pen.height // 17}"
    pen.text(pen.width / 2 - 80, 6, title, theme.ink, name="sans", size=12.5)
    return 34


def _session(writer: Writer, prompt: str) -> Iterator[str]:
    while True:
        command, printed = writer.rng.choice(_COMMANDS)(writer)
        yield prompt + command
        yield from printed
        if writer.rng.random() < 0.2:
            yield ""


def _listing(writer: Writer) -> tuple[str, list[str]]:
    rng = writer.rng
    rows = []
    for _ in range(rng.randint(3, 7)):
        mode = rng.choice(("-rw-r--r--", "drwxr-xr-x", "-rwxr-x---"))
        size = rng.randint(10, 99999)
        rows.append(
            f"{mode}  {rng.randint(1, 9)} root  staff  {size:>6} {writer.date()} {writer.time()} "
            + writer.file()
        )
    return f"ls -l {writer.noun()}/", [f"total {rng.randint(8, 900)}", *rows]


def _log(writer: Writer) -> tuple[str, list[str]]:
    rng = writer.rng
    rows = [
        f"{writer.date()} {writer.time()}:{rng.randint(0, 59):02} "
        f"{rng.choice(('INFO', 'WARNING', 'ERROR', 'DEBUG'))} {writer.noun()}: {writer.label(4)}"
        f" ({rng.randint(1, 999)} ms)"
        for _ in range(rng.randint(4, 9))
    ]
    return f"tail -n {len(rows)} {writer.noun()}.log", rows


def _tests(writer: Writer) -> tuple[str, list[str]]:
    rng = writer.rng
    rows = []
    for _ in range(rng.randint(3, 6)):
        passed = rng.choice(("PASSED", "PASSED", "FAILED"))
        rows.append(
            f"tests/test_{writer.noun()}.py::test_{writer.snake()} {passed} [{rng.randint(1, 99)}%]"
        )
    seconds = f"{rng.randint(1, 60)}.{rng.randint(10, 99)}s"
    total = f"{rng.randint(1, 9)} failed, {rng.randint(10, 99)} passed in {seconds}"
    return "pytest -v", [*rows, total]


def _status(writer: Writer) -> tuple[str, list[str]]:
    rows = ["On branch main", "Changes not staged for commit:"]
    rows += [f"    modified:   {writer.path()}" for _ in range(writer.rng.randint(2, 4))]
    rows += ["Untracked files:"]
    return "git status", [*rows, *(f"    {writer.path()}" for _ in range(writer.rng.randint(1, 3)))]


def _history(writer: Writer) -> tuple[str, list[str]]:
    rows = [f"{writer.digest()} {writer.label(4)}" for _ in range(writer.rng.randint(4, 8))]
    return f"git log --oneline -n {len(rows)}", rows


def _traceback(writer: Writer) -> tuple[str, list[str]]:
    rows = ["Traceback (most recent call last):"]
    for _ in range(writer.rng.randint(2, 3)):
        rows.append(
            f'  File "/srv/{writer.path()}", line {writer.rng.randint(3, 400)}, in {writer.snake()}'
        )
        rows.append(
            f"    return {writer.snake()}({writer.noun()}, "
            f"{writer.noun()}={writer.rng.randint(1, 99)})"
        )
    return f"python {writer.noun()}.py", [*rows, f"ValueError: {writer.label(4)}"]


def _install(writer: Writer) -> tuple[str, list[str]]:
    package = writer.noun()
    rows = [
        f"Collecting {package}=={writer.version()}",
        f"  Downloading {package}-{writer.version()}-py3-none-any.whl "
        f"({writer.rng.randint(9, 900)} kB)",
        f"Successfully installed {package}-{writer.version()} {writer.noun()}-{writer.version()}",
    ]
    return f"pip install {package}", rows


_COMMANDS = (_listing, _log, _tests, _status, _history, _traceback, _install)


def dark_editor(rng: Random, name: str) -> Screen:
    """Draw an editor, light on dark."""
    return _editor(rng, name, rng.choice(DARK), "editor, dark")


def light_editor(rng: Random, name: str) -> Screen:
    """Draw an editor, dark on light."""
    return _editor(rng, name, rng.choice(LIGHT), "editor, light")


def _editor(rng: Random, name: str, theme: Theme, kind: str) -> Screen:
    writer = Writer(rng)
    pen = Pen(*rng.choice(_SIZES), theme.paper, rng.choice((1, 1, 1.25, 1.5)))
    face, size = rng.choice(SANS), rng.choice((13, 14, 15))
    side = rng.choice((0, 190, 220))
    bottom = pen.height - 24
    if side:
        _side_bar(pen, theme, writer, face, side)
    _tabs(pen, theme, writer, face, side)
    panel = bottom - rng.choice((0, 0, 150))
    _code(pen, theme, writer, side, panel, size)
    if panel < bottom:
        _problems(pen, theme, writer, face, side, panel)
    _status_bar(pen, writer, face, bottom)
    return pen.screen(name, kind)


def _side_bar(pen: Pen, theme: Theme, writer: Writer, face: str, width: float) -> None:
    pen.box(0, 0, width, pen.height, theme.bar)
    pen.block()
    pen.text(14, 10, "EXPLORER", theme.faint, name=face, size=12)
    top = 36.0
    for _ in range(writer.rng.randint(10, 18)):
        depth = writer.rng.randint(0, 2)
        entry = writer.noun() if depth == 0 else writer.file()
        pen.text(16 + 14 * depth, top, entry, theme.ink, name=face, size=13, right=width - 4)
        top += 22


def _tabs(pen: Pen, theme: Theme, writer: Writer, face: str, left: float) -> None:
    pen.box(left, 0, pen.width, 34, theme.bar)
    pen.block()
    x = left + 16
    for place in range(writer.rng.randint(1, 4)):
        x = pen.text(x, 9, writer.file(), theme.ink, name=face, size=13, new_line=place == 0) + 36


def _code(pen: Pen, theme: Theme, writer: Writer, left: float, bottom: float, size: float) -> None:
    pen.block()
    number = writer.rng.choice((1, 1, writer.rng.randint(2, 900)))
    numbered = writer.rng.random() < 0.85
    top = 42.0
    for runs in _source(writer, theme):
        if top + 1.45 * size > bottom:
            break
        gutter: list[tuple[str, str]] = [(f"{number:>4}   ", theme.faint)] if numbered else []
        pen.code(left + 8, top, [*gutter, *runs], size=size, right=pen.width - 90)
        number += 1
        top += 1.45 * size


def _source(writer: Writer, theme: Theme) -> Iterator[list[tuple[str, str]]]:
    python = writer.rng.random() < 0.6
    for _ in range(3):
        yield _import(writer, theme, python=python)
    while True:
        yield []
        yield from (_python if python else _script)(writer, theme)


def _import(writer: Writer, theme: Theme, *, python: bool) -> list[tuple[str, str]]:
    if python:
        return [
            ("from", theme.keyword),
            (f" {writer.noun()}.{writer.noun()} ", theme.ink),
            ("import", theme.keyword),
            (f" {writer.camel()}", theme.ink),
        ]
    return [
        ("import", theme.keyword),
        (f" {{ {writer.camel()} }} ", theme.ink),
        ("from", theme.keyword),
        (f' "./{writer.noun()}";', theme.string),
    ]


def _python(writer: Writer, theme: Theme) -> Iterator[list[tuple[str, str]]]:
    rng = writer.rng
    one, other = writer.noun(), writer.noun()
    yield [
        ("def ", theme.keyword),
        (writer.snake(), theme.name),
        (
            f"({one}: {rng.choice(TYPES)}, {other}: {rng.choice(TYPES)} = None) "
            f"-> {rng.choice(TYPES)}:",
            theme.ink,
        ),
    ]
    yield [(f'    """{writer.label(4)}."""', theme.string)]
    for _ in range(rng.randint(1, 3)):
        yield [(f"    {writer.noun()} = {writer.snake()}({one}, {rng.randint(0, 500)})", theme.ink)]
    yield [
        ("    if", theme.keyword),
        (f" {one}.{writer.noun()} > {rng.randint(1, 99)}:", theme.ink),
    ]
    yield [(f"        # {writer.label(5)}", theme.comment)]
    yield [
        ("        raise", theme.keyword),
        (" ValueError(", theme.ink),
        (f'"{writer.label(4)}"', theme.string),
        (")", theme.ink),
    ]
    yield [
        ("    for", theme.keyword),
        (f" {other} ", theme.ink),
        ("in", theme.keyword),
        (f" self.{writer.noun()}s:", theme.ink),
    ]
    yield [(f"        {one}[{other}.{writer.noun()}] += {rng.randint(1, 9)}", theme.ink)]
    yield [
        ("    return", theme.keyword),
        (f" {writer.camel()}({one}={one}, {other}={other})", theme.ink),
    ]


def _script(writer: Writer, theme: Theme) -> Iterator[list[tuple[str, str]]]:
    rng = writer.rng
    one = writer.noun()
    yield [
        ("export function ", theme.keyword),
        (f"{writer.verb()}{writer.camel()}", theme.name),
        (f"({one}: string): number {{", theme.ink),
    ]
    for _ in range(rng.randint(1, 3)):
        yield [
            ("  const ", theme.keyword),
            (f"{writer.noun()} = await {writer.verb()}({one}, {rng.randint(0, 900)});", theme.ink),
        ]
    yield [
        ("  if", theme.keyword),
        (f" ({one}.{writer.noun()} === ", theme.ink),
        (f'"{writer.noun()}"', theme.string),
        (") {", theme.ink),
    ]
    yield [(f"    // {writer.label(5)}", theme.comment)]
    yield [(f"    console.log(`{writer.noun()} ${{{one}}}`);", theme.string)]
    yield [("  }", theme.ink)]
    yield [
        ("  return", theme.keyword),
        (f" {one}.{writer.noun()}.length + {rng.randint(1, 99)};", theme.ink),
    ]
    yield [("}", theme.ink)]


def _problems(pen: Pen, theme: Theme, writer: Writer, face: str, left: float, top: float) -> None:
    pen.line(left, top, pen.width, top, theme.faint)
    pen.block()
    x = left + 16
    for place, word in enumerate(("PROBLEMS", "OUTPUT", "TERMINAL")):
        x = pen.text(x, top + 8, word, theme.ink, name=face, size=12, new_line=place == 0) + 26
    pen.block()
    for row in range(4):
        text = f"{writer.path()}:{writer.rng.randint(1, 300)}: {writer.label(4)}"
        pen.code(left + 16, top + 36 + 22 * row, [(text, theme.ink)], size=13, right=pen.width - 20)


def _status_bar(pen: Pen, writer: Writer, face: str, top: float) -> None:
    pen.box(0, top, pen.width, pen.height, "#0a5fa8")
    pen.block()
    left = pen.text(12, top + 4, "main", "#ffffff", name=face, size=12.5)
    place = f"Ln {writer.rng.randint(1, 400)}, Col {writer.rng.randint(1, 80)}"
    x = max(left + 60, pen.width - 380)
    for text in (place, "Spaces: 4", "UTF-8", "Python"):
        x = pen.text(x, top + 4, text, "#ffffff", name=face, size=12.5, new_line=False) + 24
