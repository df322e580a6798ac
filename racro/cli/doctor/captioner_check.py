"""Checks of the captioner: reached, a captioner indeed, and its engine well."""

from pydantic import ValidationError

from gateway.settings import CaptionerSection
from racro.cli.doctor.check_report import Finding, bad, bad_because, good
from racro.cli.doctor.readiness_check import read_readiness
from racro.cli.probing import NotServed, Probe, Problem, WrongAnswer, shown
from racro.cli.servers import list_models, listed, other_service
from racro.contracts.perception import Identity

_CHECK = "captioner"
_START = "start it, or set captioner.url; it has to be reached from where the gateway runs"


async def check_captioner(probe: Probe, settings: CaptionerSection) -> list[Finding]:
    """What is wrong with each copy of the captioner."""
    return [await _check_copy(probe, url.rstrip("/")) for url in settings.urls]


async def _check_copy(probe: Probe, url: str) -> Finding:
    try:
        told = await probe.get_json(f"{url}/v1/identity")
        identity = Identity.model_validate(told)
    except ValidationError:
        return bad(_CHECK, f"{url}/v1/identity tells no captioner", "set captioner.url")
    except NotServed:
        return await _what_it_is(probe, url)
    except WrongAnswer as problem:
        return await _why_not(probe, url, problem)
    except Problem as problem:
        return bad_because(_CHECK, problem, _START)
    parts = " and ".join("captions" if part == "caption" else "tentative responses"
                         for part in identity.parts)  # fmt: skip
    return good(_CHECK, f"{identity.model} at {url} makes {parts}")


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
