"""Prometheus metrics of the engines that a service supervises. docs/observability.md lists them."""

from prometheus_client import Counter, Gauge

RESTARTS = Counter(
    "racro_engine_restarts",
    "Engines that ended by themselves, or gave no answer, and are started again, by cause.",
    ["cause"],
)
UNANSWERED_SECONDS = Gauge(
    "racro_engine_unanswered_seconds",
    "Seconds for which the engine has not answered; 0 while it answers.",
)
# Each is born at 0: what is counted first would else be no increase.
ENDED = RESTARTS.labels("ended")
UNANSWERED = RESTARTS.labels("unanswered")
