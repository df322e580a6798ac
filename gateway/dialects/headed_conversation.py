"""Conversations whose instructions stand in a field of their own, before the messages."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Self

from msgspec import Raw

from gateway.dialects.chat_conversation import ChatConversation
from gateway.settings import LimitsSection
from racro.servekit.json_bounds import fields_of

_NOTHING = Raw(b"null")
_LONGEST_EMPTY = 1024


class HeadedConversation(ChatConversation):
    """The conversation of a request of Anthropic's messages, or what is like it.

    What the field `head` says is shown as a first message, of the system.
    """

    head: ClassVar[str] = "system"
    token_limits: ClassVar[tuple[str, ...]] = ("max_tokens",)
    joins_texts: ClassVar[bool] = False

    def __init__(self, messages: bytes, *, has_head: bool) -> None:
        super().__init__(messages)
        self._has_head = has_head

    @classmethod
    def of(cls, fields: Mapping[str, Raw], limits: LimitsSection) -> Self:  # noqa: ARG003
        head = head_message(fields.get(cls.head, _NOTHING))
        messages = bytes(fields.get(cls.field, b"[]"))
        if head is None or not messages.startswith(b"["):
            return cls(messages, has_head=False)
        if b"{" in messages:
            return cls(b"[" + head + b"," + memoryview(messages)[1:], has_head=True)
        # Without an object it is empty, or no conversation.
        is_empty = len(messages) <= _LONGEST_EMPTY and not messages[1:-1].strip()
        return cls(b"[" + head + b"]" if is_empty else messages, has_head=is_empty)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return cls.head, cls.field

    def place(self, index: int) -> str:
        if self._has_head and index == 0:
            return self.head
        return super().place(index - self._has_head)

    def param(self, index: int, name: str) -> str:
        place = self.place(index)
        return place if place == self.head else f"{place}.{name}"

    def fields(self, messages: Sequence[Raw], changed: Collection[int]) -> dict[str, Any]:
        if not self._has_head:
            return {self.field: messages}
        head, *messages = messages
        found: dict[str, Any] = {self.field: messages}
        if 0 in changed:
            found[self.head] = content_of(head)
        return found

    def prompt(self, messages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        heads = [one["content"] for one in messages if one["role"] == "system"]
        others = [one for one in messages if one["role"] != "system"]
        return {self.head: "\n\n".join(heads) or None, self.field: others}


def head_message(head: Raw) -> bytes | None:
    """Return instructions as a message of the system; None where they are no text and no parts."""
    if bytes(memoryview(head)[:1]) not in {b'"', b"[", b"{"}:
        return None
    return b'{"role":"system","content":' + memoryview(head) + b"}"


def content_of(message: Raw) -> Raw:
    """Return the content of a message that this or `insert_contexts` has written."""
    return fields_of(message, 4)["content"]
