"""Lists the engines by the `kind` of their settings; a new one is an entry here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Tag

from racro.base.wrong_settings import WrongSettingsError
from racro.engines.engine import Engine
from racro.engines.engine_sections import EngineSection, VisionSection
from racro.engines.llama import LlamaEngine, LlamaSettings, LlamaVisionSettings
from racro.engines.remote import RemoteEngine, RemoteSettings, RemoteVisionSettings
from racro.engines.vllm import VllmEngine, VllmSettings
from racro.servekit.settings import kind_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """Declares a kind of engine, with its settings under a reasoner and under a captioner.

    `engine` makes one of settings and a `served_name`. It raises WrongSettingsError, whose problems
    begin with a field of the settings, where they cannot be right.
    """

    engine: Callable[..., Engine]
    settings: type[EngineSection]
    vision_settings: type[VisionSection]


ENGINES = {
    "llama": Entry(engine=LlamaEngine, settings=LlamaSettings, vision_settings=LlamaVisionSettings),
    "vllm": Entry(engine=VllmEngine, settings=VllmSettings, vision_settings=VllmSettings),
    "url": Entry(
        engine=RemoteEngine, settings=RemoteSettings, vision_settings=RemoteVisionSettings
    ),
}


def _one_of(kinds: Iterable[tuple[str, type[EngineSection]]], *, default: str) -> Any:
    """Return the type of a setting that is one of those sections, told apart by its `kind`."""
    members = tuple(Annotated[section, Tag(kind)] for kind, section in kinds)
    return Annotated[Union[members], kind_of(default)]  # noqa: UP007 - of a tuple


if TYPE_CHECKING:
    EngineSettings = EngineSection
    VisionSettings = VisionSection
else:
    EngineSettings = _one_of(
        ((kind, entry.settings) for kind, entry in ENGINES.items()), default="llama"
    )
    # The default one first here, too, in messages and schemas.
    VisionSettings = _one_of(
        ((kind, entry.vision_settings) for kind, entry in reversed(ENGINES.items())),
        default="url",
    )


def create_engine(settings: EngineSection, *, section: str, served_name: str) -> Engine:
    """Return the engine of those settings.

    `section`: the path of `settings` in those of the service, such as "captioner.engine". Raises
    WrongSettingsError, whose problems begin with it, where the settings cannot be right.
    """
    try:
        return ENGINES[settings.kind].engine(settings, served_name=served_name)
    except WrongSettingsError as error:
        problems = (f"{section}.{problem}" for problem in error.problems)
        raise WrongSettingsError(*problems) from error
