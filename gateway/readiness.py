"""Readiness: whether a request would be served now, and what is wrong with each component."""

import time
from collections.abc import Awaitable

from gateway.services import Services, services_in
from racro.contracts.errors import UpstreamError
from racro.servekit.app import Readiness, State
from racro.servekit.tasks import all_of

_CAPTIONER_AWAITED_S = 60


async def readiness(state: State) -> Readiness:
    """Return the readiness of the gateway, which needs one reasoner.

    Without the captioner it answers texts and images that are in the cache, a further reasoner that
    is down fails its own requests only, and without the shared cache requests take longer.
    """
    services = services_in(state)
    reasoners = list(services.reasoners)
    checks = [services.captioners.check(), *(reasoner.check() for reasoner in reasoners)]
    captioner, *others = await all_of(map(_problem, checks))
    names = [f"reasoner {reasoner.name}" for reasoner in reasoners]
    problems = {
        "captioner": captioner,
        **dict(zip(names, others, strict=True)),
        "cache": services.cache.problem,
        "keys": services.tenants.problem,
        "settings": services.reloader.problem,
    }
    return Readiness(problems, ready=_may_begin(services) and not all(others))


def _may_begin(services: Services) -> bool:
    """Whether the captioner has answered once since the start, or has had the time for it.

    A new gateway that cannot reach it may have wrong settings: it had better not replace one that
    can.
    """
    waited_s = time.time() - services.started
    return services.captioners.was_reached or waited_s >= _CAPTIONER_AWAITED_S


async def _problem(check: Awaitable[None]) -> str | None:
    try:
        await check
    except UpstreamError as error:
        return error.message
    return None
