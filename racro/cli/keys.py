"""`racro keys`: the API keys of tenants."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from gateway.tenancy.keys_file import BadKeysFileError, KeysFile, TenantRecord, key_id
from racro.cli.output import add_row, command_line, fail, new_table, say, show
from racro.servekit.findings import findings

app = command_line("Make, list and revoke API keys.")

File = Annotated[
    Path,
    typer.Option(
        "--file", envvar="RACRO_TENANTS__KEYS_FILE", help="The gateway's tenants.keys_file."
    ),
]


@app.command()
def new(
    tenant: Annotated[str, typer.Argument(help="Whose key; a new tenant or one there is.")],
    file: File,
    requests_per_minute: Annotated[int | None, typer.Option(min=0, help="0: no limit.")] = None,
    images_per_minute: Annotated[int | None, typer.Option(min=0, help="0: no limit.")] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=0, help="Requests at a time, in each gateway; 0: no limit.")
    ] = None,
    weight: Annotated[
        float | None,
        typer.Option(help="Its share where requests wait: 0.01 to 1000, others have 1; 0: 1, too."),
    ] = None,
    reasoner: Annotated[
        list[str] | None, typer.Option(help="A reasoner it may ask, or `all`.")
    ] = None,
) -> None:
    """Make a key and print it, this once. Limits that are given replace the tenant's."""
    given = {
        "requests_per_minute": requests_per_minute,
        "images_per_minute": images_per_minute,
        "concurrency": concurrency,
        "weight": weight,
        "reasoners": tuple(reasoner) if reasoner else None,
    }
    lifted = {0, ("all",)}
    update = {
        name: None if value in lifted else value
        for name, value in given.items()
        if value is not None
    }
    with _alone(file):
        known = _read(file) if file.exists() else KeysFile()
        before = known.tenants.get(tenant, TenantRecord())
        try:
            limits = TenantRecord.model_validate({**before.model_dump(), **update})
        except ValidationError as error:
            fail(findings(error, TenantRecord)[0])
        try:
            changed, key = known.with_new_key(tenant, limits)
        except ValueError:
            fail(f"{tenant}: a tenant's name is of a-z, 0-9 and -, 63 at most")
        _write(changed, file)
    say(key)


@app.command(name="list")
def list_(file: File) -> None:
    """Tenants, their limits and the ids of their keys."""
    table = new_table(
        "tenant", "key", "made", "requests/min", "images/min", "at a time", "weight", "reasoners"
    )
    for name, tenant in _read(file).tenants.items():
        limits = [
            tenant.requests_per_minute,
            tenant.images_per_minute,
            tenant.concurrency,
            tenant.weight,
        ]
        may = ["–" if limit is None else str(limit) for limit in limits]
        reasoners = "all" if tenant.reasoners is None else ", ".join(tenant.reasoners)
        for identifier, key in tenant.keys.items():
            add_row(table, name, identifier, key.created, *may, reasoners)
        if not tenant.keys:
            add_row(table, name, "–", "–", *may, reasoners)
    show(table)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Its id, between the underscores, or all of it.")],
    file: File,
) -> None:
    """Take a key out; gateways see it within a second."""
    identifier = key_id(key)
    with _alone(file):
        changed = _read(file).without_key(identifier)
        if changed is None:
            fail(f"no key {identifier} in {file}")
        _write(changed, file)
    say(f"revoked {identifier}")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Two who change the file at once would undo one another. The lock is the folder's: the file
    itself is replaced.
    """
    try:
        folder = os.open(file.parent, os.O_RDONLY)
    except OSError as error:
        fail(f"{file.parent} cannot be read: {error.strerror}")
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _read(file: Path) -> KeysFile:
    try:
        return KeysFile.read(file)
    except BadKeysFileError as error:
        fail(error)


def _write(changed: KeysFile, file: Path) -> None:
    try:
        changed.write(file)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
