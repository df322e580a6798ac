"""The conversation of a request of OpenAI's responses: items, of which messages are one kind."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Self

import msgspec
from msgspec import Raw

from gateway.dialects.chat_conversation import ChatConversation, decode_list
from gateway.dialects.conversation import may_have_images
from gateway.dialects.headed_conversation import content_of, head_message
from gateway.settings import LimitsSection
from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import TooManyError, fields_of, items_of

_NOTHING = Raw(b"null")
_MOST_FIELDS = 128
_ASSISTANT = b'"assistant"'
_SCREEN = b'"computer_call_output"'
_LINE = b'{"type":"input_text"'
# They are encrypted, or stand for what is somewhere else.
_UNSEEN_TYPES = frozenset({"reasoning", "compaction", "item_reference"})

# `head` are the instructions, `text` an input that is no list. The content of a `message` is its
# own, of an `output` that field, a `part` is a user's that stands in no message, and an item of
# which nothing is known is looked at as a `whole`.
_Kind = Literal["head", "text", "message", "output", "part", "whole", "unseen"]
_PARTS = frozenset({"input_text", "input_image", "input_file"})


class _Item(msgspec.Struct):
    """What tells the kind of an item. The type of a message may be left out."""

    type: str | None = None
    output: Raw = _NOTHING


_item_decoder = msgspec.json.Decoder(_Item)


class _View(NamedTuple):
    """An item as a message of chat. `position` is the item's in the input."""

    kind: _Kind
    message: bytes
    position: int = 0


class ItemConversation(ChatConversation):
    """The conversation of a request of OpenAI's responses, each of whose items is shown as a
    message.

    `items` are those of the input as the client sent them.
    """

    field: ClassVar[str] = "input"
    head: ClassVar[str] = "instructions"
    token_limits: ClassVar[tuple[str, ...]] = ("max_output_tokens",)
    joins_texts: ClassVar[bool] = False

    def __init__(self, views: Sequence[_View], items: Sequence[Raw]) -> None:
        super().__init__(b"[" + b",".join(view.message for view in views) + b"]", items)
        self._kinds = [(view.kind, view.position) for view in views]

    @classmethod
    def of(cls, fields: Mapping[str, Raw], limits: LimitsSection) -> Self:
        given = fields.get(cls.field, _NOTHING)
        head = head_message(fields.get(cls.head, _NOTHING))
        views = [] if head is None else [_View("head", head)]
        begins = _begins(given)
        if begins == b'"':
            views.append(_View("text", _message(b'"user"', given)))
        if begins == b"{" and may_have_images(bytes(given)):
            raise InvalidRequest(
                f"{cls.field}: there is an image, but not the shape of this API", param=cls.field
            )
        items = _items(given, limits.max_messages) if begins == b"[" else []
        views += [_view(item, position) for position, item in enumerate(items)]
        return cls(views, items)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return cls.head, cls.field

    def place(self, index: int) -> str:
        kind, position = self._kinds[index]
        of_kind = {"head": self.head, "text": self.field}
        return of_kind.get(kind, f"{self.field}[{position}]")

    def param(self, index: int, name: str) -> str:
        place = self.place(index)
        of_kind = {"message": f"{place}.{name}", "output": f"{place}.output"}
        return of_kind.get(self._kinds[index][0], place)

    def text_type(self, role: bytes) -> str:
        return "output_text" if role == _ASSISTANT else "input_text"

    def fields(self, messages: Sequence[Raw], changed: Collection[int]) -> dict[str, Any]:
        items: list[Any] = [*self.items]
        parts: dict[int, list[Raw]] = {}
        found: dict[str, Any] = {}
        for index in changed:
            kind, position = self._kinds[index]
            message = messages[index]
            match kind:
                case "head":
                    found[self.head] = content_of(message)
                case "text":
                    found[self.field] = content_of(message)
                case "output":
                    items[position] = self._with_output(index, message)
                case "message":
                    items[position] = message
                case "part":
                    parts[position] = _parts_in(content_of(message))
                case "whole":
                    items[position] = fields_of(message, _MOST_FIELDS)["tool_calls"]
        for position in sorted(parts, reverse=True):
            items[position : position + 1] = parts[position]
        return {self.field: items, **found} if self.items else found

    def _with_output(self, index: int, message: Raw) -> dict[str, Any]:
        """Return an item with another output. Raises InvalidRequest for too many fields."""
        item = self.items[self._kinds[index][1]]
        try:
            fields = fields_of(item, _MOST_FIELDS)
        except TooManyError as error:
            place = self.place(index)
            raise InvalidRequest(
                f"{place}: more fields than {_MOST_FIELDS}", param=place
            ) from error
        output = content_of(message)
        if bytes(memoryview(output)[: len(_LINE)]) == _LINE:
            # For a reasoner that sees, a line may stand for one screenshot.
            output = Raw(b"[" + memoryview(output) + b"]")
        if bytes(fields.get("type", _NOTHING)) == _SCREEN and _begins(output) == b"[":
            # By OpenAI's types, which vLLM checks, it holds a screenshot and no text, and llama.cpp
            # does not know it at all. Of a function's output both take texts.
            fields["type"] = Raw(b'"function_call_output"')
        return {**fields, "output": output}

    def prompt(self, messages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        return {self.head: None, self.field: messages}


def _items(given: Raw, most: int) -> list[Raw]:
    """Return the items of an input; none where they are too many, and have no images.

    Raises InvalidRequest where they may have some, and NotJson.
    """
    try:
        return items_of(given, most)
    except TooManyError as error:
        if may_have_images(bytes(given)):
            raise InvalidRequest(
                f"input: more than max_messages = {most}", param="input"
            ) from error
        return []


def _view(item: Raw, position: int) -> _View:
    try:
        seen = _item_decoder.decode(item)
    except msgspec.ValidationError:
        seen = _Item("")  # Of no known shape: its reasoner's to judge.
    if seen.type in {None, "message"}:
        return _View("message", bytes(item), position)
    if seen.type in _UNSEEN_TYPES:
        return _View("unseen", b"{}", position)
    if seen.type in _PARTS:
        return _View("part", _message(b'"user"', item), position)
    if seen.output is not _NOTHING and (seen.type or "").endswith("_output"):
        return _View("output", _message(b'"tool"', seen.output), position)
    return _View("whole", b'{"role":"assistant","tool_calls":' + memoryview(item) + b"}", position)


def _parts_in(content: Raw) -> list[Raw]:
    """Return the parts of a content that was one; a context of an earlier image may be before."""
    return decode_list(bytes(content)) if _begins(content) == b"[" else [content]


def _begins(value: Raw) -> bytes:
    return bytes(memoryview(value)[:1])


def _message(role: bytes, content: Raw) -> bytes:
    return b'{"role":' + role + b',"content":' + memoryview(content) + b"}"
