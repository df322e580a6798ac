"""Prometheus metrics of the captioner service. docs/observability.md lists them."""

from prometheus_client import Counter, Gauge

WAITING = Gauge("racro_captioner_waiting_requests", "Requests that wait for a worker.")
WORKERS_BUSY = Gauge("racro_captioner_workers_busy", "Workers that decode or read an image now.")
WORKERS_REPLACED = Counter(
    "racro_captioner_workers_replaced",
    "Workers that died or were killed in the middle of an image.",
)
