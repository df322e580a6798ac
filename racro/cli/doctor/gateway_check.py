"""Checks of a running gateway, by what it tells over HTTP."""

from typing import Any

from racro.cli.doctor.check_report import Finding, bad, bad_because, good, skipped
from racro.cli.doctor.readiness_check import read_readiness
from racro.cli.probing import KeyRefused, NotReached, Probe, Problem, WrongAnswer, shown
from racro.contracts.client import KEY_VARIABLE, another_service

_CHECK = "gateway"
_KEY_ADVICE = f"pass --key or set {KEY_VARIABLE}"


async def is_gateway(probe: Probe, url: str) -> bool:
    """Whether a RACRO gateway answers at `url`."""
    try:
        return another_service(url, await _description(probe, url)) is None
    except Problem:
        return False


async def check_gateway(probe: Probe, url: str) -> list[Finding]:
    """Whether it is one, and what it says of its components."""
    try:
        if other := another_service(url, await _description(probe, url)):
            return [bad(_CHECK, other, "set --gateway")]
        components = await read_readiness(probe, url) or {}
    except NotReached as problem:
        advice = "`racro up` starts one; `racro doctor gateway.yaml` checks what is behind one"
        return [bad(_CHECK, problem.message, advice)]
    except Problem as problem:
        return [bad(_CHECK, f"{url} is no RACRO gateway: {problem.message}", "set --gateway")]
    told = [_component(name, problem) for name, problem in components.items()]
    return [good(_CHECK, f"{url} answers"), *told]


async def _description(probe: Probe, url: str) -> Any:
    """Its OpenAPI document. Raises Problem, also for what has no title."""
    description = await probe.get_json(f"{url}/openapi.json")
    match description:
        case {"info": {"title": str()}}:
            return description
    raise WrongAnswer(f"{url}/openapi.json has no title")


def _component(name: str, problem: str | None) -> Finding:
    if problem is None:
        return good(shown(name), "the gateway finds it well")
    advice = "`racro doctor gateway.yaml`, where the gateway runs, says more"
    return bad(shown(name), shown(problem), advice)


async def gateway_models(
    probe: Probe, url: str, key: str | None
) -> tuple[list[str], list[Finding]]:
    """The reasoners that may be asked with this key."""
    try:
        listing: Any = await probe.get_json(f"{url}/v1/models", key)
        models = [str(card["id"]) for card in listing["data"]]
    except KeyRefused as problem:
        if key is None:
            return [], [skipped(_CHECK, "it wants an API key to be asked", _KEY_ADVICE)]
        return [], [bad(_CHECK, problem.message, _KEY_ADVICE)]
    except Problem as problem:
        return [], [bad_because(_CHECK, problem)]
    except (LookupError, TypeError):
        return [], [bad(_CHECK, f"{url}/v1/models is no list of models", "set --gateway")]
    with_key = "accepts the key and " if key else ""
    return models, [good(_CHECK, f"{with_key}has {', '.join(map(shown, models))}")]
