"""Metrics of calls of models, under the names and with the buckets of the GenAI conventions.

github.com/open-telemetry/semantic-conventions-genai, client metrics, as OpenTelemetry's exporter
for Prometheus would call them.
"""

from functools import cache

from prometheus_client import Histogram

from racro.contracts.perception import Usage
from racro.servekit.tracing import CHAT, PROVIDER

_LABELS = ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"]
TOKEN_USAGE = Histogram(
    "gen_ai_client_token_usage",
    "Tokens of a call of a model: input, output.",
    [*_LABELS, "gen_ai_token_type"],
    buckets=[4**exponent for exponent in range(14)],
)
OPERATION_SECONDS = Histogram(
    "gen_ai_client_operation_duration_seconds",
    "Seconds of a call of a model, with the error that it ended with, if any.",
    [*_LABELS, "error_type"],
    buckets=[0.01 * 2**exponent for exponent in range(14)],
)
# An error of no known kind.
OTHER_ERROR = "_OTHER"
# Models that are not called any more. A last call that ends later would bring their series back.
_forgotten: set[str] = set()


@cache
def _token_usage(model: str, kind: str) -> Histogram:
    return TOKEN_USAGE.labels(CHAT, PROVIDER, model, kind)


@cache
def _operation_seconds(model: str, error: str) -> Histogram:
    return OPERATION_SECONDS.labels(CHAT, PROVIDER, model, error)


def observe_generation(
    model: str, seconds: float, *, usage: Usage | None = None, error: str | None = None
) -> None:
    """Count a call of a model that ended, with the tokens that its server told."""
    if model in _forgotten:
        return
    _operation_seconds(model, error or "").observe(seconds)
    if usage is not None and usage.is_known:
        _token_usage(model, "input").observe(usage.prompt_tokens)
        _token_usage(model, "output").observe(usage.completion_tokens)


def count_model(model: str) -> None:
    """Count the calls of a model that may have been forgotten."""
    _forgotten.discard(model)


def forget_model(model: str) -> None:
    """Drop what was counted of a model that is not called any more, and count no more of it."""
    _forgotten.add(model)
    for metric in (TOKEN_USAGE, OPERATION_SECONDS):
        metric.remove_by_labels({"gen_ai_request_model": model})
    # They would count on where nobody reads.
    _token_usage.cache_clear()
    _operation_seconds.cache_clear()
