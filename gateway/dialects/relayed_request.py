"""Requests that go on to a reasoner: their fields stay the bytes they were, but for the images."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from msgspec import Raw

from gateway.dialects.chat_conversation import ChatConversation
from gateway.dialects.conversation import ImageTurn, find_image_turns
from gateway.dialects.newest_turns import leave_out_oldest
from gateway.dialects.prompting import Outcome, reasoner_request
from gateway.dialects.seeing import PassedImages, ShownImages, find_shown, seeing_request
from gateway.reasoning.reasoners import Reasoner
from gateway.settings import LimitsSection, ReasonerSection
from racro.base.lone_surrogates import has_lone_surrogates, without_lone_surrogates
from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import TooManyError, fields_of
from racro.servekit.responses import NotJson, check_utf8
from racro.servekit.surrogates import fields_with_surrogates, why_not_json
from racro.servekit.tasks import is_small

_encode = msgspec.json.Encoder().encode


class _Head(msgspec.Struct):
    """The fields that the gateway acts on."""

    model: str = "default"
    stream: bool | None = None


_SMALL_BYTES = 16 * 2**10
# So many messages and parts take some twenty milliseconds.
_MOST_OBJECTS = 1024
_head_decoder = msgspec.json.Decoder(_Head)


def _fields_of(body: bytes, most: int) -> dict[str, Raw]:
    """Return the fields of a request, their values undecoded. Raises NotJson, TooManyError."""
    try:
        return fields_of(body, most)
    except NotJson:
        # Python's servers read halves of surrogate pairs, as clients cut emojis.
        if not has_lone_surrogates(body):
            raise
        try:
            return fields_with_surrogates(body, most)
        except (ValueError, RecursionError):
            pass
        raise


def _head_of(body: bytes, fields: Mapping[str, Raw]) -> _Head:
    """Return the fields that the gateway acts on. Raises NotJson."""
    if len(body) <= _SMALL_BYTES:
        try:
            return _head_decoder.decode(body)
        except NotJson:
            pass  # Where another field cannot be decoded, these can.
    # A large body is gone through once.
    named = {name: fields[name] for name in _Head.__struct_fields__ if name in fields}
    return _head_decoder.decode(_encode(named))


def _conversation_and_turns(
    kind: type[ChatConversation],
    fields: Mapping[str, Raw],
    limits: LimitsSection,
    *,
    follow_up: bool,
) -> tuple[ChatConversation, list[ImageTurn]]:
    """Return the conversation and its turns about images. Raises as `find_image_turns`."""
    try:
        conversation = kind.of(fields, limits)
        return conversation, find_image_turns(conversation, limits, follow_up=follow_up)
    except NotJson:
        mended = {
            name: Raw(without_lone_surrogates(bytes(fields[name])))
            for name in kind.names()
            if name in fields
        }
        if all(bytes(text) == bytes(fields[name]) for name, text in mended.items()):
            raise
        # Where there are no images the fields are passed on as they are.
        conversation = kind.of(mended, limits)
        return conversation, find_image_turns(conversation, limits, follow_up=follow_up)


def is_light(body: bytes) -> bool:
    """Tell whether work on a body may be done on the event loop.

    That is so of a small one without very many objects or data URLs, which may be images.
    """
    return is_small(len(body)) and body.count(b"{") + body.count(b"data:") <= _MOST_OBJECTS


class RelayedRequest:
    """A request whose fields stay the bytes they were, and its turns that are about images."""

    conversation_type: ClassVar[type[ChatConversation]] = ChatConversation
    # What errors call it.
    kind: ClassVar[str] = "a chat request"
    # How many answers it asks for.
    choices = 1

    def __init__(self, body: bytes, *, follow_up: bool, limits: LimitsSection) -> None:
        """Parse a request body. Raises InvalidRequest."""
        self.is_light = is_light(body)
        try:
            check_utf8(body)  # fields that are passed on unread must be UTF-8 too
            self._fields = _fields_of(body, limits.max_fields)
            head = _head_of(body, self._fields)
            self.conversation, turns = _conversation_and_turns(
                self.conversation_type, self._fields, limits, follow_up=follow_up
            )
            self.image_turns = leave_out_oldest(turns, limits) if turns else turns
        except TooManyError as error:
            raise InvalidRequest(f"more fields than {limits.fields}") from error
        except NotJson as error:
            why = why_not_json(body, error)
            raise InvalidRequest(f"the body is not {self.kind}: {why}") from error
        self.model = head.model
        self.stream = bool(head.stream)
        self.asked_model: str | None = None

    @property
    def fields(self) -> Mapping[str, Raw]:
        """The fields that the client sent, until `for_reasoner` is called."""
        return self._fields

    def check_for(self, settings: ReasonerSection) -> None:
        """Raise InvalidRequest for what a reasoner of these settings cannot be asked."""

    def shown_images(self, limits: LimitsSection) -> list[ShownImages]:
        """Return the images that a reasoner sees, with no turn left out. Raises InvalidRequest."""
        turns = [turn for turn in self.image_turns if not turn.follow_up]
        earlier = frozenset(turn.index for turn in turns if not turn.current)
        self.image_turns = []
        try:
            return find_shown(self.conversation, limits, earlier=earlier)
        except NotJson as error:
            raise InvalidRequest(f"the body is not {self.kind}: {error}") from error

    def for_seeing(
        self, settings: ReasonerSection, passed: PassedImages, limits: LimitsSection
    ) -> bytes:
        """Return the body for a reasoner that sees. To be called once, as `for_reasoner`.

        `asked_model` is noted, too.
        """
        fields, self._fields = self._fields, {}
        conversation = self.conversation
        del self.conversation
        request = seeing_request(fields, conversation, settings, passed, limits)
        self.asked_model = request["model"]
        return _encode(request)

    def for_reasoner(self, reasoner: Reasoner, perceptions: Sequence[Outcome]) -> bytes:
        """Return the body for the reasoner, given one perception for each turn that is looked at.

        To be called once: the request gives up its own bytes, which are not needed while the
        reasoner answers. Notes in `asked_model` which model of the reasoner's server it names.
        """
        turns, self.image_turns, fields, self._fields = self.image_turns, [], self._fields, {}
        conversation = self.conversation
        del self.conversation
        request = reasoner_request(fields, conversation, reasoner.settings, turns, perceptions)
        self.asked_model = request["model"]
        return _encode(request)
