"""The gateway's own metrics, beside those of servekit."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from time import perf_counter

from prometheus_client import Counter, Histogram

from racro.contracts.perception import Usage
from racro.servekit.metrics import SECONDS

STAGE_SECONDS = Histogram(
    "racro_stage_seconds",
    "Seconds of a stage: load, perceive, captioner, first_token, reason, total.",
    ["stage"],
    buckets=SECONDS,
)
CACHE_RESULTS = Counter(
    "racro_cache_results", "Visual contexts by where they came from.", ["result"]
)
CACHE_BYTES = Counter("racro_cache_bytes", "Bytes read from and written to the cache.", ["way"])
TOKENS = Counter("racro_tokens", "Tokens by stage and direction.", ["stage", "direction"])
IMAGES = Counter("racro_images", "Images accepted, by how they came.", ["source"])


# Looking a label up costs more than counting under it.
_stage_seconds = cache(STAGE_SECONDS.labels)
_tokens = cache(TOKENS.labels)


class Stopwatch:
    """Seconds since it was made, and of the stages measured with it."""

    def __init__(self) -> None:
        self._started = perf_counter()
        self.stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure one stage; a stage that fails is not counted."""
        started = perf_counter()
        yield
        self.record(name, perf_counter() - started)

    def record(self, name: str, seconds: float) -> None:
        self.stages[name] = seconds
        _stage_seconds(name).observe(seconds)

    def total(self) -> float:
        return perf_counter() - self._started

    def server_timing(self) -> bytes:
        """The Server-Timing header: milliseconds by stage, as far as they are known."""
        return ", ".join(
            f"{name};dur={seconds * 1000:.1f}" for name, seconds in self.stages.items()
        ).encode()


def count_tokens(stage: str, usage: Usage) -> None:
    if usage.prompt_tokens or usage.completion_tokens:
        _tokens(stage, "prompt").inc(usage.prompt_tokens)
        _tokens(stage, "completion").inc(usage.completion_tokens)
