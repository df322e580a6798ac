"""Checks of a reasoner: reached, its key accepted, its model known, its context, its dialects."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.settings import ReasonerSection
from racro.cli.doctor.check_report import Finding, bad, bad_because, good, skipped
from racro.cli.probing import KeyRefused, Probe, Problem
from racro.cli.servers import (
    Server,
    context_tokens,
    find_server,
    listed,
    name_of,
    other_service,
    spoken_dialects,
    takes_images,
)
from racro.servekit.settings import api_key

_OURS = "racro"


async def check_reasoner(probe: Probe, name: str, settings: ReasonerSection) -> list[Finding]:
    """Findings on each of its copies."""
    findings = []
    for url in settings.urls:
        check = f"reasoner {name}" + (f" ({url})" if len(settings.urls) > 1 else "")
        copy = _Copy(probe, check, f"reasoners.{name}", url.rstrip("/"), settings)
        findings += await copy.findings()
    return findings


class _Copy:
    """One server of a reasoner. `setting` is where its settings stand."""

    def __init__(
        self, probe: Probe, check: str, setting: str, url: str, settings: ReasonerSection
    ) -> None:
        self._probe = probe
        self._check = check
        self._setting = setting
        self._url = url
        self._settings = settings
        self._key = api_key(settings.api_key_env)

    async def findings(self) -> list[Finding]:
        try:
            server = await find_server(self._probe, self._url, self._key)
        except KeyRefused as problem:
            return [bad_because(self._check, problem, self._key_advice())]
        except Problem as problem:
            advice = f"start it, or set {self._setting}.url; the gateway has to reach it"
            return [bad_because(self._check, problem, advice)]
        if wrong := await self._wrong_url(server):
            return [wrong]
        findings = [self._reached(), *await self._models(server)]
        card = server.card(self._settings.model)
        findings += [self._context(card), *self._vision(card), await self._dialects()]
        return findings

    def _key_advice(self) -> str:
        if variable := self._settings.api_key_env:
            return f"is the key in the environment variable {variable} this server's?"
        return f"name the environment variable that holds its key: {self._setting}.api_key_env"

    async def _wrong_url(self, server: Server) -> Finding | None:
        """A URL that stands for another one, or for another service."""
        if server.url != self._url:
            advice = f"set {self._setting}.url: {server.url}"
            return bad(self._check, f"its API is at {server.url}, not at {self._url}", advice)
        owners = {card.get("owned_by") for card in (server.cards or {}).values()}
        told = _OURS in owners and await other_service(self._probe, self._url.removesuffix("/v1"))
        if told and "reasoner" not in told:
            return bad(
                self._check, f"{self._url} is no reasoner: {told}", f"set {self._setting}.url"
            )
        return None

    def _reached(self) -> Finding:
        variable = self._settings.api_key_env
        with_key = f", and accepts the key of {variable}" if variable else ""
        return good(self._check, f"{self._url} answers{with_key}")

    async def _models(self, server: Server) -> list[Finding]:
        wanted = dict.fromkeys([self._settings.model, self._settings.text_model])
        return [await self._model(server, model) for model in wanted if model is not None]

    async def _model(self, server: Server, model: str) -> Finding:
        if server.cards is None:
            return skipped(
                self._check,
                f"it lists no models, so nobody can tell whether it knows {model}",
                "" if self._settings.revision else self._list_advice(),
            )
        if await name_of(self._probe, server, model, self._key):
            return good(self._check, f"it knows the model {model}")
        has = listed(list(server.cards), model) or "none"
        return bad(
            self._check, f"it has no model {model}", f"set {self._setting}.model; it has {has}"
        )

    def _list_advice(self) -> str:
        return (
            "answers come all the same, but the gateway's /readyz is 503 for want of a list; set "
            f"{self._setting}.revision, and none is needed"
        )

    def _context(self, card: Mapping[str, Any]) -> Finding:
        ours, theirs = self._settings.context_tokens, context_tokens(card)
        if theirs is None:
            return skipped(
                self._check, f"it does not tell its context length; context_tokens: {ours}"
            )
        if ours > theirs:
            advice = (
                f"set {self._setting}.context_tokens: {theirs}, and less than that for "
                "visual_budget_tokens and sampling.max_tokens together"
            )
            return bad(
                self._check, f"context_tokens is {ours}, its context length {theirs}", advice
            )
        return good(self._check, f"context_tokens {ours} of its {theirs}")

    def _vision(self, card: Mapping[str, Any]) -> Iterator[Finding]:
        """Whether it takes images, where its card or its settings say so."""
        setting, sees, told = f"{self._setting}.vision", self._settings.vision, takes_images(card)
        if told and sees:
            yield good(self._check, "its model takes images, which pass to it")
        elif told:
            advice = f"set {setting}: true to send it the images themselves"
            message = "its model takes images; vision is off, so it is sent captions"
            yield skipped(self._check, message, advice)
        elif sees and told is None:
            message = "it does not tell whether its model takes images; vision: true"
            yield skipped(self._check, message)
        elif sees:
            message = "vision is true, and its model takes no images"
            yield bad(self._check, message, f"set {setting}: false, or another model")

    async def _dialects(self) -> Finding:
        try:
            dialects = await spoken_dialects(self._probe, self._url, self._key)
        except Problem as problem:
            return bad_because(self._check, problem, "the log of its server says more")
        if "chat" in dialects:
            return good(self._check, f"it speaks {', '.join(dialects)}")
        advice = "a reasoner is a server of the OpenAI chat API, with streams"
        return bad(self._check, f"{self._url}/chat/completions is not served", advice)
