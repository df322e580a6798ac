"""Tells which field of a request of our own a server does not take, by the error it answers with.

The words are those of OpenAI, Azure, Mistral, Gemini, Bedrock, pydantic and FastAPI. A value that
is out of range is the operator's to mend, and an error may quote what a stranger asked: neither is
a refusal of a field.
"""

import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from racro.contracts.errors import InvalidRequest

OwnField = Literal["stream_options", "top_p", "temperature", "max_tokens"]

# The name itself is refused, whatever figure stands beside it: it is the value that was sent.
_OF_NAMES = (
    r"extra_forbidden|extra inputs are not permitted|unrecogni[sz]ed"
    r"|unknown (?:field|name|parameter|argument)"
    r"|unexpected (?:keyword )?(?:argument|field|input|parameter|property)|only the default"
)
_OF_NAMES_OR_VALUES = (
    r"unsupported|n[o']t support|not permitted|not allowed|not accepted|cannot both|deprecated"
)
_REFUSING = rf"(?:{_OF_NAMES}|{_OF_NAMES_OR_VALUES})"
_REFUSES = re.compile(_REFUSING, re.IGNORECASE)
_REFUSES_NAME = re.compile(_OF_NAMES, re.IGNORECASE)
# A number that is no part of a name such as gpt-4.1.
_FIGURE = re.compile(r"(?<![\w.-])-?\d")
_RANGE = re.compile(
    r"\b(?:at most|at least|the most|maximum|minimum|range|between|(?:less|greater|more) than"
    r"|exceeds?|too (?:large|long|small))\b",
    re.IGNORECASE,
)
# What is longer quotes the request.
_MOST_CHARACTERS = 500
_WORDS_BETWEEN = r"(?:\W+\w+){0,5}?\W+"


class Refusal(NamedTuple):
    """A field that a server refuses.

    `is_certain` is False where the request's texts name the field, too, and the error may quote
    them.
    """

    field: OwnField
    is_certain: bool


def refusal(error: InvalidRequest, sent: dict[str, Any], field: OwnField) -> Refusal | None:
    """Return the refusal of `field` that an error is, None if it is another one.

    `sent` is the chat request that was answered with the error.
    """
    said = error.message
    if field not in sent or len(said) > _MOST_CHARACTERS or _RANGE.search(said):
        return None
    if _FIGURE.search(said) and not _REFUSES_NAME.search(said):
        return None
    if error.param == field and _REFUSES.search(said):
        return Refusal(field, is_certain=True)
    named = re.search(
        rf"{_REFUSING}\w*{_WORDS_BETWEEN}{field}\b|\b{field}{_WORDS_BETWEEN}{_REFUSING}",
        said,
        re.IGNORECASE,
    )
    asked = texts(sent)
    if named is None or named[0].lower() in asked:
        return None
    return Refusal(field, is_certain=field not in asked)


def texts(chat: dict[str, Any]) -> str:
    """Return all texts of a chat request's messages, in small letters, without its images."""
    return "\n".join(_texts(chat)).lower()


def _texts(chat: dict[str, Any]) -> Iterator[str]:
    for message in chat["messages"]:
        content = message["content"]
        parts = [{"text": content}] if isinstance(content, str) else content
        yield from (part["text"] for part in parts if "text" in part)
