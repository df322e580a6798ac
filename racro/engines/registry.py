"""Lists the engines by the `kind` of their settings; a new one is an entry here."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Union

from pydantic import Tag

from racro.engines.engine import Engine
from racro.engines.llama import LlamaEngine, LlamaSettings, LlamaVisionSettings
from racro.engines.remote import RemoteEngine, RemoteSettings
from racro.engines.vllm import VllmEngine, VllmSettings
from racro.servekit.settings import Section, kind_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """Declares a kind of engine, with its settings under a reasoner and under a captioner."""

    engine: Callable[..., Engine]
    settings: type[Section]
    vision_settings: type[Section]


ENGINES = {
    "llama": Entry(engine=LlamaEngine, settings=LlamaSettings, vision_settings=LlamaVisionSettings),
    "vllm": Entry(engine=VllmEngine, settings=VllmSettings, vision_settings=VllmSettings),
    "url": Entry(engine=RemoteEngine, settings=RemoteSettings, vision_settings=RemoteSettings),
}


def _one_of(kinds: Iterable[tuple[str, type[Section]]], *, default: str) -> Any:
    """Return the type of a setting that is one of those sections, told apart by its `kind`."""
    members = tuple(Annotated[section, Tag(kind)] for kind, section in kinds)
    return Annotated[Union[members], kind_of(default)]  # noqa: UP007 - of a tuple


if TYPE_CHECKING:

    class EngineSettings(Protocol):
        """Describes the settings of any engine."""

        @property
        def kind(self) -> str: ...

    class VisionSettings(EngineSettings, Protocol):
        """Describes the settings of any engine under a captioner."""

        @property
        def model(self) -> str:
            """Return the name of the model, or the folder that it lies in."""

        def shaping(self) -> Sequence[Any]:
            """Return what its operator can change that shapes what the model says."""

else:
    EngineSettings = _one_of(
        ((kind, entry.settings) for kind, entry in ENGINES.items()), default="llama"
    )
    # The default one first here, too, in messages and schemas.
    VisionSettings = _one_of(
        ((kind, entry.vision_settings) for kind, entry in reversed(ENGINES.items())),
        default="url",
    )


def create_engine(settings: EngineSettings, *, served_name: str) -> Engine:
    """Return the engine of those settings. Raises WrongSettingsError where they cannot be right."""
    return ENGINES[settings.kind].engine(settings, served_name=served_name)
