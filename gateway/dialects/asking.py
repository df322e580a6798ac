"""What every way of asking has in common."""

import re
from collections.abc import Sequence

from starlette.types import Scope

from gateway.images.loader import ImageSource
from gateway.settings import LimitsSection
from racro.contracts.errors import InvalidRequest
from racro.contracts.solve import CacheMode
from racro.servekit.context import TimeLimit, timeout_from_headers

_NO_STORE = re.compile(r"\bno-store\b", re.IGNORECASE)
_NO_CACHE = re.compile(r"\bno-cache\b", re.IGNORECASE)


def cache_mode(scope: Scope, asked: CacheMode = "use") -> CacheMode:
    """As the request's `cache` says, or else its Cache-Control: no-store bypasses the cache,
    no-cache refreshes what it has.
    """
    if asked != "use":
        return asked
    values = (value for name, value in scope["headers"] if name == b"cache-control")
    control = b",".join(values).decode("latin-1")
    if _NO_STORE.search(control):
        return "bypass"
    return "refresh" if _NO_CACHE.search(control) else "use"


def distinct(sources: Sequence[ImageSource]) -> int:
    """How many images: agents send one of them many times over."""
    return len({source.content for source in sources})


def time_limit(scope: Scope, timeout_s: float, limits: LimitsSection) -> TimeLimit:
    """As the request's field `timeout_s` says, or its header, if that says less.

    Raises InvalidRequest over the limit.
    """
    if timeout_s > limits.max_timeout_s:
        raise InvalidRequest(
            f"timeout_s = {timeout_s:g}; limits.max_timeout_s = {limits.max_timeout_s:g}",
            param="timeout_s",
        )
    return timeout_from_headers(scope["headers"], most_s=timeout_s)
