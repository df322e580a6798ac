"""Would a request be served now, and what is wrong where."""

from collections.abc import Awaitable

from gateway.services import Parts
from gateway.tenancy.tenants import Tenants
from racro.contracts.errors import UpstreamError
from racro.servekit.app import Readiness
from racro.servekit.tasks import all_of


async def readiness(parts: Parts, tenants: Tenants) -> Readiness:
    """Ready with the captioner and one reasoner: another one away fails its own requests, and
    without the shared cache they take longer.
    """
    reasoners = list(parts.reasoners)
    checks = [parts.captioner.check(), *(reasoner.check() for reasoner in reasoners)]
    blind, *away = await all_of(map(_problem, checks))
    names = [f"reasoner {reasoner.name}" for reasoner in reasoners]
    problems = {
        "captioner": blind,
        **dict(zip(names, away, strict=True)),
        "cache": parts.cache.problem,
        "keys": tenants.problem,
        "settings": parts.reloader.problem,
    }
    return Readiness(problems, ready=blind is None and not all(away))


async def _problem(check: Awaitable[None]) -> str | None:
    try:
        await check
    except UpstreamError as error:
        return error.message
    return None
