"""Reads whether a vLLM engine makes progress: its /health is fine while it sleeps or is stuck."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

# Of the hundred that vLLM has. Counters are told without `_total`.
RELAYED = frozenset(
    f"vllm:{name}"
    for name in (
        "num_requests_running",
        "num_requests_waiting",
        "kv_cache_usage_perc",
        "time_to_first_token_seconds",
        "inter_token_latency_seconds",
        "request_queue_time_seconds",
        "request_prefill_time_seconds",
        "request_decode_time_seconds",
        "e2e_request_latency_seconds",
        "prompt_tokens",
        "prompt_tokens_cached",
        "generation_tokens",
        "request_success",
        "num_preemptions",
        "mm_cache_queries",
        "mm_cache_hits",
        "prefix_cache_queries",
        "prefix_cache_hits",
        "engine_sleep_state",
    )
)


@dataclass(frozen=True)
class Vitals:
    """Holds what it tells. `work` differs between two looks if anything was done in between.

    It is the tokens read and written by all of its copies since it began, and the share of the KV
    cache in use: the tokens of a prompt are counted when all of it is read, and until then the
    cache fills with each chunk.
    """

    asleep: bool
    work: tuple[float, float]
    relayed: tuple[Metric, ...] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Read them out of vLLM's /metrics."""
        relayed = tuple(
            family for family in text_string_to_metric_families(text) if family.name in RELAYED
        )
        awake = [*_values(relayed, "vllm:engine_sleep_state", sleep_state="awake")]
        tokens = sum(_values(relayed, "vllm:prompt_tokens_total")) + sum(
            _values(relayed, "vllm:generation_tokens_total")
        )
        cache = sum(_values(relayed, "vllm:kv_cache_usage_perc"))
        return cls(asleep=0 in awake, work=(tokens, cache), relayed=relayed)


def _values(families: Iterable[Metric], name: str, **labels: str) -> Iterator[float]:
    for family in families:
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                yield sample.value
