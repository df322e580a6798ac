"""Models of the user's own in place of the embedded default: `racro up --reasoner-url …`."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from racro.cli.probing import Probe, Problem
from racro.cli.servers import (
    Server,
    context_tokens,
    find_server,
    listed,
    name_of,
    origins,
)
from racro.cli.stack import (
    EmbeddedCaptioner,
    Ports,
    Service,
    embedded_captioner,
    embedded_reasoner,
    embedded_reasoner_settings,
    gateway,
)

_TIMEOUT_S = 20
_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]{0,63}")
# The gateway's own defaults, which a short context has no room for.
_VISUAL_TOKENS = 8192
_ANSWER_TOKENS = 8192


class BadOptionError(Exception):
    """An option that cannot be, alone or beside the others."""


class NotUsableError(Exception):
    """The server behind an option cannot be used; the message is for the user."""


@dataclass(frozen=True)
class OwnModels:
    """The options of `racro up` that name servers and models of the user's own."""

    reasoner_url: str | None = None
    reasoner_model: str | None = None
    api_key_env: str | None = None
    captioner_url: str | None = None
    captioner_model: str | None = None
    captioner_api_key_env: str | None = None

    @property
    def captions(self) -> bool:
        """Whether they replace the embedded captioner."""
        return bool(self.captioner_url or self.captioner_model)

    def check(self) -> None:
        """Raise BadOptionError if one of them lacks another, or a key."""
        if not self.reasoner_url and (self.reasoner_model or self.api_key_env):
            raise BadOptionError("--reasoner-model and --api-key-env need --reasoner-url")
        if self.captioner_model and not (self.captioner_url or self.reasoner_url):
            raise BadOptionError("--captioner-model needs --captioner-url or --reasoner-url")
        if self.captioner_api_key_env and not self.captions:
            raise BadOptionError("--captioner-api-key-env needs --captioner-url or its model")
        for option, variable in (
            ("--api-key-env", self.api_key_env),
            ("--captioner-api-key-env", self.captioner_api_key_env),
        ):
            _check_variable(option, variable)


def _check_variable(option: str, variable: str | None) -> None:
    if variable is None or (os.environ.get(variable) and not variable.startswith("RACRO_")):
        return
    # It is the key itself, perhaps, and not to be shown.
    if not _VARIABLE.fullmatch(variable):
        raise BadOptionError(f"{option} takes the name of an environment variable, not the key")
    if variable.startswith("RACRO_"):
        raise BadOptionError(f"{option}: {variable} would be a setting; RACRO_ begins those")
    raise BadOptionError(f"{option}: environment variable {variable} is not set")


async def own_services(
    ports: Ports, own: OwnModels, embedded: EmbeddedCaptioner
) -> tuple[list[Service], list[str]]:
    """What is to be started, the gateway last, and a line on each server that was found.

    Raises NotUsableError.
    """
    async with Probe(_TIMEOUT_S) as probe:
        finder = _Finder(probe, own)
        reasoner, reasoner_settings = await finder.reasoner(ports.reasoner)
        captioner, captioner_url = await finder.captioner(ports.captioner, embedded)
    # Without a listing the gateway does not call itself ready, and answers all the same.
    ready_path = "/healthz" if finder.is_unlisted else "/readyz"
    last = gateway(ports.gateway, captioner_url, reasoner_settings, ready_path=ready_path)
    return [one for one in (captioner, reasoner, last) if one is not None], finder.found


class _Finder:
    """Looks for servers and notes in `found` what it finds."""

    def __init__(self, probe: Probe, own: OwnModels) -> None:
        self.found: list[str] = []
        self.is_unlisted = False
        self._probe = probe
        self._own = own
        self._reasoners: Server | None = None

    async def reasoner(self, port: int) -> tuple[Service | None, dict[str, Any]]:
        """The service to start, if any, and how the gateway asks it."""
        own = self._own
        if own.reasoner_url is None:
            service = embedded_reasoner(port)
            return service, embedded_reasoner_settings(service)
        with _told_of(f"--reasoner-url {own.reasoner_url}"):
            server = await find_server(self._probe, own.reasoner_url, _key(own.api_key_env))
            model = await self._model(
                server, own.reasoner_model, own.api_key_env, "--reasoner-model"
            )
        self._reasoners, self.is_unlisted = server, server.cards is None
        tokens = context_tokens(server.card(model))
        told = f"{tokens} tokens of context" if tokens else "its context length is not told"
        self.found.append(f"reasoner {model} at {server.url}: {told}")
        return None, {**_engine(server.url, model, own.api_key_env), **_fitting(tokens)}

    async def captioner(self, port: int, embedded: EmbeddedCaptioner) -> tuple[Service | None, str]:
        """The service to start, if any, and the URL of the captioner."""
        own = self._own
        if not own.captions:
            service = embedded_captioner(port, embedded)
            return service, service.url
        if own.captioner_url and (url := await self._captioner_service(own.captioner_url)):
            return None, url
        engine = await self._vision_engine()
        config = {"captioner": {"kind": "vlm", "engine": {"kind": "url", **engine}}}
        service = Service("captioner", "services.captioner", port, config, ("PIL",))
        return service, service.url

    async def _captioner_service(self, typed: str) -> str | None:
        """The URL of a RACRO captioner, where that is what was typed."""
        with _told_of(f"--captioner-url {typed}"):
            for origin in origins(typed):
                try:
                    identity = await self._probe.get_json(f"{origin}/v1/identity")
                    model = identity["model"]
                except (Problem, LookupError, TypeError):
                    continue
                self.found.append(f"captioner {model} at {origin}")
                return origin
        return None

    async def _vision_engine(self) -> dict[str, Any]:
        own = self._own
        key_env = own.captioner_api_key_env or (None if own.captioner_url else own.api_key_env)
        where = f"--captioner-url {own.captioner_url}" if own.captioner_url else "--captioner-model"
        with _told_of(where):
            server = self._reasoners
            if own.captioner_url:
                server = await find_server(self._probe, own.captioner_url, _key(key_env))
            if server is None or server.cards is None:
                raise Problem("it lists no models, which the captioner service needs")
            model = await self._model(server, own.captioner_model, key_env, "--captioner-model")
        self.found.append(f"captioner {model} at {server.url}")
        return _engine(server.url, model, key_env)

    async def _model(
        self, server: Server, wanted: str | None, key_env: str | None, option: str
    ) -> str:
        """The model that is wanted, or the only one there is. Raises Problem."""
        models = list(server.cards or ())
        if wanted is None:
            if len(models) == 1:
                return models[0]
            has = f"it has several: {listed(models)}" if models else "it does not list its models"
            raise Problem(f"{has}", f"name one with {option}")
        if name := await name_of(self._probe, server, wanted, _key(key_env)):
            return name
        raise Problem(f"it has no model {wanted}", f"it has {listed(models, wanted)}")


@contextmanager
def _told_of(option: str) -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        raise NotUsableError(f"{option}: {problem}") from problem


def _key(variable: str | None) -> str | None:
    return None if variable is None else os.environ[variable]


def _engine(url: str, model: str, key_env: str | None) -> dict[str, Any]:
    return {"url": url, "model": model, **({"api_key_env": key_env} if key_env else {})}


def _fitting(tokens: int | None) -> dict[str, Any]:
    """Settings of a reasoner whose context has so many tokens."""
    if tokens is None:
        return {}
    return {
        "context_tokens": tokens,
        "visual_budget_tokens": min(_VISUAL_TOKENS, max(64, tokens // 4)),
        "sampling": {"max_tokens": min(_ANSWER_TOKENS, max(1, tokens // 2))},
    }
