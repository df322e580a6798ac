"""Declares the settings that limit images, which gateway and captioner have in common."""

from pydantic import BaseModel, Field

from racro.contracts.image_limits import ImageLimits


class ImageLimitSettings(BaseModel):
    """Holds the limits of images, for settings that derive from it beside their own base."""

    max_image_bytes: int = Field(default=20 * 2**20, ge=1, description="Largest image, in bytes.")
    max_image_pixels: int = Field(
        # What cameras of fifty megapixels make.
        default=8192 * 6144,
        ge=1,
        description="Largest width × height that an image may declare; a WebP, an AVIF or a HEIC "
        "half of it, a JPEG 2000 a third.",
    )
    max_image_side: int = Field(
        default=32_768, ge=1, description="Longest side that an image may declare, in pixels."
    )
    max_image_aspect: float = Field(
        default=200,
        ge=1,
        description="Largest ratio of an image's longer side to its shorter one; beyond 200 the "
        "processors of Qwen's vision models refuse it.",
    )
    max_request_pixels: int = Field(
        # Sixteen photographs of twelve million pixels.
        default=200_000_000,
        ge=1,
        description="Largest sum of width × height of the images that are captioned together: a "
        "request's, or in a chat a message's. Copies count: each is decoded.",
    )

    max_pages: int = Field(
        default=8,
        ge=1,
        le=1000,
        description="Most pages of a PDF that are captioned, from its first one on; a caption "
        "names those that are not. Whatever its length, a PDF counts max_pages times 4 million "
        "pixels in max_request_pixels.",
    )

    @property
    def image_limits(self) -> ImageLimits:
        """Return the limits alone, as processes that have no settings are given them."""
        return ImageLimits(
            max_image_bytes=self.max_image_bytes,
            max_image_pixels=self.max_image_pixels,
            max_image_side=self.max_image_side,
            max_image_aspect=self.max_image_aspect,
            max_request_pixels=self.max_request_pixels,
            max_pages=self.max_pages,
        )
