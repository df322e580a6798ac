"""Declares the settings of the captioner service."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from racro.engines.registry import VisionSettings
from racro.servekit.settings import BytesInFlight, Section, ServiceSettings, kind_of


class OcrSettings(Section):
    kind: Literal["ocr"] = "ocr"
    threads: int = Field(default=1, ge=1, description="CPU threads for reading one image.")
    max_tokens: int = Field(
        default=1024, ge=1, description="Length of a caption, in tokens of about four characters."
    )


class VlmSettings(Section):
    kind: Literal["vlm"]
    engine: VisionSettings = Field(description="What runs the vision-language model.")
    temperature: float = Field(default=0.0, ge=0, le=2, description="Default sampling temperature.")
    max_tokens: int = Field(
        default=8192, ge=1, description="Default token limit of a caption or tentative response."
    )


Captioner = Annotated[
    Annotated[OcrSettings, Tag("ocr")] | Annotated[VlmSettings, Tag("vlm")], kind_of("ocr")
]


class WorkersSection(Section):
    count: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Processes that decode and read images, one at a time each. Unset, as many as "
        "there are cores, but no more than memory has room for beside 512 MiB for the service.",
    )
    memory_bytes: int = Field(
        default=700 * 2**20,
        ge=400 * 2**20,
        description="Most memory of one of them; an image that takes more is answered 413.",
    )
    timeout_s: float = Field(
        default=60,
        gt=0,
        description="Longest time for one image, without waiting; beyond it 413.",
    )
    max_waiting: int = Field(
        default=32,
        ge=1,
        description="Requests that may wait for one of them; further ones are answered 503.",
    )


class CaptionerSettings(ServiceSettings):
    port: int = Field(default=8001, ge=0, le=65535, description="Port to listen on.")
    captioner: Captioner = Field(
        default_factory=OcrSettings, description="What captions.", validate_default=True
    )
    workers: WorkersSection = Field(
        default=WorkersSection(), description="Processes that images are decoded and read in."
    )
    max_body_bytes: int = Field(
        default=128 * 2**20,
        ge=1024,
        description="Largest request body; beyond it reading stops with 413.",
    )
    max_bytes_in_flight: BytesInFlight = Field(
        default=128 * 2**20,
        description="Most bytes of the bodies of all requests in flight; one beyond is answered "
        "503. At least max_body_bytes.",
    )
    max_image_pixels: int = Field(
        default=50_000_000, ge=1, description="Largest width × height that is decoded."
    )
    max_images: int = Field(default=16, ge=1, description="Most images of one request.")
    keep_alive_s: float = Field(
        default=10, gt=0, description="Longest silence of a stream before a comment is sent."
    )
    timeout_s: float = Field(
        default=600, gt=0, description="Longest time for one request, in seconds."
    )
