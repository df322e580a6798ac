"""What requests have in most dialects: a question, how to use the cache, how long to take."""

import re

from starlette.types import Scope

from gateway.settings import LimitsSection
from racro.contracts.errors import InvalidRequest
from racro.contracts.marks import MOST_MARKS, limit_marks
from racro.contracts.solve_api import CacheMode
from racro.servekit.context import TimeLimit, timeout_from_headers

_NO_STORE = re.compile(r"\bno-store\b", re.IGNORECASE)
_NO_CACHE = re.compile(r"\bno-cache\b", re.IGNORECASE)


def cache_mode(scope: Scope, asked: CacheMode = "use") -> CacheMode:
    """Return the cache mode that a request asks for, by its field or else by Cache-Control.

    There, no-store bypasses the cache and no-cache refreshes its entries.
    """
    if asked != "use":
        return asked
    values = (value for name, value in scope["headers"] if name == b"cache-control")
    control = b",".join(values).decode("latin-1")
    if _NO_STORE.search(control):
        return "bypass"
    return "refresh" if _NO_CACHE.search(control) else "use"


def check_question(question: str, limits: LimitsSection) -> None:
    """Raises InvalidRequest for a question that is too long, or costs too much to normalise."""
    if len(question) > limits.max_question_chars:
        raise InvalidRequest(
            f"question: {len(question)} characters; "
            f"limits.max_question_chars = {limits.max_question_chars}",
            param="question",
        )
    if limit_marks(question) != question:
        raise InvalidRequest(
            f"question: over {MOST_MARKS} combining marks in a row", param="question"
        )


def time_limit(scope: Scope, timeout_s: float, limits: LimitsSection) -> TimeLimit:
    """Return the time for a request: its field `timeout_s`, or its header if that is less.

    Raises InvalidRequest over the limit.
    """
    if timeout_s > limits.max_timeout_s:
        raise InvalidRequest(
            f"timeout_s = {timeout_s:g}; limits.max_timeout_s = {limits.max_timeout_s:g}",
            param="timeout_s",
        )
    return timeout_from_headers(scope["headers"], most_s=timeout_s)
