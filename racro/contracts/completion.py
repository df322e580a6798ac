"""Declares what is read of OpenAI chat completions, as leniently as their servers write them.

Every reader shares these structs: they stand here and not in servekit, which CRO may not import.
Fields that are not named are ignored, null is as good as absent, and a wrong count costs no answer.
"""

import codecs
from collections.abc import Iterator
from typing import Any

import msgspec

from racro.base.surrogates import without_lone_surrogates
from racro.contracts.errors import UpstreamError, UpstreamUnavailable
from racro.contracts.perception import Usage

# JSON's readers round larger numbers.
_MOST_TOKENS = 2**53


# What a whole answer ends with; of a chat that calls tools, further ones.
RESULTS = frozenset({"stop", "length"})
_MAY_COME_LATER = frozenset({None, "abort", "error"})
_LONGEST_SHOWN = 40


class Message(msgspec.Struct):
    """Holds the text of an answer that is not streamed.

    It is empty where the limit of tokens came before the end of a reasoning that the server tells
    apart.
    """

    content: str | list[Any] | None = None

    @property
    def text(self) -> str:
        return _text_of(self.content)


class PlainChoice(msgspec.Struct):
    """Holds one of the answers of a completion that is not streamed."""

    message: Message
    finish_reason: str | None = None


class Completion(msgspec.Struct):
    """Holds a completion that is not streamed; `error` is what its server sent instead of one."""

    choices: list[PlainChoice] | None = None
    error: Any = None


_decoder = msgspec.json.Decoder(Completion)


def decode_completion(answer: bytes) -> Completion:
    """Return a completion that is not streamed. Raises ValueError for what is none.

    A byte order mark may come first, and halves of surrogate pairs are read as U+FFFD.
    """
    text = answer.removeprefix(codecs.BOM_UTF8)
    try:
        return _decoder.decode(text)
    except ValueError:
        mended = without_lone_surrogates(text)
        if mended is text:
            raise
    return _decoder.decode(mended)


class Delta(msgspec.Struct):
    """Holds a piece of an answer: a text, or parts of which some are texts and some thoughts.

    vLLM and SGLang say `reasoning_content` or, in later releases, `reasoning`; Mistral has thoughts
    among the parts of its content.
    """

    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class Choice(msgspec.Struct):
    """Holds what a chunk adds to one of the answers: to the first where it has no `index`."""

    index: int | None = None
    delta: Delta | None = None
    finish_reason: str | None = None

    @property
    def content(self) -> str:
        return _text_of(self.delta.content) if self.delta else ""

    @property
    def reasoning(self) -> str:
        """Return the reasoning, where the server tells it apart."""
        if self.delta is None:
            return ""
        apart = self.delta.reasoning_content or self.delta.reasoning
        return apart or _thoughts_of(self.delta.content)


def _text_of(content: str | list[Any] | None) -> str:
    if not isinstance(content, list):
        return content or ""
    return "".join(_texts(content, kind="text", field="text"))


def _thoughts_of(content: str | list[Any] | None) -> str:
    if not isinstance(content, list):
        return ""
    return "".join(_texts(content, kind="thinking", field="thinking"))


def _texts(parts: list[Any], *, kind: str, field: str) -> Iterator[str]:
    """Yield the texts of the parts of one kind; a thought is a text or has parts of its own."""
    for part in parts:
        if isinstance(part, dict) and part.get("type") == kind:
            text = part.get(field)
            if isinstance(text, str):
                yield text
            elif isinstance(text, list):
                yield _text_of(text)


def failed_ending(finish_reason: str | None, *, name: str) -> UpstreamError:
    """Return the error of an answer of upstream `name` that ended in another way.

    One that was aborted may come at another try; one that a filter ended will not.
    """
    error = UpstreamUnavailable if finish_reason in _MAY_COME_LATER else UpstreamError
    if finish_reason is None:
        return error(f"the {name} ended its answer without a finish_reason")
    return error(
        f"the {name} ended its answer with finish_reason {finish_reason[:_LONGEST_SHOWN]!r}"
    )


_NOTHING = Choice()


class Chunk(msgspec.Struct):
    """Holds one event of a streamed completion; `error` is whatever its server sends as one.

    Older servers of vLLM say it without: `object` is "error" then.
    """

    object: Any = None
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None

    @property
    def first(self) -> Choice:
        """Return what it adds to the only answer, where one was asked for."""
        return self.choices[0] if self.choices else _NOTHING

    @property
    def tokens(self) -> Usage | None:
        """Return the tokens of the whole answer up to it; None where it does not count them."""
        return counted(self.usage) if self.usage else None


def counted(usage: object) -> Usage:
    """Return the counts of a `usage` object; 0 for each that is missing or no whole number."""
    if not isinstance(usage, dict):
        return Usage()
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else 0
