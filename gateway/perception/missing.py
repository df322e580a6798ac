"""Tells why images could not be captioned, for a chat that goes on without their captions."""

import logging
from typing import NamedTuple

from gateway import metrics
from racro.contracts.errors import (
    DeadlineExceeded,
    InvalidImage,
    Overloaded,
    RacroError,
    RateLimited,
    TooLarge,
    UnsupportedMediaType,
    UpstreamOverloaded,
    UpstreamUnavailable,
    UrlForbidden,
)

_log = logging.getLogger(__name__)

# Asking again a little later helps, and clients do so.
_PASSING = (RateLimited, Overloaded, UpstreamOverloaded)
# These say what is wrong with an image, in words of ours.
_OF_IMAGES = (InvalidImage, TooLarge, UnsupportedMediaType, UrlForbidden)
_MOST_CHARACTERS = 200


class MissingPerception(NamedTuple):
    """Stands for a perception that could not be had; `reason` ends a sentence for the reasoner."""

    reason: str


def missing_perception(error: RacroError) -> MissingPerception:
    """Return what stands for the perception that an error was raised for, and count it.

    Raises the error itself where the client had better ask again: a limit, or no room for now.
    """
    if isinstance(error, _PASSING):
        raise error
    metrics.CAPTIONS_MISSING.labels(error.code).inc()
    _log.warning("a chat goes on without a caption: %s (%s)", error.message, error.code)
    return MissingPerception(" ".join(_reason(error).split())[:_MOST_CHARACTERS])


def _reason(error: RacroError) -> str:
    """Return the reason in fixed words unless it is the image: others' words may tell addresses."""
    if isinstance(error, _OF_IMAGES):
        return error.message
    if isinstance(error, DeadlineExceeded):
        return "it took too long"
    if isinstance(error, UpstreamUnavailable):
        return "the captioner is not available"
    return "the captioner could not caption it"
