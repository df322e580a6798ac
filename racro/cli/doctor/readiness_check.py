"""What our services tell under /readyz: each of their components, and what is wrong with it."""

import json

from racro.cli.probing import Probe

_OK = "ok"


async def read_readiness(probe: Probe, url: str) -> dict[str, str | None] | None:
    """The problem of each component, None for those without one.

    A service that is not ready says so with 503, and tells all the same. None altogether if what
    answers is no service of ours. Raises Problem.
    """
    answer = await probe.request("GET", f"{url}/readyz")
    try:
        checks = json.loads(answer.body)["checks"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if not isinstance(checks, dict):
        return None
    return {str(name): None if said == _OK else str(said) for name, said in checks.items()}
