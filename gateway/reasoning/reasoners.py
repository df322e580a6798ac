"""The reasoners, by the names that clients give as `model`."""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

from gateway import metrics
from gateway.reasoning.names import FurtherNames
from gateway.reasoning.replicas import Replica, Replicas
from gateway.reasoning.request_headers import key_headers
from gateway.reasoning.served_dialects import PATHS, Api, ServedDialects, card_of
from gateway.replica_list import ReplicaList
from gateway.settings import ReasonerSection
from gateway.tenancy.fair_queue import FairQueue, QueueLimits, Ticket
from gateway.tenancy.tenants import Tenant
from racro.contracts.completion import Chunk
from racro.contracts.errors import UnknownModel, UpstreamError
from racro.servekit.chat_stream import read_chunks
from racro.servekit.field_refusals import OwnField
from racro.servekit.gen_ai_metrics import count_model, forget_model
from racro.servekit.own_fields import OwnFields
from racro.servekit.settings import api_key
from racro.servekit.spaced_probe import SpacedProbe, probe_interval_of
from racro.servekit.upstream import Client, Response, Upstream

_REVISION_TTL_S = 30.0
_RETRY_S = 1.0
# Fields of /v1/solve that a server may refuse. Of temperature and top_p some take either.
_OPTIONAL: tuple[OwnField, ...] = ("stream_options", "top_p", "temperature", "max_tokens")


def component_of(name: str) -> str:
    """Return what readiness and metrics call the reasoner of that name."""
    return f"reasoner {name}"


class Reasoner:
    """A reasoner with its settings, asked through its queue and its replicas."""

    def __init__(
        self, name: str, settings: ReasonerSection, replicas: Replicas, queue: FairQueue
    ) -> None:
        self.name = name
        self.settings = settings
        self._replicas = replicas
        self.queue = queue
        counts = {"stream_options": {"include_usage": True}} if settings.stream_options else {}
        self._request_fields = {
            "model": settings.model,
            **settings.sampling_fields,
            "stream": True,
            **counts,
        }
        self.dialects = ServedDialects(name, settings, replicas)
        self._key = api_key(settings.api_key_env)
        self._own_fields = OwnFields(_OPTIONAL, server=f"the reasoner {name}")
        self._revision: str | None = None
        self._asked_at = -math.inf
        self._was_told = False
        every_s = probe_interval_of(settings.probe_interval_s, api_key=self._key)
        self._probe = SpacedProbe(self._ask, interval_s=every_s)

    def post(
        self,
        api: Api,
        body: bytes,
        ticket: Ticket,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[Response]:
        """POST an encoded request of an API in its turn, and give its response, unread.

        Raises QueueFull, RateLimited, and what Replicas.post raises.
        """
        path = PATHS[api]
        every = {**(headers or {}), **key_headers(path, self._key)}
        return self._replicas.post(path, body, ticket, headers=every)

    async def stream(
        self, messages: Sequence[Mapping[str, Any]], ticket: Ticket
    ) -> AsyncGenerator[Chunk]:
        """Stream the answer to `messages` with this reasoner's own sampling, chunk by chunk.

        Raises an UpstreamError, ContextLengthExceeded if it says that the messages are too long,
        QueueFull or RateLimited.
        """
        body = {**self._request_fields, "messages": messages}

        def post(asked: dict[str, Any]) -> AbstractAsyncContextManager[Response]:
            return self._replicas.post(PATHS["chat"], asked, ticket)

        async with self._own_fields.ask(post, body, name="reasoner") as response:
            async for chunk in read_chunks(response, name="reasoner"):
                yield chunk

    async def check(self) -> None:
        """Tell whether it answers, now or when it was asked last. Raises UpstreamError if not."""
        await self._probe.check()

    @property
    def replicas_problem(self) -> str | None:
        """Tell how many of its servers did not answer when they were asked last, if any."""
        return self._replicas.problem

    async def _ask(self) -> None:
        """Ask for its models. Raises UpstreamError where it does not answer.

        Where the settings tell its revision any answer will do: some servers list no models.
        """
        if self.settings.revision is not None:
            await self._replicas.reach("/models")
            return
        self._asked_at = asyncio.get_running_loop().time()
        self._revision = _revision(await self._replicas.get_json("/models"), self.settings.model)
        self._was_told = True

    async def revision(self) -> str | None:
        """Return the revision of its weights, None if neither its settings nor the server tell.

        A server that tells one is asked again after 30 seconds, however seldom `check` asks. One
        that tells none is asked when `check` would ask, and no sooner than that; one that never
        answered, after a second.
        """
        if self.settings.revision is not None:
            return self.settings.revision
        believed_s = _REVISION_TTL_S if self._was_told else _RETRY_S
        if asyncio.get_running_loop().time() - self._asked_at > believed_s:
            most_s = math.inf if self._revision is None else believed_s
            with suppress(UpstreamError):
                await self._probe.check(believed_s=most_s)
        return self._revision


def _models(reasoners: Iterable[Reasoner]) -> set[str]:
    """Return the models that servers of reasoners are asked for."""
    named = ((one.settings.model, one.settings.text_model) for one in reasoners)
    return {model for pair in named for model in pair if model is not None}


def _revision(listing: Any, model: str) -> str | None:
    revision = card_of(listing, model).get("revision")
    return revision if isinstance(revision, str) else None


class Reasoners:
    """The configured reasoners by name. They can be replaced while requests are running."""

    def __init__(
        self,
        settings: Mapping[str, ReasonerSection],
        client: Client,
        *,
        ahead: Callable[[], int] = int,
    ) -> None:
        """`ahead` returns how many requests may be perceived at once, by all reasoners together."""
        self._client = client
        self._ahead = ahead
        self._by_name: dict[str, Reasoner] = {}
        self._queues: dict[str, FairQueue] = {}
        self._replicas: dict[str, ReplicaList[Replica]] = {}
        self.replace(settings)

    def replace(self, settings: Mapping[str, ReasonerSection]) -> None:
        """Use other reasoners from the next request on; a request in flight keeps the one it has.

        A reasoner whose settings are the same stays the same object, and one of the same name
        keeps its queue, in which requests of before may run or wait.
        """
        before = self._by_name
        self._by_name = {
            name: before[name]
            if name in before and before[name].settings == section
            else self._open(name, section)
            for name, section in settings.items()
        }
        self._further_names = FurtherNames(
            {name: section.also_known_as for name, section in settings.items()}
        )
        for name in before.keys() - self._by_name.keys():
            metrics.forget_queue(self._queues.pop(name).name)
            metrics.forget_replicas(component_of(name))
            metrics.forget_reasoner(name)
            del self._replicas[name]
        for model in _models(before.values()) - _models(self):
            forget_model(model)
        for model in _models(self):
            count_model(model)

    def _open(self, name: str, settings: ReasonerSection) -> Reasoner:
        replicas = self._replica_list(name, settings)
        queue = self._queue(name, QueueLimits.of(settings, servers=len(replicas)))
        metrics.create_reasoner_series(name)
        metrics.observe_replicas(
            component_of(name), count=lambda: len(replicas), failed=lambda: replicas.failed
        )
        self._replicas[name] = replicas
        probes_each = settings.api_key_env is None
        return Reasoner(name, settings, Replicas(replicas, probes_each=probes_each), queue)

    def _replica_list(self, name: str, settings: ReasonerSection) -> ReplicaList[Replica]:
        """Return its replicas; those whose servers stay keep what was known of these."""
        key = api_key(settings.api_key_env)
        # Readiness asks, too: both together no more than twice in the interval.
        recheck_every_s = 2 * probe_interval_of(settings.probe_interval_s, api_key=key)

        def make(url: str, address: str | None, known: Sequence[Replica]) -> Replica:
            upstream = Upstream(self._client, url, name="reasoner", api_key=key, address=address)
            state = next((one.state for one in known if one.address == address), None)
            return Replica(
                upstream, url=url, address=address, state=state, recheck_every_s=recheck_every_s
            )

        def on_change(count: int) -> None:
            # A list that was replaced may be refreshed a last time.
            if self._replicas.get(name) is replicas:
                self._queues[name].change(QueueLimits.of(settings, servers=count))

        replicas = ReplicaList(
            self._client,
            settings.urls,
            make,
            on_change=on_change,
            before=self._replicas.get(name),
        )
        return replicas

    def _queue(self, name: str, limits: QueueLimits) -> FairQueue:
        """Return the queue of that name, with those limits from now on."""
        queue = self._queues.get(name)
        if queue is None:
            queue = FairQueue(component_of(name), limits, ahead=self._ahead)
            self._queues[name] = queue
        else:
            queue.change(limits)
        return queue

    @property
    def replica_lists(self) -> Iterable[ReplicaList[Replica]]:
        """The replicas of each reasoner, to be kept up to date."""
        return self._replicas.values()

    def __iter__(self) -> Iterator[Reasoner]:
        return iter(self._by_name.values())

    def visible_to(self, tenant: Tenant) -> Iterator[Reasoner]:
        """Iterate over the reasoners that `tenant` may use."""
        return (reasoner for reasoner in self if tenant.may_ask(reasoner.name))

    def get(self, name: str, tenant: Tenant) -> Reasoner:
        """Return the reasoner of that name, or one that is also known by it.

        Raises UnknownModel, also where `tenant` may not use it.
        """
        own_name = name if name in self._by_name else self._further_names.reasoner_of(name)
        if own_name is None or not tenant.may_ask(own_name):
            raise UnknownModel("no such model; GET /v1/models lists those there are", param="model")
        return self._by_name[own_name]
