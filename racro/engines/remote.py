"""An engine that runs elsewhere: any server of the OpenAI chat API, by URL."""

from collections.abc import Mapping
from typing import Any, Literal

import aiohttp
from pydantic import Field

from racro.contracts.errors import UpstreamError
from racro.servekit.settings import ApiKeyEnv, Section, api_key
from racro.servekit.upstream import Upstream


class RemoteSettings(Section):
    kind: Literal["url"] = "url"
    url: str = Field(
        pattern="^https?://.+",
        description="Base URL of an OpenAI-compatible server, up to and including /v1.",
    )
    model: str = Field(description="The model's name at that server.")
    revision: str | None = Field(
        default=None,
        description=(
            "Revision of its weights and adapter. Unset, what the server's /models tells, which "
            "for most servers is the name alone: set it where weights change under one name."
        ),
    )
    api_key_env: ApiKeyEnv | None = Field(
        default=None, description="Environment variable that holds the server's API key."
    )


class RemoteEngine:
    headers: Mapping[str, str] = {}
    stream_fields: Mapping[str, Any] = {}
    plain_by_stream = False
    image_ids = False

    def __init__(self, settings: RemoteSettings, *, served_name: str) -> None:  # noqa: ARG002
        self._settings = settings
        self.api_key = api_key(settings.api_key_env)
        self._upstream: Upstream | None = None

    @property
    def base_url(self) -> str:
        return self._settings.url

    @property
    def model(self) -> str:
        return self._settings.model

    async def start(self, session: aiohttp.ClientSession) -> None:
        self._upstream = Upstream(session, self.base_url, name="engine", api_key=self.api_key)

    async def stop(self) -> None:
        self._upstream = None

    async def problem(self) -> str | None:
        try:
            await self._card()
        except UpstreamError as error:
            return error.message
        return None

    async def revision(self) -> str | None:
        """What its /models says, if it says anything (our own reasoner service does)."""
        if self._settings.revision is not None:
            return self._settings.revision
        revision = (await self._card()).get("revision")
        return revision if isinstance(revision, str) else None

    async def _card(self) -> dict[str, Any]:
        if self._upstream is None:
            raise UpstreamError("the engine was not started")
        listing = await self._upstream.get_json("/models")
        models = listing.get("data") if isinstance(listing, dict) else None
        for card in models if isinstance(models, list) else ():
            if isinstance(card, dict) and card.get("id") == self.model:
                return card
        raise UpstreamError(f"the engine does not serve model {self.model!r}")
