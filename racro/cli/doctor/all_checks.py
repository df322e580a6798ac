"""All checks in their order: each only where those before leave it something to tell."""

from gateway.settings import GatewaySettings
from racro.cli.doctor.cache_check import check_cache
from racro.cli.doctor.captioner_check import ask_captioners
from racro.cli.doctor.captioner_copies import compare_copies
from racro.cli.doctor.check_report import Report, skipped
from racro.cli.doctor.example import Example
from racro.cli.doctor.gateway_check import check_gateway, gateway_models, is_gateway
from racro.cli.doctor.reasoner_check import check_reasoner
from racro.cli.probing import Probe

_NOT_TRIED = "not tried: see the findings above"


class Checks:
    """Of the gateway at `url`, which is asked with `key`, or of settings that one may have."""

    def __init__(
        self, report: Report, probe: Probe, example: Example, url: str, key: str | None
    ) -> None:
        self._report = report
        self._probe = probe
        self._example = example
        self._url = url
        self._key = key

    async def of_gateway(self) -> None:
        if not self._report.add(await check_gateway(self._probe, self._url)):
            self._report.add([skipped("example", _NOT_TRIED)])
            return
        for model in await self._models():
            self._report.add([await self._example.through_gateway(self._url, model, self._key)])

    async def of_settings(self, settings: GatewaySettings) -> None:
        """Servers and cache, then the example, by the gateway if one runs."""
        copies = await ask_captioners(self._probe, settings)
        sees = self._report.add(copy.finding for copy in copies)
        # Each of them captions all the same.
        self._report.add(compare_copies(copies))
        usable = [
            name
            for name, section in settings.reasoners.items()
            if self._report.add(await check_reasoner(self._probe, name, section))
        ]
        self._report.add(await check_cache(settings.cache, self._probe.timeout_s))
        if not (sees and usable):
            self._report.add([skipped("example", _NOT_TRIED)])
            return
        if await is_gateway(self._probe, self._url):
            models = [name for name in await self._models() if name in usable]
        else:
            models = []
            self._report.add(
                [skipped("gateway", f"none runs at {self._url}: its part is not checked")]
            )
        for model in models:
            self._report.add([await self._example.through_gateway(self._url, model, self._key)])
        if not models:
            await self._without_gateway(settings, usable)

    async def _models(self) -> list[str]:
        models, findings = await gateway_models(self._probe, self._url, self._key)
        self._report.add(findings)
        return models

    async def _without_gateway(self, settings: GatewaySettings, usable: list[str]) -> None:
        caption, finding = await self._example.caption(settings)
        self._report.add([finding])
        for name in usable if caption else ():
            section = settings.reasoners[name]
            self._report.add([await self._example.answer(name, section, str(caption))])
