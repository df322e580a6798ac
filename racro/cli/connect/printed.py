"""What `racro connect` prints: settings to be copied, and what was changed in files."""

import difflib
import re
import shlex
from collections.abc import Iterator, Sequence

from racro.cli.connect.client_settings import Client, Settings, SettingsFile, Variable
from racro.cli.connect.merging import rendered
from racro.cli.connect.written_files import Change
from racro.cli.output import say

_CONTEXT_LINES = 2
# Up to where the value begins.
_SECRET_NAME = re.compile(r"(?:key|token|secret|password|credential|auth)[^:=]*[:=]", re.IGNORECASE)
_STYLES = {"+": "green", "-": "red"}


def print_settings(name: str, client: Client, settings: Settings) -> None:
    """Prints the settings, ready to be copied."""
    if settings.exports:
        _print_exports(client, settings)
    for number, file in enumerate(settings.files):
        is_choice = settings.alone and number == 0
        begin = "# or for good, " if is_choice else "# "
        say(f"{begin}in {file.path} (`racro connect {name} --write` puts it there):", style="dim")
        say(rendered(file.kind, file.wanted))
    _print_then(settings)


def print_written(settings: Settings, changes: Sequence[Change], done: Sequence[Change]) -> None:
    """Prints the difference that was made to each file, and what is to be done after that."""
    own = _own_lines(settings.files)
    for change in changes:
        written = [one for one in done if one.path == change.path]
        if not written:
            say(f"✓ {change.path} has these settings already", style="green")
            continue
        print_difference(change, own)
        backup = written[0].backup
        kept = f", what it was is {backup.name}" if backup and change.before is not None else ""
        say(f"✓ {change.path} written{kept}", style="green")
    if settings.exports and not settings.alone:
        say("")
        _print_exports(None, settings)
    say("")
    _print_then(settings)


def print_difference(change: Change, own: frozenset[str] = frozenset()) -> None:
    """Prints the lines that change. Values beside names of keys are left out, save `own` lines."""
    before, after = (
        (text or b"").decode(errors="replace") for text in (change.before, change.after)
    )
    lines = difflib.unified_diff(
        before.splitlines(),
        after.splitlines(),
        str(change.path) if change.before is not None else "/dev/null",
        str(change.path) if change.after is not None else "/dev/null",
        n=_CONTEXT_LINES,
        lineterm="",
    )
    for number, line in enumerate(lines):
        is_content = number > 1 and not line.startswith("@@")
        shown = _without_secret(line, own) if is_content else line
        say(shown, style=_STYLES.get(line[0]) if is_content else "dim")


def _without_secret(line: str, own: frozenset[str]) -> str:
    name = _SECRET_NAME.search(line)
    if name is None or line[1:].strip().rstrip(",") in own:
        return line
    return f"{line[: name.end()]} …"


def _own_lines(files: Sequence[SettingsFile]) -> frozenset[str]:
    lines = (line for file in files for line in rendered(file.kind, file.wanted).splitlines())
    return frozenset(line.strip().rstrip(",") for line in lines)


def _print_exports(client: Client | None, settings: Settings) -> None:
    said = f"{client.title}, in a shell" if client else "in the shell that it is started from"
    say(f"# {said}:", style="dim")
    for line in _exports(settings):
        say(line)
    say("")


def _exports(settings: Settings) -> Iterator[str]:
    for name, value in settings.exports.items():
        text = f'"${value.name}"' if isinstance(value, Variable) else shlex.quote(value)
        yield f"export {name}={text}"


def _print_then(settings: Settings) -> None:
    if settings.then:
        say("# then:", style="dim")
        for line in settings.then:
            say(line)
