"""The gateway's own metrics, beside those of servekit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from time import perf_counter
from typing import Literal, get_args

from prometheus_client import Counter, Gauge, Histogram

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
    "racro_cache_results", "Visual contexts by where they came from.", ["result"]
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
QUEUE_IN_FLIGHT = Gauge(
    "racro_queue_in_flight", "Requests that the captioner, or a reasoner, answers now.", ["queue"]
)
QUEUE_WAITING = Gauge("racro_queue_waiting", "Requests that wait for a place there.", ["queue"])
QUEUE_SECONDS = Histogram(
    "racro_queue_seconds",
    "Seconds that requests waited for a place; those that did not wait are not counted.",
    ["queue"],
    buckets=SECONDS,
)
QUEUE_REFUSALS = Counter(
    "racro_queue_refusals",
    "Requests refused because many wait: 503, all places are taken; 429, the tenant's share.",
    ["queue", "status"],
)
STAGE_FAILURES = Counter(
    "racro_stage_failures", "Stages that ended with an error: load, perceive, captioner.", ["stage"]
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
    ["reasoner", "outcome"],
)
REPLICAS = Gauge(
    "racro_replicas",
    "Copies of the captioner and of each reasoner: up, and down, since they failed last.",
    ["component", "state"],
)
TOKENS = Counter(
    "racro_tokens",
    "Tokens by stage and direction, those of reasoners by name.",
    ["stage", "direction", "reasoner"],
)
IMAGES = Counter("racro_images", "Images accepted, by how they came.", ["source"])
PAGES = Counter("racro_pages", "Pages of PDFs that were captioned.")


# Looking a label up costs more than counting under it.
_stage_seconds = cache(STAGE_SECONDS.labels)
_tokens = cache(TOKENS.labels)
_answers = cache(ANSWERS.labels)
_cache_results = cache(CACHE_RESULTS.labels)
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
        """Measure one stage; one that fails is counted by itself, one that is left is not."""
        started = perf_counter()
        try:
            yield
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


def count_tokens(stage: str, usage: Usage, *, reasoner: str = "") -> None:
    if usage.is_known:
        _tokens(stage, "prompt", reasoner).inc(usage.prompt_tokens)
        _tokens(stage, "completion", reasoner).inc(usage.completion_tokens)


def create_answer_counters(reasoner: str) -> None:
    """Have the counts of a reasoner begin at 0."""
    for outcome in get_args(Outcome):
        _answers(reasoner, outcome)


def count_answer(reasoner: str, outcome: Outcome) -> None:
    _answers(reasoner, outcome).inc()


def forget_reasoner(reasoner: str) -> None:
    """Drop what was counted of a reasoner that is not there any more."""
    for metric in (STAGE_SECONDS, TOKENS, ANSWERS):
        metric.remove_by_labels({"reasoner": reasoner})
    for labels in (_stage_seconds, _tokens, _answers):
        # They would count on where nobody reads.
        labels.cache_clear()


def count_result(result: CacheResult) -> None:
    _cache_results(result).inc()


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


def observe_queue(queue: str, *, running: Callable[[], int], waiting: Callable[[], int]) -> None:
    """Have the gauges of a queue read from it."""
    QUEUE_IN_FLIGHT.labels(queue).set_function(running)
    QUEUE_WAITING.labels(queue).set_function(waiting)


def forget_queue(queue: str) -> None:
    """Drop the metrics of a queue that is not there any more."""
    for metric in (QUEUE_IN_FLIGHT, QUEUE_WAITING, QUEUE_SECONDS, QUEUE_REFUSALS):
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


def count_refusal(queue: str, status: int) -> None:
    QUEUE_REFUSALS.labels(queue, status).inc()


def count_saved(seconds: float, tokens: int) -> None:
    SAVED_SECONDS.inc(seconds)
    SAVED_TOKENS.inc(tokens)
