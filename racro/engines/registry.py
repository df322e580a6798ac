"""The engines of a reasoner, by the `kind` of their settings."""

from typing import Annotated, Any

from pydantic import Tag

from racro.engines import Engine
from racro.engines.llama import LlamaEngine, LlamaSettings
from racro.engines.remote import RemoteEngine, RemoteSettings
from racro.engines.vllm import VllmEngine, VllmSettings
from racro.servekit.settings import kind_of

EngineSettings = Annotated[
    Annotated[LlamaSettings, Tag("llama")]
    | Annotated[VllmSettings, Tag("vllm")]
    | Annotated[RemoteSettings, Tag("url")],
    kind_of("llama"),
]

_ENGINES: dict[str, Any] = {"llama": LlamaEngine, "vllm": VllmEngine, "url": RemoteEngine}


def create_engine(
    settings: LlamaSettings | VllmSettings | RemoteSettings, *, served_name: str
) -> Engine:
    engine: Engine = _ENGINES[settings.kind](settings, served_name=served_name)
    return engine
