"""Writes images and a prompt as messages of OpenAI's chat API."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import pybase64
from PIL import Image

from racro.contracts.prompts import CaptionPrompt


def prompt_messages(
    prompt: CaptionPrompt, image_parts: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the system message of a prompt, if it has one, and the user's: images, then text."""
    content = [*image_parts, {"type": "text", "text": prompt.user}]
    user = {"role": "user", "content": content}
    if prompt.system is None:
        return [user]
    return [{"role": "system", "content": prompt.system}, user]


def image_parts(images: Sequence[Image.Image], *, with_ids: bool) -> list[dict[str, Any]]:
    """Return images as parts of a message's content; more than one are numbered, as in a caption.

    An id of the content (`with_ids`) spares the engine the hashing of its own.
    """
    parts: list[dict[str, Any]] = []
    for number, image in enumerate(images, start=1):
        if len(images) > 1:
            parts.append({"type": "text", "text": f"Image {number}:"})
        png = _png(image)
        url = "data:image/png;base64," + pybase64.b64encode_as_string(png)
        part: dict[str, Any] = {"type": "image_url", "image_url": {"url": url}}
        if with_ids:
            part["uuid"] = hashlib.sha256(png).hexdigest()
        parts.append(part)
    return parts


def _png(image: Image.Image) -> memoryview:
    buffer = io.BytesIO()
    # Lossless: the engine gets the pixels that were decoded here. Level 1 for speed.
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getbuffer()
