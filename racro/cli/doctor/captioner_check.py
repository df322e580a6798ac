"""Checks of the captioner: reached, a captioner indeed, and its engine well."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import ValidationError

from gateway.settings import GatewaySettings
from racro.cli.doctor.check_report import Finding, bad, bad_because, good
from racro.cli.doctor.readiness_check import read_readiness
from racro.cli.probing import NotServed, Probe, Problem, WrongAnswer, shown
from racro.cli.servers import list_models, listed, other_service
from racro.contracts.perception import Identity
from racro.servekit.tasks import all_of
from racro.servekit.upstream import Client, open_client

_CHECK = "captioner"
_START = "start it, or set captioner.url; it has to be reached from where the gateway runs"


# As many addresses of a name as the gateway takes for copies.
_MOST_ADDRESSES = 64


class Copy(NamedTuple):
    """What a copy of the captioner answered: its identity, None where there is a fault."""

    place: str
    finding: Finding
    identity: Identity | None = None


async def ask_captioners(probe: Probe, settings: GatewaySettings) -> list[Copy]:
    """Ask each copy of the captioner who it is: each URL, and each address of a URL's name."""
    urls = [url.rstrip("/") for url in settings.captioner.urls]
    async with open_client(settings.upstreams) as client:
        found = await all_of(_addresses(client, url, probe.timeout_s) for url in urls)
    places = zip(urls, found, strict=True)
    return await all_of(
        _ask_copy(probe, url, address) for url, addresses in places for address in addresses
    )


async def _addresses(client: Client, url: str, timeout_s: float) -> Sequence[str | None]:
    """The addresses of a URL's name where it has several, as the gateway counts them."""
    try:
        async with asyncio.timeout(timeout_s):
            addresses = sorted(await client.addresses(url))[:_MOST_ADDRESSES]
    except (OSError, UnicodeError):
        return [None]
    return addresses if len(addresses) > 1 else [None]


async def _ask_copy(probe: Probe, url: str, address: str | None) -> Copy:
    place = f"{url} ({address})" if address else url
    try:
        told = await probe.get_json(f"{url}/v1/identity", address=address)
        identity = Identity.model_validate(told)
    except ValidationError:
        message = f"{place}: /v1/identity tells no captioner"
        return Copy(place, bad(_CHECK, message, "set captioner.url"))
    except NotServed:
        return Copy(place, await _what_it_is(probe, url))
    except WrongAnswer as problem:
        return Copy(place, await _why_not(probe, url, problem))
    except Problem as problem:
        at = Problem(f"{address}: {problem.message}", problem.advice) if address else problem
        return Copy(place, bad_because(_CHECK, at, _START))
    parts = " and ".join("captions" if part == "caption" else "tentative responses"
                         for part in identity.parts)  # fmt: skip
    return Copy(place, good(_CHECK, f"{identity.model} at {place} makes {parts}"), identity)


async def _what_it_is(probe: Probe, url: str) -> Finding:
    """What stands where a captioner should."""
    if told := await other_service(probe, url):
        return bad(_CHECK, f"{url} is no captioner: {told}", "set captioner.url to the captioner's")
    for base in (f"{url}/v1", url):
        try:
            models = list(await list_models(probe, base))
        except Problem:
            continue
        return bad(
            _CHECK,
            f"{url} is no captioner but a server of models: {listed(models)}",
            "put a captioner service before it (captioner.kind: vlm), as "
            "`racro up --captioner-url` does, and set captioner.url to that",
        )
    return bad(_CHECK, f"{url} is no captioner: /v1/identity is not served", "set captioner.url")


async def _why_not(probe: Probe, url: str, problem: Problem) -> Finding:
    """A captioner that runs and cannot caption tells in /readyz why."""
    try:
        checks = await read_readiness(probe, url) or {}
    except Problem:
        checks = {}
    if reason := checks.get("captioner"):
        return bad(
            _CHECK,
            f"the captioner at {url} runs and cannot caption: {shown(reason)}",
            "look after its engine: captioner.engine of its own settings, and its log",
        )
    return bad_because(_CHECK, problem, "is captioner.url the captioner's?")
