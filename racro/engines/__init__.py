"""What runs a model: a supervised child process with an OpenAI-compatible server, or a URL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from racro.contracts.prompts import SolveProfile


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedModel:
    """A model that an engine serves, and how requests for it are put to the engine.

    `engine_name`: what the engine calls it. `fields` are set in every request whatever the client
    sent, `defaults` where the client left them open; the client's `ignored` fields are dropped.
    `prompt_profile`: the one that its adapter was trained for, if any. With `stops_loops` an answer
    that repeats itself is ended. `most_choices`: how many answers one request may ask for, where
    the engine has a limit.
    """

    engine_name: str
    without_adapter: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    prompt_profile: SolveProfile | None = None
    stops_loops: bool = False
    most_choices: int | None = None

    def request(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The request that the engine gets for a client's `body`."""
        asked = {name: value for name, value in body.items() if name not in self.ignored}
        left_open = {
            name: value for name, value in self.defaults.items() if asked.get(name) is None
        }
        return {**asked, **left_open, **self.fields, "model": self.engine_name}

    def revision(self, of_engine: str | None) -> str | None:
        """Its own out of the engine's, which names an adapter's weights behind a plus."""
        if of_engine is None or not self.without_adapter:
            return of_engine
        return of_engine.partition("+")[0]


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
    def models(self) -> Mapping[str, ServedModel]:
        """All that it serves, by the names that clients use; the first is the default."""

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
