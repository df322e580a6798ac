"""Readiness: whether a request would be served now, and what is wrong with each component."""

from collections.abc import Awaitable

from gateway.services import services_in
from racro.contracts.errors import UpstreamError
from racro.servekit.app import Readiness, State
from racro.servekit.tasks import all_of


async def readiness(state: State) -> Readiness:
    """Return the readiness of the gateway, which needs the captioner and one reasoner.

    A further reasoner that is down fails its own requests only, and without the shared cache
    requests take longer.
    """
    services = services_in(state)
    reasoners = list(services.reasoners)
    checks = [services.captioner.check(), *(reasoner.check() for reasoner in reasoners)]
    captioner, *others = await all_of(map(_problem, checks))
    names = [f"reasoner {reasoner.name}" for reasoner in reasoners]
    problems = {
        "captioner": captioner,
        **dict(zip(names, others, strict=True)),
        "cache": services.cache.problem,
        "keys": services.tenants.problem,
        "settings": services.reloader.problem,
    }
    return Readiness(problems, ready=captioner is None and not all(others))


async def _problem(check: Awaitable[None]) -> str | None:
    try:
        await check
    except UpstreamError as error:
        return error.message
    return None
