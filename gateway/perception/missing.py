"""Tells why images could not be captioned, for a chat that goes on without their captions."""

import logging
from collections.abc import Mapping
from typing import NamedTuple

from gateway import metrics
from gateway.perception.request import Perception
from racro.contracts.errors import (
    DeadlineExceeded,
    InvalidImage,
    InvalidRequest,
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
# What the captioner says may hold addresses, and instructions of whoever runs it.
_REASONS: tuple[tuple[type[RacroError], str], ...] = (
    (InvalidImage, "the captioner cannot read it"),
    (UnsupportedMediaType, "the captioner cannot read it"),
    (TooLarge, "it is too large for the captioner"),
    (DeadlineExceeded, "it took too long"),
    (UpstreamUnavailable, "the captioner is not available"),
)
# The image is at fault, and will be when it is asked about again.
OF_IMAGES = (InvalidImage, TooLarge, UnsupportedMediaType, UrlForbidden)
_MOST_CHARACTERS = 200


class MissingPerception(NamedTuple):
    """Stands for a perception that could not be had; `reason` ends a sentence for the reasoner."""

    reason: str


class NotedPerception(NamedTuple):
    """A perception of those images of a question that could be captioned, if there are any.

    `missing` tells why others could not, by their positions among the question's images.
    """

    perception: Perception | None
    missing: Mapping[int, MissingPerception]


def missing_perception(error: RacroError, *, of_loading: bool = False) -> MissingPerception:
    """Return what stands for the perception that an error was raised for, and count it.

    `of_loading` says that the gateway raised it itself, before it asked the captioner: then the
    words are its own, and the reason where the image is at fault.

    Raises the error itself where the client had better ask again: a limit, or no room for now.
    """
    if isinstance(error, _PASSING):
        raise error
    metrics.CAPTIONS_MISSING.labels(error.code).inc()
    _log.warning("a chat goes on without a caption: %s (%s)", error.message, error.code)
    if of_loading and isinstance(error, (*OF_IMAGES, InvalidRequest)):
        return MissingPerception(_first_sentence(error))
    reasons = (reason for kind, reason in _REASONS if isinstance(error, kind))
    return MissingPerception(next(reasons, "the captioner could not caption it"))


def _first_sentence(error: RacroError) -> str:
    """Return what is wrong, without the field; what would be right is no use to a reasoner."""
    sentence = " ".join(error.message.removeprefix(f"{error.param}: ").split())
    if not isinstance(error, TooLarge):  # which goes on with the limit
        sentence = sentence.partition("; ")[0]
    return sentence[:_MOST_CHARACTERS]
