"""Prometheus metrics that every service has. docs/observability.md lists them."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from racro import __version__
from racro.contracts.errors import RacroError

# When each series was created: as many series again, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call] # prometheus_client has no types for it

_FAILED = 500
SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)

REQUESTS = Counter("racro_requests", "Requests answered.", ["route", "status"])
REQUEST_SECONDS = Histogram(
    "racro_request_seconds",
    "From the request's first byte to its last.",
    ["route"],
    buckets=SECONDS,
)
IN_FLIGHT = Gauge("racro_in_flight_requests", "Requests being answered now.")
BODY_BYTES = Gauge(
    "racro_body_bytes_in_flight", "Bytes of the bodies of the requests being answered now."
)
CONNECTIONS = Gauge("racro_connections", "Connections of clients, without refused ones.")
CONNECTIONS_REFUSED = Counter(
    "racro_connections_refused", "Connections of clients refused over max_connections."
)
ERRORS = Counter("racro_errors", "Errors shown to clients, by code.", ["code"])
# Of a count that is born at 1 no rate tells.
for _error in RacroError.tree():
    ERRORS.labels(_error.code)
CLIENT_GONE = Counter("racro_clients_gone", "Clients that left before their answer.", ["route"])
TASKS = Gauge("racro_tasks", "asyncio tasks alive.")
VERSION = Gauge("racro_version", "1, with the release as a label.", ["version"])
VERSION.labels(__version__).set(1)
READY = Gauge("racro_ready", "1 while the last /readyz said yes.")
DEGRADED = Gauge(
    "racro_degraded", "1 while the last /readyz said yes although something was wrong."
)
COMPONENT_OK = Gauge(
    "racro_component_ok", "1 while nothing was wrong with it at the last /readyz.", ["component"]
)


def create_request_counters(routes: Iterable[str]) -> None:
    """Have the counts of the answered and the failed requests of the API's routes begin at 0."""
    statuses = {200, *(error.status for error in RacroError.tree() if error.status >= _FAILED)}
    for route in routes:
        if route.startswith("/v1/"):
            for status in statuses:
                REQUESTS.labels(route, status)
