"""Reaches an engine that runs elsewhere: any server of OpenAI's chat API, by its URL."""

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from pydantic import Field

from racro.contracts.errors import UpstreamError
from racro.engines.engine import NOT_STARTED, Engine, ServedModel, Traits
from racro.engines.engine_sections import EngineSection, VisionSection
from racro.servekit.health import Problem
from racro.servekit.settings import (
    ApiKeyEnv,
    AsksForUsage,
    MaxTokensField,
    ProbeInterval,
    Url,
    api_key,
)
from racro.servekit.spaced_probe import SpacedProbe, probe_interval_of
from racro.servekit.upstream import Response

_TOLD_BELIEVED_S = 5


class RemoteSettings(EngineSection):
    kind: Literal["url"] = "url"
    url: Url = Field(
        description="Base URL of an OpenAI-compatible server, up to and including /v1.",
    )
    model: str = Field(description="The model's name at that server.")
    revision: str | None = Field(
        default=None,
        description=(
            "Revision of its weights and adapter. Unset, what the server's /models tells, which "
            "for most servers is the name alone: set it where weights change under one name, and "
            "where the server has no /models."
        ),
    )
    api_key_env: ApiKeyEnv | None = Field(
        default=None, description="Environment variable that holds the server's API key."
    )
    probe_interval_s: ProbeInterval

    def as_taken(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a chat request of our own as the server takes it: a reasoner's has none."""
        return body


class RemoteVisionSettings(RemoteSettings, VisionSection):
    """A captioner's, whose requests are our own."""

    max_tokens_field: MaxTokensField = Field(
        default="max_tokens", description="The server's name for the token limit of a caption."
    )
    stream_options: AsksForUsage = Field(
        default=True,
        description="Ask for the tokens of a caption by stream_options; null: not sent.",
    )

    def model_name(self) -> str:
        return self.model

    def shaping(self) -> Sequence[Any]:
        """Return nothing: what shapes the answers of a server elsewhere is not set here."""
        return ()

    def as_taken(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a chat request of our own with the limit's name, and without what is not sent."""
        left_out = set() if self.stream_options else {"stream_options"}
        return {
            self.max_tokens_field if field == "max_tokens" else field: value
            for field, value in body.items()
            if field not in left_out
        }


class RemoteEngine(Engine):
    """Asks a server that somebody else runs."""

    traits = Traits(more_apis=True)

    def __init__(self, settings: RemoteSettings, *, served_name: str) -> None:
        self._settings = settings
        self.models = {served_name: ServedModel(engine_name=settings.model)}
        self.model = settings.model
        self._key = api_key(settings.api_key_env)
        self._told: dict[str, Any] = {}
        self._asked_at = -math.inf
        every_s = probe_interval_of(settings.probe_interval_s, api_key=self._key)
        self._untold_s = max(_TOLD_BELIEVED_S, every_s)
        self._probe = SpacedProbe(self._ask_whether_it_answers, interval_s=every_s)

    @property
    def _base_url(self) -> str:
        return self._settings.url

    @property
    def _api_key(self) -> str | None:
        return self._key

    @property
    def known_problem(self) -> Problem | None:
        return Problem(NOT_STARTED) if self._client is None else None

    def chat(
        self, body: Mapping[str, Any], *, name: str = "engine"
    ) -> AbstractAsyncContextManager[Response]:
        return super().chat(self._settings.as_taken(body), name=name)

    async def problem(self) -> Problem | None:
        """Tell why it would not answer, now or when it was asked last."""
        try:
            await self._probe.check()
        except UpstreamError as error:
            return Problem(error.message)
        return None

    async def _ask_whether_it_answers(self) -> None:
        """Ask for its models, which have to tell its revision where the settings do not.

        Where they do any answer will do, for some servers list nothing. Raises UpstreamError.
        """
        if self._settings.revision is None:
            await self._ask()
        else:
            await self._upstream(self._base_url).reach("/models")

    async def revision(self) -> str | None:
        """Tell what its /models does, if it tells any (our own reasoner service does).

        One that is told is believed for five seconds, for captions are kept under it; that none is
        told, for as long as the server is not to be asked again. Both longer where it does not
        answer then.
        """
        if self._settings.revision is not None:
            return self._settings.revision
        believed_s = self._untold_s if self._told_revision is None else _TOLD_BELIEVED_S
        if time.monotonic() - self._asked_at > believed_s:
            try:
                await self._ask()
            except UpstreamError:
                if self._asked_at == -math.inf:
                    raise
        return self._told_revision

    @property
    def _told_revision(self) -> str | None:
        revision = self._told.get("revision")
        return revision if isinstance(revision, str) else None

    async def _ask(self) -> None:
        """Note what is told of our model: nothing where it is not listed, as routers may not do."""
        match await self._upstream(self._base_url).get_json("/models"):
            case {"data": [*models]}:
                named = [model for model in models if isinstance(model, dict)]
                self._told = next((card for card in named if card.get("id") == self.model), {})
                self._asked_at = time.monotonic()
            case _:
                raise UpstreamError("the engine does not list its models")
