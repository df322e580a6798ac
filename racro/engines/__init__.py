"""What runs a model: a supervised child process with an OpenAI-compatible server, or a URL."""

from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp


class Engine(Protocol):
    """Speaks the OpenAI chat API at `base_url` (which ends in /v1) while it has no problem.

    `headers` are added to every request, `stream_fields` to those that are streamed. An engine that
    notices a client's leaving only while it streams sets `plain_by_stream`: plain answers are then
    folded by us. One that knows images by a content id (vLLM's `uuid`) has `image_ids`, one that
    may serve /responses and /messages beside its chat API `more_apis`. A captioner asks one with
    `single_samples` for each of several samples by itself.
    """

    headers: Mapping[str, str]
    stream_fields: Mapping[str, Any]
    plain_by_stream: bool
    image_ids: bool
    more_apis: bool
    single_samples: bool

    @property
    def base_url(self) -> str: ...

    @property
    def model(self) -> str:
        """The name that the engine itself knows its model by."""

    @property
    def api_key(self) -> str | None: ...

    async def start(self, session: aiohttp.ClientSession) -> None: ...

    async def stop(self) -> None: ...

    @property
    def known_problem(self) -> str | None:
        """Why it would not answer, if that is known without asking it; clients may see it."""

    async def problem(self) -> str | None:
        """Why it would not answer now, with all that helps its operator."""

    async def revision(self) -> str | None:
        """Of the weights; None where the engine does not tell. Raises UpstreamError."""
