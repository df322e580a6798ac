"""Readiness: whether a request would be served now, and what is wrong with each component."""

import asyncio
from collections.abc import Awaitable

from gateway.reasoning.reasoners import component_of
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
    names = [component_of(reasoner.name) for reasoner in reasoners]
    problems = {
        "captioner": captioner,
        **dict(zip(names, others, strict=True)),
        **_replica_problems(services),
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
    waited_s = asyncio.get_running_loop().time() - services.opened_at
    return services.captioners.was_reached or waited_s >= _CAPTIONER_AWAITED_S


def _replica_problems(services: Services) -> dict[str, str]:
    """Return the components of which some copies are down, under names of their own.

    The component itself is all right: its requests go to the other copies.
    """
    found = {"captioner": services.captioners.replicas_problem}
    for reasoner in services.reasoners:
        found[component_of(reasoner.name)] = reasoner.replicas_problem
    return {f"copies of {name}": problem for name, problem in found.items() if problem}


async def _problem(check: Awaitable[None]) -> str | None:
    try:
        await check
    except UpstreamError as error:
        return error.message
    return None
