"""`racro cache`: what gateways share in Redis, seen by its operator.

It reads the gateway's own settings, and so runs where they are: the one command that does not reach
the system over HTTP.
"""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer
from redis.exceptions import RedisError

from gateway.cache.admin import Holdings, Matching, holdings, open_client, purge
from gateway.settings import GatewaySettings
from racro.base.wrong_settings import WrongSettingsError
from racro.cli.output import add_row, command_line, fail, new_table, say, show
from racro.contracts.cache_keys import tenant_tag
from racro.servekit.settings import api_key

T = TypeVar("T")

app = command_line("Count and purge cached captions. Settings are the gateway's: RACRO_CONFIG.")


@app.command()
def stats() -> None:
    """How much is cached, by the captioner that made it."""
    held = _run(_holdings(_shared()))
    table = new_table("captioner", "revision", "entries")
    for (model, revision), number in held.entries.most_common():
        add_row(table, model, revision, number)
    show(table)
    say(
        f"{held.kept} kept visual contexts, {held.damaged} unreadable, "
        f"{held.bytes / 2**20:.1f} MiB in all"
    )


@app.command(name="purge")
def purge_(
    revision: Annotated[str | None, typer.Option(help="Made by this captioner revision.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Of this tenant.")] = None,
    image: Annotated[str | None, typer.Option(help="Of the image with this SHA-256.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of it.")] = False,
) -> None:
    """Delete what matches all that is given; gateways forget their copies within a minute."""
    if everything == bool(revision or tenant or image):
        fail("say what: --revision, --tenant, --image, or --all")
    settings = _shared()
    matching = Matching(revision, tenant and _tag(settings, tenant), image)
    deleted = _run(_purge(settings, matching))
    say(f"{deleted} deleted")


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except RedisError as error:
        fail(f"cache.url: {error}")


async def _holdings(settings: GatewaySettings) -> Holdings:
    async with open_client(settings.cache) as client:
        return await holdings(client, settings.cache)


async def _purge(settings: GatewaySettings, matching: Matching) -> int:
    async with open_client(settings.cache) as client:
        return await purge(client, settings.cache, matching)


def _shared() -> GatewaySettings:
    try:
        settings = GatewaySettings.read()
    except WrongSettingsError as error:
        fail("\n  ".join(["wrong settings:", *error.problems]))
    if not settings.cache.is_shared:
        fail(f"cache.url is {settings.cache.url}: each gateway has its own, which ends with it")
    return settings


def _tag(settings: GatewaySettings, tenant: str) -> str:
    secret = api_key(settings.tenants.secret_env)
    if secret is None or settings.cache.share:
        fail("without tenants.secret_env, or with cache.share, captions are nobody's own")
    return tenant_tag(tenant, secret.encode())
