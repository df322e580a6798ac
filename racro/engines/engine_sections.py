"""Declares what the settings sections of every engine have."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

from racro.servekit.settings import Section


class EngineSection(Section):
    """Holds the settings of an engine; a subclass has a `kind` of its own, a Literal."""

    kind: str


class VisionSection(EngineSection):
    """Holds the settings of an engine under a captioner."""

    @abstractmethod
    def model_name(self) -> str:
        """Return the name of the model, or the folder that it lies in."""

    @abstractmethod
    def shaping(self) -> Sequence[Any]:
        """Return what its operator can change that shapes what the model says, as JSON has it."""

    def with_image_bounds(self, bounds: Mapping[str, int]) -> Self:  # noqa: ARG002 - for others
        """Return the settings of an engine that keeps to the bounds of an image's pixels, if set.

        `bounds` has `min_pixels` and `max_pixels`, or one of them. An engine that somebody else
        runs, or that has no such bounds, stays as it is.
        """
        return self
