"""Declares what the settings sections of every engine have."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

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
