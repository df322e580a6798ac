"""Declares the settings of the reasoner service."""

from pydantic import Field

from racro.embedded.default import REASONER
from racro.engines.llama import LlamaSettings
from racro.engines.registry import EngineSettings
from racro.servekit.settings import BytesInFlight, ServiceSettings


class ReasonerSettings(ServiceSettings):
    port: int = Field(default=8002, ge=0, le=65535, description="Port to listen on.")
    model: str = Field(default=REASONER, description="Name under which the model is served.")
    engine: EngineSettings = Field(
        default_factory=LlamaSettings, description="What runs the model.", validate_default=True
    )
    max_body_bytes: int = Field(
        default=64 * 2**20,
        ge=1024,
        description="Largest request body; beyond it reading stops with 413.",
    )
    max_bytes_in_flight: BytesInFlight = Field(
        default=128 * 2**20,
        description="Most bytes of the bodies of all requests in flight; one beyond is answered "
        "503. At least max_body_bytes.",
    )
    keep_alive_s: float = Field(
        default=10, gt=0, description="Longest silence of a stream before a comment is sent."
    )
    timeout_s: float = Field(
        default=600, gt=0, description="Longest time for one request, in seconds."
    )
