"""A question about images as a reasoner is asked that sees them itself."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from gateway.flow import ImageQuestion, check_counts
from gateway.images.loader import Image, ImageLoader
from gateway.metrics import Stopwatch
from gateway.tenancy.tenants import Tenant
from racro.contracts.prompts import seeing_prompt
from racro.servekit.image_types import PDF
from racro.servekit.tasks import off_loop_if_large

_encode = msgspec.json.Encoder().encode
# Servers want a file to have a name.
_FILE_NAME = "document.pdf"


async def seeing_messages(
    loader: ImageLoader,
    tenant: Tenant,
    questions: list[ImageQuestion],
    question: str,
    watch: Stopwatch,
) -> list[dict[str, Any]]:
    """Return one message of chat with the images of all `questions`, and the question.

    Images that were addresses are fetched, and all are checked as those that are captioned.
    Empties `questions` once they are loaded. `watch` times the stage "load". Raises what
    `ImageLoader.load` raises.
    """
    with watch.stage("load"):
        check_counts(loader, questions)
        sources = [source for one in questions for source in one.sources]
        images = await loader.load(sources, tenant=tenant)
        loader.check_together(images)
    questions.clear()
    del sources
    size = sum(len(image.data) for image in images)
    parts = await off_loop_if_large(size, lambda: _parts(images))
    text = {"type": "text", "text": seeing_prompt(question)}
    return [{"role": "user", "content": [*parts, text]}]


def _parts(images: Sequence[Image]) -> list[dict[str, Any]]:
    return [_part(image) for image in images]


def _part(image: Image) -> dict[str, Any]:
    """Return an image as a part of OpenAI's chat, its content encoded already."""
    data = image.data_url()
    if image.media_type == PDF:
        file = {"filename": _FILE_NAME, "file_data": data}
        return {"type": "file", "file": Raw(_encode(file))}
    return {"type": "image_url", "image_url": Raw(_encode({"url": data}))}
