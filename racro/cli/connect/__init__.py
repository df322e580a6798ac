"""`racro connect`: the settings that make a client ask the gateway."""

import asyncio
import os
import re
from datetime import UTC, datetime
from typing import Annotated, NoReturn

import typer

from racro.cli.connect.all_clients import CLIENTS, ClientName
from racro.cli.connect.client_question import ask
from racro.cli.connect.client_settings import (
    Client,
    Connection,
    Loaded,
    Settings,
    Variable,
)
from racro.cli.connect.merging import NotMergeableError, parsed, rendered
from racro.cli.connect.printed import print_difference, print_settings, print_written
from racro.cli.connect.written_files import FileError, bring_back, last_written, planned, write
from racro.cli.doctor.check_report import Report, bad
from racro.cli.output import command_line, fail, note, say, spinner
from racro.cli.probing import KeyRefused, NotReached, Probe, Problem, WrongAnswer
from racro.cli.servers import listed
from racro.contracts.client import DEFAULT_URL, KEY_VARIABLE, ClientError, gateway_url

app = command_line()

_DEFAULT_MODEL = "default"
_LISTING_TIMEOUT_S = 10
_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]{0,63}")


@app.command()
def connect(
    client: Annotated[ClientName, typer.Argument(help="The program to connect.")],
    *,
    gateway: Annotated[
        str, typer.Option("--gateway", "--url", help="The gateway's URL, with or without /v1.")
    ] = DEFAULT_URL,
    model: Annotated[
        str | None, typer.Option(help="The reasoner's name; without, the gateway's first one.")
    ] = None,
    key_env: Annotated[
        str | None,
        typer.Option(
            help=f"Environment variable that holds the API key; {KEY_VARIABLE} if that is set."
        ),
    ] = None,
    write_files: Annotated[
        bool, typer.Option("--write", help="Write the client's files, after a backup.")
    ] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Ask about an example picture as the client would.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take the last --write back.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --undo: lose what was changed since.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Longest time of the answer to --test, in seconds.")
    ] = 120,
) -> None:
    """Print or write the settings that make a client ask the gateway."""
    if undo and (write_files or test):
        raise typer.BadParameter("--undo is in place of --write and --test")
    if force and not undo:
        raise typer.BadParameter("--force needs --undo")
    chosen = CLIENTS[client]
    if undo:
        _undo(chosen, force=force)
        return
    connection = _connection(gateway, model, key_env)
    settings = chosen.settings(connection)
    if write_files:
        _write(chosen, settings)
    else:
        print_settings(client, chosen, settings)
    if test:
        say("")
        _test(chosen, connection, settings, written=write_files, timeout_s=timeout)


def _connection(gateway: str, model: str | None, key_env: str | None) -> Connection:
    """What the client is told. Leaves with 2 for what cannot be one."""
    if key_env is not None and not _VARIABLE.fullmatch(key_env):
        # It is the key itself, perhaps, and not to be shown.
        raise typer.BadParameter("--key-env takes the name of an environment variable, not the key")
    if key_env is None and os.environ.get(KEY_VARIABLE):
        key_env = KEY_VARIABLE
    try:
        url = gateway_url(gateway)
    except ClientError as error:
        raise typer.BadParameter(str(error)) from error
    key = os.environ.get(key_env) if key_env else None
    try:
        cards = asyncio.run(_cards(f"{url}/v1/models", key))
    except Problem as problem:
        cards = {}
        _note(problem, key_env, model)
    if model and cards and model not in cards:
        note(f"--model {model}: the gateway lists {listed(list(cards), model)}")
    name = model or next(iter(cards), _DEFAULT_MODEL)
    return Connection(url, name, cards.get(name), key_env)


async def _cards(url: str, key: str | None) -> dict[str, int | None]:
    """The names of the gateway's reasoners and the tokens of their contexts. Raises Problem."""
    async with Probe(_LISTING_TIMEOUT_S) as probe:
        listing = await probe.get_json(url, key)
    try:
        tokens = {str(card["id"]): card.get("context_tokens") for card in listing["data"]}
    except (LookupError, TypeError, AttributeError):
        tokens = {}
    if not tokens:
        raise WrongAnswer(f"{url} lists no models: is it a RACRO gateway?")
    return {name: one if isinstance(one, int) else None for name, one in tokens.items()}


def _note(problem: Problem, key_env: str | None, model: str | None) -> None:
    """Says why the gateway's models are not known, and what is made of that."""
    reason = str(problem)
    if isinstance(problem, NotReached):
        reason = f"{problem.message}; `racro up` starts a gateway"
    elif isinstance(problem, KeyRefused):
        reason = f"{problem.message}; set {key_env or KEY_VARIABLE} to a key of the gateway"
    taken = "" if model else f". The model is taken to be {_DEFAULT_MODEL}: --model names another"
    note(f"{reason}{taken}")


def _write(client: Client, settings: Settings) -> None:
    if not settings.files:
        fail(f"{client.title} has no file of settings to write: without --write they are printed")
    changes = []
    for file in settings.files:
        try:
            changes.append(planned(file))
        except FileError as error:
            say(f"# into {file.path}:")
            say(rendered(file.kind, file.wanted))
            fail(f"{error}: nothing was written; put this into it by hand")
    try:
        done = write(changes, datetime.now(UTC))
    except FileError as error:
        fail(f"{error}; nothing was changed")
    print_written(settings, changes, done)


def _undo(client: Client, *, force: bool) -> None:
    files = client.settings(Connection(DEFAULT_URL)).files
    try:
        changes = last_written([file.path for file in files], force=force)
        if not changes:
            where = ", ".join(str(file.path) for file in files) or client.title
            fail(f"nothing that `racro connect` wrote is there to be taken back: {where}")
        for change in changes:
            bring_back(change)
            print_difference(change)
            done = "removed" if change.after is None else "as it was"
            say(f"✓ {change.path} {done}", style="green")
    except FileError as error:
        fail(error)


def _test(
    client: Client, connection: Connection, settings: Settings, *, written: bool, timeout_s: float
) -> NoReturn:
    """Asks by the settings as the client reads them, and leaves with 0 or 1."""
    report = Report(as_json=False)
    key_env = connection.key_env or KEY_VARIABLE
    try:
        endpoint = client.endpoint(_loaded(connection, settings, written=written))
    except (OSError, NotMergeableError, LookupError, TypeError, ValueError) as error:
        advice = f"`racro connect` with --write, then --test ({type(error).__name__})"
        report.add([bad("settings", f"those of {client.title} are not complete", advice)])
        report.end()
    with spinner("asking"):
        finding = asyncio.run(ask(endpoint, key_env, timeout_s))
    report.add([finding])
    report.end()


def _loaded(connection: Connection, settings: Settings, *, written: bool) -> Loaded:
    """The settings that were printed, or those of the files that were written. Raises OSError."""
    texts = [
        file.path.read_text(encoding="utf-8") if written else rendered(file.kind, file.wanted)
        for file in settings.files
    ]
    files = tuple(parsed(file.kind, text) for file, text in zip(settings.files, texts, strict=True))
    exported = {name: _value(value) for name, value in settings.exports.items()}
    environment = {**os.environ, **exported}
    key = os.environ.get(connection.key_env) if connection.key_env else None
    return Loaded(files, environment, key)


def _value(value: str | Variable) -> str:
    return os.environ.get(value.name, "") if isinstance(value, Variable) else value
