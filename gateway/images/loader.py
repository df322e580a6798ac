"""Images at the edge: sniffed, counted, measured by their headers, digested. Never decoded."""

import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import imagesize

from gateway import metrics
from gateway.images.base64_pieces import decode_base64, encode_base64
from gateway.images.fetch import Fetcher
from gateway.settings import LimitsSection
from racro.contracts.errors import (
    InvalidImage,
    InvalidRequest,
    TooLarge,
    UnsupportedMediaType,
)
from racro.servekit.tasks import all_of, off_loop_if_large
from racro.servekit.tracing import step

SUPPORTED = "PNG, JPEG, GIF and WebP are supported"

_MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)
_DATA_URL = re.compile(r"data:[^,;]*(?:;[^,;]*)*;base64,", re.IGNORECASE)
_MOST_READS = 32 * 2**10


@dataclass(frozen=True, slots=True)
class Image:
    """One checked image. `digest` is the SHA-256 of its bytes, `param` the client's field."""

    data: bytes
    media_type: str
    digest: str
    param: str

    def data_url(self) -> str:
        return f"data:{self.media_type};base64,{encode_base64(self.data)}"


@dataclass(frozen=True, slots=True)
class ImageSource:
    """An image as a client gave it: a data URL, an http(s) URL, or the bytes of an upload.

    `param` names the field it came in, for error messages.
    """

    content: str | bytes
    param: str


class ImageLoader:
    """Loads the images of requests, and checks them against the limits."""

    def __init__(self, limits: LimitsSection, fetcher: Fetcher) -> None:
        self._limits = limits
        self._fetcher = fetcher

    async def load(self, sources: Sequence[ImageSource]) -> list[Image]:
        """Load all images of a request at the same time, and return them in order.

        Raises the first error in order of arrival: InvalidImage, TooLarge, UnsupportedMediaType,
        UrlForbidden or InvalidRequest, each naming the image's field.
        """
        with step("load images"):
            return await self._load_all(sources)

    async def _load_all(self, sources: Sequence[ImageSource]) -> list[Image]:
        if len(sources) == 1:
            # Comparing sources would hash megabytes of text for nothing.
            return [await self._load(sources[0])]
        # A follow-up has the sources of an earlier turn again: they count once.
        if (count := len(set(sources))) > self._limits.max_images:
            raise InvalidRequest(
                f"{count} images; max_images = {self._limits.max_images}",
                param=field_of_all(sources[0].param),
            )
        # Agents send one image many times over: it is fetched and read once.
        unique = {source.content: source for source in sources}
        images = await all_of(self._load(source) for source in unique.values())
        by_content = dict(zip(unique, images, strict=True))
        return [replace(by_content[source.content], param=source.param) for source in sources]

    async def _load(self, source: ImageSource) -> Image:
        content, param = source.content, source.param
        if isinstance(content, str) and content[:8].lower().startswith(("http://", "https://")):
            metrics.IMAGES.labels("url").inc()
            content = await self._fetcher.fetch(content, param=param)
        else:
            metrics.IMAGES.labels("upload" if isinstance(content, bytes) else "data_url").inc()
        read = partial(read_image, content, param=param, limits=self._limits)
        return await off_loop_if_large(len(content), read)


def read_image(content: str | bytes, *, param: str, limits: LimitsSection) -> Image:
    data = decode_data_url(content, param=param) if isinstance(content, str) else content
    if len(data) > limits.max_image_bytes:
        raise _too_many_bytes(len(data), param=param, limits=limits)
    media_type = sniff(data, param=param)
    check_pixels(data, param=param, limits=limits)
    return Image(data, media_type, hashlib.sha256(data).hexdigest(), param)


def field_of_all(param: str) -> str:
    """Return the request's field for all images, given the field of one of them."""
    return param.partition("[")[0]


def decode_data_url(url: str, *, param: str) -> bytes:
    """Return the bytes of a base64 data URL, whatever media type it claims."""
    header = _DATA_URL.match(url[:1024])
    if header is None:
        raise InvalidImage(
            "expected a base64 data URL (data:image/png;base64,…) or an http(s) URL", param=param
        )
    try:
        return decode_base64(url, header.end())
    except ValueError as error:
        raise InvalidImage("the data URL is not valid base64", param=param) from error


def sniff(data: bytes, *, param: str) -> str:
    """Return the media type by the first bytes: names and declared types prove nothing."""
    if not data:
        raise InvalidImage("the image is empty (0 bytes)", param=param)
    for magic, media_type in _MAGIC:
        if magic.match(data):
            return media_type
    raise UnsupportedMediaType(f"this is not an image of a known type; {SUPPORTED}", param=param)


class _HeaderReader(io.BytesIO):
    """An image to read the header of: a JPEG's may be as many segments as fit into its bytes."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Raises ValueError once there were more reads than any header takes."""
        self._reads += 1
        if self._reads > _MOST_READS:
            raise ValueError("the header has too many segments")
        return super().read(size)


def check_pixels(data: bytes, *, param: str, limits: LimitsSection) -> None:
    """Refuse an image by the size in its header, before a pixel is decoded."""
    try:
        width, height = imagesize.get(_HeaderReader(data), exif_rotation=False)
    except Exception as error:
        raise InvalidImage("the image's header cannot be read", param=param) from error
    if width < 1 or height < 1:
        raise InvalidImage("the image's header is truncated or damaged", param=param)
    if width * height > limits.max_image_pixels:
        raise TooLarge(
            f"the image declares {width}x{height} pixels; "
            f"max_image_pixels = {limits.max_image_pixels}",
            param=param,
        )


def _too_many_bytes(size: int, *, param: str, limits: LimitsSection) -> TooLarge:
    return TooLarge(
        f"the image has {size} bytes; max_image_bytes = {limits.max_image_bytes}", param=param
    )
