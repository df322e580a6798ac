"""What every way of asking has in common."""

import re

from starlette.types import Scope

from gateway.settings import LimitsSection
from racro.contracts.errors import InvalidRequest
from racro.contracts.solve import CacheMode
from racro.servekit.context import header

_NO_STORE = re.compile(r"\bno-store\b", re.IGNORECASE)
_NO_CACHE = re.compile(r"\bno-cache\b", re.IGNORECASE)


def cache_mode(scope: Scope, asked: CacheMode = "use") -> CacheMode:
    """As the request's `cache` says, or else its Cache-Control: no-store bypasses the cache,
    no-cache refreshes what it has.
    """
    control = header(scope["headers"], "cache-control")
    if asked != "use" or control is None:
        return asked
    if _NO_STORE.search(control):
        return "bypass"
    return "refresh" if _NO_CACHE.search(control) else "use"


def checked_timeout(timeout_s: float, limits: LimitsSection) -> float:
    """Raises InvalidRequest over the limit."""
    if timeout_s > limits.max_timeout_s:
        raise InvalidRequest(
            f"timeout_s = {timeout_s:g}; limits.max_timeout_s = {limits.max_timeout_s:g}",
            param="timeout_s",
        )
    return timeout_s
