"""What requests have in most dialects: a question, and how to caption, cache and wait."""

import re
from typing import get_args

from starlette.types import Scope

from gateway.settings import LimitsSection
from racro.contracts.errors import InvalidRequest
from racro.contracts.marks import MOST_MARKS, limit_marks
from racro.contracts.perception import CaptionProfile
from racro.contracts.solve_api import CacheMode
from racro.servekit.context import TimeLimit, header, timeout_from_headers

# The caption profile of a request in a dialect that is not ours, which has no field for it.
PROFILE_HEADER = "x-racro-caption-profile"
_PROFILES: tuple[CaptionProfile, ...] = get_args(CaptionProfile)
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


def caption_profile(scope: Scope, asked: CaptionProfile | None = None) -> CaptionProfile | None:
    """Return the caption profile that a request asks for, by its field or else by its header.

    None where it asks for none. Raises InvalidRequest for one that there is not.
    """
    if asked is not None:
        return asked
    given = header(scope["headers"], PROFILE_HEADER)
    if given is None:
        return None
    for profile in _PROFILES:
        if given.strip().lower() == profile:
            return profile
    raise InvalidRequest(
        f"{PROFILE_HEADER}: there are {' and '.join(_PROFILES)}", param=PROFILE_HEADER
    )


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
