"""Declares what is read of OpenAI chat completions, as leniently as their servers write them.

Every reader shares these structs: they stand here and not in servekit, which CRO may not import.
Fields that are not named are ignored, null is as good as absent, and a wrong count costs no answer.
"""

from typing import Any

import msgspec

from racro.contracts.perception import Usage

# JSON's readers round larger numbers.
_MOST_TOKENS = 2**53


class Message(msgspec.Struct):
    """Holds the text of an answer that is not streamed.

    It is None where the limit of tokens came before the end of a reasoning that the server tells
    apart.
    """

    content: str | None = None


class PlainChoice(msgspec.Struct):
    """Holds one of the answers of a completion that is not streamed."""

    message: Message
    finish_reason: str | None = None


class Completion(msgspec.Struct):
    """Holds a completion that is not streamed."""

    choices: list[PlainChoice]


class Delta(msgspec.Struct):
    """Holds a piece of an answer.

    vLLM and SGLang say `reasoning_content` or, in later releases, `reasoning`.
    """

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class Choice(msgspec.Struct):
    """Holds what a chunk adds to one of the answers: to the first where it has no `index`."""

    index: int | None = None
    delta: Delta | None = None
    finish_reason: str | None = None

    @property
    def content(self) -> str:
        return (self.delta.content or "") if self.delta else ""

    @property
    def reasoning(self) -> str:
        """Return the reasoning, where the server tells it apart."""
        return (self.delta.reasoning_content or self.delta.reasoning or "") if self.delta else ""


_NOTHING = Choice()


class Chunk(msgspec.Struct):
    """Holds one event of a streamed completion; `error` is whatever its server sends as one."""

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
