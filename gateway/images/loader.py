"""Images at the edge: sniffed, counted, measured by their headers, digested. Never decoded."""

import hashlib
import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from gateway import metrics
from gateway.images.base64_pieces import encode_base64
from gateway.images.fetch import Fetcher
from gateway.images.image_text import decode_image_text, is_base64_alone, unexpected
from gateway.images.text_repair import INVISIBLE, QUOTES
from gateway.settings import LimitsSection
from gateway.tenancy.tenants import ANYBODY, Tenant
from racro.contracts.errors import InvalidRequest, RacroError, UnsupportedMediaType
from racro.servekit.context import TimeLimit, within
from racro.servekit.image_header import read_header
from racro.servekit.tasks import all_of, off_loop_if_large
from racro.servekit.tracing import step

_FETCHED = re.compile(rf"[\s{QUOTES}{INVISIBLE}]{{0,1000}}https?://", re.IGNORECASE)
# A word or a path may consist of base64's characters, and is so short.
_LONGEST_WORD_BYTES = 64


@dataclass(frozen=True, slots=True)
class Image:
    """One checked image. `digest` is the SHA-256 of its bytes, `param` the client's field.

    `pixels` is the most that decoding it makes.
    """

    data: bytes
    media_type: str
    digest: str
    param: str
    pixels: int

    def data_url(self) -> str:
        return encode_base64(self.data, f"data:{self.media_type};base64,")


@dataclass(frozen=True, slots=True)
class ImageSource:
    """An image as a client gave it: a data URL, base64, an http(s) URL, or the bytes of an upload.

    `param` names the field it came in, for error messages. `may_be_left_out`: it stands in JSON or
    in a text, where nobody can mend it, so that no chat ends with it. `refusal` is raised in place
    of loading what cannot be seen at all.
    """

    content: str | bytes
    param: str
    may_be_left_out: bool = False
    refusal: RacroError | None = None


Loaded = TypeVar("Loaded", bound=Image | RacroError)
Loading = Coroutine[Any, Any, Loaded]


class ImageLoader:
    """Loads the images of requests, and checks them against the limits."""

    def __init__(self, limits: LimitsSection, fetcher: Fetcher) -> None:
        self._limits = limits
        self._fetcher = fetcher

    async def load(
        self, sources: Sequence[ImageSource], *, tenant: Tenant = ANYBODY
    ) -> list[Image]:
        """Load all images of a request at the same time, and return them in order.

        Raises the first error in order of arrival: InvalidImage, TooLarge, UnsupportedMediaType,
        UrlForbidden or InvalidRequest, each naming the image's field.
        """
        with step("load images"):
            return await self._load_all(sources, partial(self._load, tenant=tenant))

    async def load_each(
        self, sources: Sequence[ImageSource], limit: TimeLimit, *, tenant: Tenant = ANYBODY
    ) -> list[Image | RacroError]:
        """Load all images of a request, each within the limit, and return them in order.

        In place of one that cannot be loaded stands its error. Raises InvalidRequest for too many.
        """

        async def load(source: ImageSource) -> Image | RacroError:
            try:
                with within(limit):
                    return await self._load(source, tenant=tenant)
            except RacroError as error:
                return error

        with step("load images"):
            return await self._load_all(sources, load)

    def check_count(self, sources: Sequence[ImageSource]) -> None:
        """Raises InvalidRequest for too many images."""
        if len(sources) > self._limits.max_images:
            raise InvalidRequest(
                f"{len(sources)} images; max_images = {self._limits.max_images}",
                param=field_of_all(sources[0].param),
            )

    def check_together(self, images: Sequence[Image]) -> None:
        """Check the images that are captioned together, copies among them, as the captioner does.

        Raises TooLarge where they have too many pixels.
        """
        pixels = [image.pixels for image in images]
        self._limits.image_limits.check_request(pixels, param=field_of_all(images[0].param))

    async def _load_all(
        self, sources: Sequence[ImageSource], load: Callable[[ImageSource], Loading[Loaded]]
    ) -> list[Loaded]:
        if len(sources) == 1:
            # Comparing sources would hash megabytes of text for nothing.
            return [await load(sources[0])]
        # Agents send one image many times over: it counts, is fetched and read once.
        unique = {source.content: source for source in sources}
        self.check_count(list(unique.values()))
        images = await all_of(load(source) for source in unique.values())
        by_content = dict(zip(unique, images, strict=True))
        return [_for_field(by_content[source.content], source.param) for source in sources]

    async def _load(self, source: ImageSource, *, tenant: Tenant) -> Image:
        if source.refusal is not None:
            raise source.refusal
        content, param = source.content, source.param
        if isinstance(content, str) and is_address(content):
            metrics.count_image("url", tenant=tenant.label)
            content = await self._fetcher.fetch(content, param=param)
        else:
            is_upload = isinstance(content, bytes)
            metrics.count_image("upload" if is_upload else "data_url", tenant=tenant.label)
        read = partial(read_image, content, param=param, limits=self._limits)
        return await off_loop_if_large(len(content), read)


def is_address(content: str | bytes) -> bool:
    """Tell whether an image is given by an http(s) URL, which is fetched."""
    return isinstance(content, str) and _FETCHED.match(content) is not None


def _for_field(image: Loaded, param: str) -> Loaded:
    """Return an image as that of another field; an error stays what it is."""
    return replace(image, param=param) if isinstance(image, Image) else image


def read_image(content: str | bytes, *, param: str, limits: LimitsSection) -> Image:
    """Return an image that a client gave as text or as bytes, checked against the limits.

    Raises InvalidImage, TooLarge and UnsupportedMediaType.
    """
    data = content if isinstance(content, bytes) else decode_image_text(content, param=param)
    try:
        header = read_header(data, limits.image_limits, param=param)
    except UnsupportedMediaType as error:
        if _is_a_word(content, data):
            raise unexpected(str(content), param=param) from error
        raise
    digest = hashlib.sha256(data).hexdigest()
    return Image(data, header.media_type, digest, param, header.pixels)


def _is_a_word(content: str | bytes, data: bytes) -> bool:
    """Tell whether what was read as base64 alone, and is no known image, was a word or a path."""
    is_short = len(data) <= _LONGEST_WORD_BYTES
    return is_short and isinstance(content, str) and is_base64_alone(content)


def field_of_all(param: str) -> str:
    """Return the request's field for all images, given the field of one of them."""
    return param.partition("[")[0]
