"""Defines an engine: what runs a model, and answers OpenAI's chat API for it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from racro.contracts.errors import NotStarted
from racro.contracts.prompts import SolveProfile
from racro.servekit.health import Problem
from racro.servekit.own_fields import OwnFields
from racro.servekit.upstream import Client, Response, Upstream

NOT_STARTED = "the engine was not started"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedModel:
    """Describes a model that an engine serves, and how requests for it are put to the engine.

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
        """Return the request that the engine gets for a client's `body`."""
        asked = {name: value for name, value in body.items() if name not in self.ignored}
        left_open = {
            name: value for name, value in self.defaults.items() if asked.get(name) is None
        }
        return {**asked, **left_open, **self.fields, "model": self.engine_name}

    def revision(self, of_engine: str | None) -> str | None:
        """Return its own out of the engine's, which names an adapter's weights behind a plus."""
        if of_engine is None or not self.without_adapter:
            return of_engine
        return of_engine.partition("+")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """Declares what a kind of engine needs, or offers, beyond OpenAI's chat API.

    `headers` are added to every request, `stream_fields` to the bodies of those that are streamed.
    One that notices a client's disconnect only while it streams has `plain_by_stream`: its plain
    answers are made out of streams. One with `image_ids` knows images by an id of their content
    (vLLM's `uuid`), one with `more_apis` may serve /responses and /messages, too. A captioner asks
    one with `single_samples` for each of several samples by itself.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    stream_fields: Mapping[str, Any] = field(default_factory=dict)
    plain_by_stream: bool = False
    image_ids: bool = False
    more_apis: bool = False
    single_samples: bool = False


class Engine(ABC):
    """Answers chat requests, over OpenAI's API, while it has no problem.

    `model` is the name that it knows its model by itself; `models` are all that it serves, by the
    names that clients use, the default first.
    """

    traits: ClassVar[Traits] = Traits()
    model: str
    models: Mapping[str, ServedModel]
    _client: Client | None = None

    @property
    @abstractmethod
    def _base_url(self) -> str:
        """Return the URL of its API, up to and including /v1."""

    @property
    def _api_key(self) -> str | None:
        """Return the API key that its server asks for now, if it asks for one."""
        return None

    @cached_property
    def own_fields(self) -> OwnFields:
        """Return what asks it with requests of our own, of which its server may refuse a field.

        The temperature is never left out unasked: it shapes captions.
        """
        return OwnFields(("stream_options", "max_tokens"), server=f"the engine of {self.model}")

    async def start(self, client: Client) -> None:
        """Start what runs it; `client` is used until `stop`."""
        self._upstreams: dict[tuple[str, str, str | None], Upstream] = {}
        self._client = client

    async def stop(self) -> None:
        """End what runs it."""
        self._client = None

    def chat(
        self, body: Mapping[str, Any], *, name: str = "engine"
    ) -> AbstractAsyncContextManager[Response]:
        """Send a chat request of our own; the rest is as of `post`."""
        return self.post("/chat/completions", body, name=name)

    def post(
        self, path: str, body: Mapping[str, Any], *, name: str = "engine"
    ) -> AbstractAsyncContextManager[Response]:
        """Send a request to the API under `path`, whose response is there in the block.

        It may have any status, and its body is unread. `name` is what clients see of the engine in
        errors. Raises as `Upstream.request` does.
        """
        if body.get("stream"):
            body = {**body, **self.traits.stream_fields}
        upstream = self._upstream(self._base_url, name=name)
        return upstream.post(path, body, headers=self.traits.headers)

    def _upstream(self, base_url: str, *, name: str = "engine") -> Upstream:
        """Return the server at that URL. Raises NotStarted where the engine was not started."""
        if self._client is None:
            raise NotStarted(NOT_STARTED)
        key = self._api_key
        upstream = self._upstreams.get((base_url, name, key))
        if upstream is None:
            upstream = Upstream(self._client, base_url, name=name, api_key=key)
            self._upstreams[base_url, name, key] = upstream
        return upstream

    @property
    @abstractmethod
    def known_problem(self) -> Problem | None:
        """Tell why it would not answer, if that is known without asking it."""

    async def problem(self) -> Problem | None:
        """Tell why it would not answer now; it may be asked."""
        return self.known_problem

    @abstractmethod
    async def revision(self) -> str | None:
        """Tell the revision of the weights, if the engine does. Raises UpstreamError."""
