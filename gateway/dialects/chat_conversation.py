"""A request's conversation as messages of OpenAI's chat, and how it is written back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Self

import msgspec
from msgspec import Raw

from gateway.settings import LimitsSection

_raws_decoder = msgspec.json.Decoder(list[Raw])


class ChatConversation:
    """The conversation of a request, as messages in the shape of OpenAI's chat.

    So all APIs share one search for images and one insertion of visual contexts. This class is
    that of chat itself, whose messages are what the client sent; those of other APIs show theirs
    in this shape, and write back what was changed.

    `messages` is the JSON of a list, of one in another shape whatever the client sent. `items` are
    what the client sent of which the messages were made, where they are not the same.
    """

    # The request's field that holds it.
    field: ClassVar[str] = "messages"
    # Of the fields that limit the tokens of an answer, the one that is set where none is.
    token_limits: ClassVar[tuple[str, ...]] = ("max_tokens", "max_completion_tokens")
    # Whether its requests are answered, and have fields that say how.
    takes_sampling: ClassVar[bool] = True
    # Servers that are text-only often take a string, and no list of texts.
    joins_texts: ClassVar[bool] = True

    def __init__(self, messages: bytes, items: Sequence[Raw] = ()) -> None:
        self.messages = messages
        self.items = items

    @classmethod
    def of(cls, fields: Mapping[str, Raw], limits: LimitsSection) -> Self:  # noqa: ARG003
        """Return the conversation in the fields of a request.

        Raises NotJson, and InvalidRequest for one of more messages than `limits` allow, where they
        have to be gone through and may have images.
        """
        return cls(bytes(fields.get(cls.field, b"[]")))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the request's fields that hold it."""
        return (cls.field,)

    def place(self, index: int) -> str:
        """Return how errors name a message."""
        return f"{self.field}[{index}]"

    def param(self, index: int, name: str) -> str:
        """Return how errors name the field `name` of a message."""
        return f"{self.place(index)}.{name}"

    def text_type(self, role: bytes) -> str:  # noqa: ARG002 - other APIs have several
        """Return the type of a text part in a message of a role, which is given as JSON."""
        return "text"

    def fields(
        self,
        messages: Sequence[Raw],
        changed: Collection[int],  # noqa: ARG002 - these are what is written, changed or not
    ) -> dict[str, Any]:
        """Return the request's fields that hold the conversation, with other messages in it.

        Those whose indices are in `changed` are not what they were.
        """
        return {self.field: messages}

    def prompt(self, messages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """Return the request's fields for a conversation of nothing but those messages.

        A field is None that has to be left out.
        """
        return {self.field: messages}


def decode_list(messages: bytes) -> list[Raw]:
    """Return the items of a list, undecoded. Raises NotJson."""
    return _raws_decoder.decode(messages)
