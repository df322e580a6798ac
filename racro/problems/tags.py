"""Image tags: where a data set's question says that an image stands. No reasoner may see one."""

import re

from racro.problems.problem import InvalidProblem

_TAG = re.compile(
    r"<\|?(?:image|img)(?:[ _-]?(?P<number>\d{1,4})|[ _-]?(?:pad|token|soft_token|placeholder"
    r"|context|here))?\s*/?\|?>"  # <image>, <image 1>, <img>, <|image_pad|>, <IMG_CONTEXT>
    r"|<(?:image|img)\s[^<>]*>"
    r"|<(?:start_of_image|fake_token_around_image)>",
    re.IGNORECASE,
)
# What some templates put around a tag; no image of its own.
_AROUND = re.compile(
    r"<\|vision_(?:start|end)\|>|</(?:image|img)(?:\s[^<>]*)?>|<end_of_image>"
    r"|<\|?(?:image|img)_(?:start|end)\|?>",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[ \t]+")


def without_tags(texts: list[str], *, images: int) -> list[str]:
    """The texts of one problem without its image tags; a numbered one becomes "[image 2]", because
    sentences and options refer to it.

    Raises InvalidProblem where there are tags, but not one for each of `images`.
    """
    tags = [tag["number"] for text in texts for tag in _TAG.finditer(text)]
    numbered = {int(number) for number in tags if number}
    count = tags.count(None) + len(numbered)
    if tags and (count != images or max(numbered, default=0) > images):
        raise InvalidProblem(f"{count} image tags for {images} images")
    cleaned = [_clean(text) for text in texts]
    if any(_TAG.search(text) or _AROUND.search(text) for text in cleaned):
        raise InvalidProblem("an image tag within an image tag")
    return cleaned


def _clean(text: str) -> str:
    without = _TAG.sub(_reference, _AROUND.sub(" ", text))
    if without == text:
        return text.strip()
    lines = (_SPACES.sub(" ", line).strip() for line in without.splitlines())
    return "\n".join(lines).strip()


def _reference(tag: re.Match[str]) -> str:
    return f"[image {int(tag['number'])}]" if tag["number"] else " "
