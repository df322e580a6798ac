"""Declares what is read of OpenAI chat completions, as leniently as their servers write them.

Every reader shares these structs: they stand here and not in servekit, which CRO may not import.
Fields that are not named are ignored, null is as good as absent, and a wrong count costs no answer.
"""

import codecs
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from racro.base.lone_surrogates import without_lone_surrogates
from racro.contracts.errors import UpstreamError, UpstreamUnavailable
from racro.contracts.perception import Usage

# JSON's readers round larger numbers.
_MOST_TOKENS = 2**53


# What a whole answer ends with; of a chat that calls tools, further ones.
RESULTS = frozenset({"stop", "length"})
# The same in the words of TGI, Ollama and other engines, Anthropic, Google and Mistral.
_ALIASES = {
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "STOP": "stop",
    "max_tokens": "length",
    "MAX_TOKENS": "length",
    "model_length": "length",
}
_MAY_COME_LATER = frozenset({None, "abort", "error"})
_LONGEST_SHOWN = 40
_NUMBER = re.compile(r"[0-9]{1,9}")


Content = str | list[Any] | dict[str, Any] | None


def standard_ending(finish_reason: str | None) -> str | None:
    """Return a `finish_reason` in OpenAI's word for it, if it is another server's."""
    return _ALIASES.get(finish_reason, finish_reason) if finish_reason else finish_reason


def is_failure(error: object, choices: object) -> bool:
    """Tell whether the field `error` of a completion says that there is one.

    What is empty or false says so only where no choices stand beside it.
    """
    return error is not None and (bool(error) or not choices)


class Message(msgspec.Struct):
    """Holds the text of an answer that is not streamed.

    It is empty where the limit of tokens came before the end of a reasoning that the server tells
    apart.
    """

    content: Content = None

    @property
    def text(self) -> str:
        return _text_of(self.content)


class PlainChoice(msgspec.Struct):
    """Holds one of the answers of a completion that is not streamed."""

    message: Message
    finish_reason: str | None = None

    def __post_init__(self) -> None:
        self.finish_reason = standard_ending(self.finish_reason)


class Completion(msgspec.Struct):
    """Holds a completion that is not streamed; `error` is what its server sent instead of one."""

    choices: list[PlainChoice] | None = None
    error: Any = None

    @property
    def has_failed(self) -> bool:
        return is_failure(self.error, self.choices)


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

    content: Content = None
    reasoning_content: Any = None
    reasoning: Any = None


class Choice(msgspec.Struct):
    """Holds what a chunk adds to one of the answers: to the first where it has no `index`."""

    index: int | float | str | None = None
    delta: Delta | None = None
    finish_reason: str | None = None

    def __post_init__(self) -> None:
        if self.finish_reason:
            self.finish_reason = standard_ending(self.finish_reason)

    @property
    def number(self) -> int:
        """Return its index, which some servers write as a text or with a fraction."""
        match self.index:
            case int(index):
                return index
            case float(index) if index.is_integer():
                return int(index)
            case str(index) if _NUMBER.fullmatch(index):
                return int(index)
        return 0

    @property
    def content(self) -> str:
        return _text_of(self.delta.content) if self.delta else ""

    @property
    def reasoning(self) -> str:
        """Return the reasoning, where the server tells it apart."""
        if self.delta is None:
            return ""
        apart = self.delta.reasoning_content or self.delta.reasoning
        return apart if apart and isinstance(apart, str) else _thoughts_of(self.delta.content)


def _text_of(content: Content) -> str:
    if isinstance(content, str):
        return content
    return "".join(_texts(_parts_of(content), kind="text", field="text"))


def _thoughts_of(content: Content) -> str:
    return "".join(_texts(_parts_of(content), kind="thinking", field="thinking"))


def _parts_of(content: Content) -> list[Any]:
    if isinstance(content, dict):
        return [content]
    return content if isinstance(content, list) else []


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
    def has_failed(self) -> bool:
        return self.object == "error" or is_failure(self.error, self.choices)

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
        prompt_tokens=count(usage.get("prompt_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
    )


def count(value: object) -> int:
    """Return a count of tokens; 0 for what is none."""
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else 0
