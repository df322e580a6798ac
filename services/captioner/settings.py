"""Declares the settings of the captioner service."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, Tag, ValidationInfo, field_validator

from racro.base.size import Fit
from racro.embedded.default import READ_SIDE
from racro.engines.engine_sections import VisionSection
from racro.engines.registry import VisionSettings
from racro.servekit.image_settings import ImageLimitSettings
from racro.servekit.settings import BytesInFlight, Section, ServiceSettings, kind_of
from services.captioner.image_size import LongestSide, PixelBounds

# What Qwen3-VL's processor is published with.
_MOST_PIXELS = 16_777_216


class OcrSettings(Section):
    kind: Literal["ocr"] = "ocr"
    threads: int = Field(default=1, ge=1, description="CPU threads for reading one image.")
    max_tokens: int = Field(
        default=1024, ge=1, description="Length of a caption, in tokens of about four characters."
    )

    @property
    def fit(self) -> Fit:
        """Return the size at which an image of a given one is read."""
        return LongestSide(READ_SIDE)


class VlmSettings(Section):
    kind: Literal["vlm"]
    max_pixels: int | None = Field(
        default=None,
        ge=1024,
        description="Most pixels of an image that the engine is shown; one with more is shrunk, as "
        "the model's processor would. Unset, 16777216, the most that any model is known to use.",
    )
    min_pixels: int | None = Field(
        default=None,
        ge=1,
        description="Fewest pixels of an image that the engine is shown; one with fewer is "
        "enlarged. Unset, none is enlarged before the model's processor does.",
    )
    side_multiple: int = Field(
        default=1,
        ge=1,
        le=256,
        description="An image's sides are made multiples of it, in pixels, as the model's "
        "processor does: 28 for Qwen2-VL and 2.5-VL, 32 for Qwen3-VL.",
    )
    max_sent_bytes: int = Field(
        default=512 * 2**20,
        ge=2**20,
        description="Most bytes of the images of all requests in flight as they are sent to the "
        "engine, PNG in base64. Further ones are answered 503; a request that has more, 413.",
    )
    engine: VisionSettings = Field(description="What runs the vision-language model.")
    temperature: float | None = Field(
        default=0.0, ge=0, le=2, description="Default sampling temperature; null: not sent."
    )
    max_tokens: int | None = Field(
        default=8192,
        ge=1,
        description="Default token limit of a caption or tentative response; null: not sent.",
    )

    @property
    def fit(self) -> Fit:
        """Return the size at which the engine is shown an image of a given one."""
        return PixelBounds(
            min_pixels=self.min_pixels or 0,
            max_pixels=self.max_pixels or _MOST_PIXELS,
            side_multiple=self.side_multiple,
        )

    @field_validator("min_pixels")
    @classmethod
    def _is_below_max_pixels(cls, value: int | None, info: ValidationInfo) -> int | None:
        most = info.data.get("max_pixels") or _MOST_PIXELS
        if value is not None and value > most:
            raise ValueError(f"at most max_pixels = {most} is expected")
        return value

    @field_validator("engine")
    @classmethod
    def _has_the_same_bounds(cls, engine: VisionSection, info: ValidationInfo) -> VisionSection:
        """Have an engine that we start keep to the bounds that the operator set."""
        bounds = {name: info.data.get(name) for name in ("min_pixels", "max_pixels")}
        return engine.with_image_bounds(
            {name: pixels for name, pixels in bounds.items() if pixels is not None}
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
        default=30,
        gt=0,
        description="Longest time for one image, or one page of a PDF, without waiting; beyond it "
        "413.",
    )
    max_waiting: int = Field(
        default=32,
        ge=1,
        description="Requests that may wait for one of them; further ones are answered 503.",
    )


class CaptionerSettings(ServiceSettings, ImageLimitSettings):
    former_names: ClassVar[Mapping[str, str]] = {"captioner.workers": "workers.count"}

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
    max_images: int = Field(default=20, ge=1, description="Most images of one request.")
    keep_alive_s: float = Field(
        default=10, gt=0, description="Longest silence of a stream before a comment is sent."
    )
    timeout_s: float = Field(
        default=600, gt=0, description="Longest time for one request, in seconds."
    )
