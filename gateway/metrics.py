"""The gateway's own metrics, beside those of servekit.

What tenants use has a label `tenant`, which is what `Tenant.label` says at the moment of counting.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from time import perf_counter
from typing import Literal, NamedTuple, get_args

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from racro.contracts.errors import RequestError
from racro.contracts.perception import Usage
from racro.contracts.solve_api import CacheResult
from racro.servekit.service_metrics import SECONDS
from racro.servekit.tracing import exemplar, trace_id

STAGE_SECONDS = Histogram(
    "racro_stage_seconds",
    "Seconds of a stage: load, perceive, captioner, first_token, reason, total; from asking the "
    "reasoner on by its name.",
    ["stage", "reasoner"],
    buckets=SECONDS,
)
CACHE_RESULTS = Counter(
    "racro_cache_results", "Visual contexts by where they came from.", ["result", "tenant"]
)
CAPTIONS_MISSING = Counter(
    "racro_captions_missing",
    "Visual contexts that a chat went on without (on_caption_failure: note), by the error's code.",
    ["code"],
)
CACHE_BYTES = Counter("racro_cache_bytes", "Bytes read from and written to the cache.", ["way"])
CACHE_HITS = Counter(
    "racro_cache_hits", "Parts found, by tier: local (the process), redis.", ["tier"]
)
CACHE_SECONDS = Histogram(
    "racro_cache_seconds",
    "Seconds of a cache operation (get, set) by tier.",
    ["tier", "operation"],
    buckets=(0.00001, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
)
CACHE_DAMAGED = Counter("racro_cache_damaged", "Entries that could not be read, and were deleted.")
CACHE_BREAKER = Gauge(
    "racro_cache_breaker_open", "1 while Redis is left out of reading or writing.", ["way"]
)
LEASES = Counter(
    "racro_leases",
    "Captions that another gateway was getting: waited for; taken_over from one that died or "
    "gave up; got alone: no Redis, too long a wait, or nothing there in the end.",
    ["outcome"],
)
SAVED_SECONDS = Counter(
    "racro_captioner_saved_seconds", "Captioner seconds that cached parts once took."
)
SAVED_TOKENS = Counter(
    "racro_captioner_saved_tokens", "Captioner tokens that cached parts once took."
)
RELOADS = Counter("racro_reloads", "Changed settings, by outcome: taken, refused.", ["outcome"])
QUEUE_SECONDS = Histogram(
    "racro_queue_seconds",
    "Seconds that requests waited for a place; those that did not wait are not counted.",
    ["queue"],
    buckets=SECONDS,
)
QUEUE_REFUSALS = Counter(
    "racro_queue_refusals",
    "Requests refused because many wait: 503, all places are taken; 429, the tenant's share.",
    ["queue", "status", "tenant"],
)
STAGE_FAILURES = Counter(
    "racro_stage_failures",
    "Stages that ended with an error that their clients could not mend: load, perceive, captioner.",
    ["stage"],
)
# Of a count that is born at 1 no rate tells.
for _stage in ("load", "perceive", "captioner"):
    STAGE_FAILURES.labels(_stage)
# How an answer ended: `broken` after its first token, `refused` or `failed` before it.
Outcome = Literal["complete", "broken", "refused", "failed", "timeout", "left"]
ANSWERS = Counter(
    "racro_reasoner_answers",
    "Answers of reasoners by how they ended: complete; broken, after their first token; refused, "
    "by the client's fault; failed, before the first token; timeout; left by the client.",
    ["reasoner", "outcome", "tenant"],
)
REPLICAS = Gauge(
    "racro_replicas",
    "Copies of the captioner and of each reasoner: up, and down, since they failed last.",
    ["component", "state"],
)
TOKENS = Counter(
    "racro_tokens",
    "Tokens by stage and direction, those of reasoners by name.",
    ["stage", "direction", "reasoner", "tenant"],
)
ImageOrigin = Literal["url", "data_url", "upload"]
IMAGES = Counter("racro_images", "Images accepted, by how they came.", ["source", "tenant"])
PAGES = Counter("racro_pages", "Pages of PDFs that were captioned.", ["tenant"])
_OF_TENANTS = (CACHE_RESULTS, QUEUE_REFUSALS, ANSWERS, TOKENS, IMAGES, PAGES)


# Looking a label up costs more than counting under it.
_stage_seconds = cache(STAGE_SECONDS.labels)
_tokens = cache(TOKENS.labels)
_answers = cache(ANSWERS.labels)
_cache_results = cache(CACHE_RESULTS.labels)
_images = cache(IMAGES.labels)
_cache_bytes = cache(CACHE_BYTES.labels)
_cache_hits = cache(CACHE_HITS.labels)
_cache_seconds = cache(CACHE_SECONDS.labels)


class Stopwatch:
    """Measures the seconds since it was made, and those of stages.

    `reasoner` is the one that answers, from then on.
    """

    def __init__(self) -> None:
        self.reasoner = ""
        self._started = perf_counter()
        self.stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure one stage; one that fails is counted by itself.

        One that is left is not counted, nor what only its client can mend, such as a damaged image.
        """
        started = perf_counter()
        try:
            yield
        except RequestError:
            raise
        except Exception:
            STAGE_FAILURES.labels(name).inc()
            raise
        self.record(name, perf_counter() - started)

    def record(self, name: str, seconds: float) -> None:
        self.stages[name] = seconds
        _stage_seconds(name, self.reasoner).observe(seconds, exemplar(trace_id()))

    def total(self) -> float:
        return perf_counter() - self._started

    def server_timing(self) -> bytes:
        """Return a Server-Timing header: the milliseconds of the stages that have ended."""
        return ", ".join(
            f"{name};dur={seconds * 1000:.1f}" for name, seconds in self.stages.items()
        ).encode()


def count_tokens(stage: str, usage: Usage, *, reasoner: str = "", tenant: str = "") -> None:
    if usage.is_known:
        _tokens(stage, "prompt", reasoner, tenant).inc(usage.prompt_tokens)
        _tokens(stage, "completion", reasoner, tenant).inc(usage.completion_tokens)


def count_answer(reasoner: str, outcome: Outcome, *, tenant: str = "") -> None:
    _answers(reasoner, outcome, tenant).inc()


def count_result(result: CacheResult, *, tenant: str = "") -> None:
    _cache_results(result, tenant).inc()


def count_image(source: ImageOrigin, *, tenant: str = "") -> None:
    _images(source, tenant).inc()


def count_pages(number: int, *, tenant: str = "") -> None:
    PAGES.labels(tenant).inc(number)


# Whose counts there are. A count that is born at 1 is one that neither rate() nor increase() sees.
_reasoners: set[str] = set()
_tenants: set[str] = set()


def create_reasoner_series(reasoner: str) -> None:
    """Have the counts of a reasoner begin at 0, for each tenant."""
    _reasoners.add(reasoner)
    for tenant in _tenants:
        _create_answers(reasoner, tenant)


def create_tenant_series(tenant: str) -> None:
    """Have the counts of a tenant begin at 0, for each reasoner and each queue."""
    _tenants.add(tenant)
    _create_tokens("captioner", "", tenant)
    PAGES.labels(tenant)
    for source in get_args(ImageOrigin):
        _images(source, tenant)
    for result in get_args(CacheResult):
        _cache_results(result, tenant)
    for reasoner in _reasoners:
        _create_answers(reasoner, tenant)
    for queue in _QUEUES.names:
        _create_refusals(queue, tenant)


def _create_answers(reasoner: str, tenant: str) -> None:
    for outcome in get_args(Outcome):
        _answers(reasoner, outcome, tenant)
    _create_tokens("reasoner", reasoner, tenant)


def _create_tokens(stage: str, reasoner: str, tenant: str) -> None:
    for direction in ("prompt", "completion"):
        _tokens(stage, direction, reasoner, tenant)


def _create_refusals(queue: str, tenant: str) -> None:
    for status in (503, 429):
        QUEUE_REFUSALS.labels(queue, status, tenant)


def forget_reasoner(reasoner: str) -> None:
    """Drop what was counted of a reasoner that is not there any more."""
    _reasoners.discard(reasoner)
    for metric in (STAGE_SECONDS, TOKENS, ANSWERS):
        metric.remove_by_labels({"reasoner": reasoner})
    _clear_label_caches()


def forget_tenant(tenant: str) -> None:
    """Drop what was counted of a tenant that is not named any more."""
    _tenants.discard(tenant)
    for metric in _OF_TENANTS:
        metric.remove_by_labels({"tenant": tenant})
    _clear_label_caches()


def _clear_label_caches() -> None:
    """Forget the series that were removed: they would count on where nobody reads."""
    for labels in (_stage_seconds, _tokens, _answers, _cache_results, _images):
        labels.cache_clear()


def count_bytes(direction: Literal["read", "written"], number: int) -> None:
    _cache_bytes(direction).inc(number)


def count_hits(tier: str, number: int) -> None:
    if number:
        _cache_hits(tier).inc(number)


@contextmanager
def cache_seconds(tier: str, operation: str) -> Iterator[None]:
    started = perf_counter()
    yield
    _cache_seconds(tier, operation).observe(perf_counter() - started)


class TenantRequests(NamedTuple):
    """How many requests of a tenant run and wait in a queue now."""

    tenant: str
    running: int
    waiting: int


class _Queues(Collector):
    """The gauges of the queues, read from them when they are asked for."""

    def __init__(self) -> None:
        self._requests: dict[str, Callable[[], Iterable[TenantRequests]]] = {}

    @property
    def names(self) -> list[str]:
        return list(self._requests)

    def add(self, queue: str, requests: Callable[[], Iterable[TenantRequests]]) -> None:
        self._requests[queue] = requests

    def remove(self, queue: str) -> None:
        self._requests.pop(queue, None)

    def collect(self) -> Iterator[Metric]:
        labels = ["queue", "tenant"]
        in_flight = GaugeMetricFamily(
            "racro_queue_in_flight",
            "Requests that the captioner, or a reasoner, answers now.",
            labels=labels,
        )
        waiting = GaugeMetricFamily(
            "racro_queue_waiting", "Requests that wait for a place there.", labels=labels
        )
        # Copies: this is another thread than that of the requests.
        for queue, requests in [*self._requests.items()]:
            sums = dict.fromkeys([*_tenants], (0, 0))
            for one in requests():
                before = sums.get(one.tenant, (0, 0))
                sums[one.tenant] = (before[0] + one.running, before[1] + one.waiting)
            for tenant, (running, wait) in sums.items():
                in_flight.add_metric([queue, tenant], running)
                waiting.add_metric([queue, tenant], wait)
        yield in_flight
        yield waiting


_QUEUES = _Queues()
REGISTRY.register(_QUEUES)


def observe_queue(queue: str, requests: Callable[[], Iterable[TenantRequests]]) -> None:
    """Have the gauges of a queue read from it: `requests` returns those of each tenant."""
    _QUEUES.add(queue, requests)
    for tenant in _tenants:
        _create_refusals(queue, tenant)


def forget_queue(queue: str) -> None:
    """Drop the metrics of a queue that is not there any more."""
    _QUEUES.remove(queue)
    for metric in (QUEUE_SECONDS, QUEUE_REFUSALS):
        metric.remove_by_labels({"queue": queue})


def observe_replicas(
    component: str, *, count: Callable[[], int], failed: Callable[[], int]
) -> None:
    """Have the gauges of a component's replicas read from what is known of them."""
    REPLICAS.labels(component, "up").set_function(lambda: count() - failed())
    REPLICAS.labels(component, "down").set_function(failed)


def forget_replicas(component: str) -> None:
    """Drop the gauges of a component that is not there any more."""
    REPLICAS.remove_by_labels({"component": component})


@contextmanager
def queue_seconds(queue: str) -> Iterator[None]:
    """Measure a wait; one that is broken off is not counted."""
    started = perf_counter()
    yield
    QUEUE_SECONDS.labels(queue).observe(perf_counter() - started)


def count_refusal(queue: str, status: int, *, tenant: str = "") -> None:
    QUEUE_REFUSALS.labels(queue, status, tenant).inc()


def count_saved(seconds: float, tokens: int) -> None:
    SAVED_SECONDS.inc(seconds)
    SAVED_TOKENS.inc(tokens)
