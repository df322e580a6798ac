"""Requests that go on to a reasoner: their fields stay the bytes they were, but for the images."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from racro.base.surrogate_marks import MOST_HALVES, SurrogateMarks, TooManyHalvesError
from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import TooManyError, fields_of
from racro.servekit.responses import NotJson, check_utf8
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


def _readable(body: bytes, most: int) -> tuple[bytes, dict[str, Raw], SurrogateMarks | None]:
    """Return a request that can be parsed, its fields, and the marks in it if there are any.

    Marks stand for halves of surrogate pairs, and in a request that leaves none for them U+FFFD
    does. Raises NotJson, TooManyError, and InvalidRequest for very many halves.
    """
    try:
        return body, fields_of(body, most), None
    except NotJson:
        # Python's servers read halves of surrogate pairs, as clients cut emojis.
        if not has_lone_surrogates(body):
            raise
    marks = SurrogateMarks.of(body)
    try:
        body = without_lone_surrogates(body) if marks is None else marks.put_in(body)
    except TooManyHalvesError as error:
        raise InvalidRequest(
            f"the body has more than {MOST_HALVES} halves of surrogate pairs, escaped alone"
        ) from error
    return body, fields_of(body, most), marks


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


def is_light(body: bytes) -> bool:
    """Tell whether work on a body may be done on the event loop.

    That is so of a small one without very many objects or data URLs, which may be images.
    """
    return is_small(len(body)) and body.count(b"{") + body.count(b"data:") <= _MOST_OBJECTS


class RelayedRequest:
    """A request whose fields stay the bytes they were, and its turns that are about images.

    `fields` are those that the client sent; they are given up when the reasoner's body is made.
    """

    conversation_type: ClassVar[type[ChatConversation]] = ChatConversation
    # What errors call it.
    kind: ClassVar[str] = "a chat request"

    def __init__(self, body: bytes, *, follow_up: bool, limits: LimitsSection) -> None:
        """Parse a request body. Raises InvalidRequest."""
        self.is_light = is_light(body)
        try:
            check_utf8(body)  # fields that are passed on unread must be UTF-8 too
            body, self.fields, self._marks = _readable(body, limits.max_fields)
            head = _head_of(body, self.fields)
            self.conversation = self.conversation_type.of(self.fields, limits)
            turns = find_image_turns(self.conversation, limits, follow_up=follow_up)
            self.image_turns = leave_out_oldest(turns, limits) if turns else turns
        except TooManyError as error:
            raise InvalidRequest(f"more fields than {limits.fields}") from error
        except NotJson as error:
            raise InvalidRequest(f"the body is not {self.kind}: {error}") from error
        self.model = head.model
        if self._marks is not None:
            self.model = self._marks.shown(self.model)
            self.image_turns = [_shown(turn, self._marks) for turn in self.image_turns]
        self.stream = bool(head.stream)
        self.asked_model: str | None = None

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
        fields, self.fields = self.fields, {}
        conversation = self.conversation
        del self.conversation
        request = seeing_request(fields, conversation, settings, passed, limits)
        self.asked_model = request["model"]
        return self._written(request)

    def for_reasoner(self, reasoner: Reasoner, perceptions: Sequence[Outcome]) -> bytes:
        """Return the body for the reasoner, given one perception for each turn that is looked at.

        To be called once: the request gives up its own bytes, which are not needed while the
        reasoner answers. Notes in `asked_model` which model of the reasoner's server it names.
        """
        turns, self.image_turns, fields, self.fields = self.image_turns, [], self.fields, {}
        conversation = self.conversation
        del self.conversation
        request = reasoner_request(fields, conversation, reasoner.settings, turns, perceptions)
        self.asked_model = request["model"]
        return self._written(request)

    def _written(self, request: Mapping[str, object]) -> bytes:
        written = _encode(request)
        return written if self._marks is None else self._marks.take_out(written)


def _shown(turn: ImageTurn, marks: SurrogateMarks) -> ImageTurn:
    """Return a turn with a question that a captioner can be asked."""
    return turn if turn.question is None else replace(turn, question=marks.shown(turn.question))
