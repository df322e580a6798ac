"""Writes images and a prompt as messages of OpenAI's chat API."""

from collections.abc import Sequence
from typing import Any

from racro.contracts.prompts import CaptionPrompt
from services.captioner.image_work import Png
from services.captioner.shown_images import ShownImage


def prompt_messages(
    prompt: CaptionPrompt, image_parts: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the system message of a prompt, if it has one, and the user's: images, then text."""
    content = [*image_parts, _text_part(prompt.user)]
    user = {"role": "user", "content": content}
    if prompt.system is None:
        return [user]
    return [{"role": "system", "content": prompt.system}, user]


def image_parts(
    shown: Sequence[ShownImage], images: Sequence[Png], *, with_ids: bool
) -> list[dict[str, Any]]:
    """Return images as parts of a message's content, between the lines that belong to them.

    An id of the content (`with_ids`) spares the engine the hashing of its own.
    """
    parts: list[dict[str, Any]] = []
    for one, image in zip(shown, images, strict=True):
        parts += map(_text_part, one.before)
        part: dict[str, Any] = {"type": "image_url", "image_url": {"url": image.url}}
        if with_ids:
            part["uuid"] = image.digest
        parts.append(part)
        parts += map(_text_part, one.after)
    return parts


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
