"""Event streams of APIs whose errors and keep-alives are not those of OpenAI's chat."""

import re

from racro.contracts.errors import RacroError
from racro.servekit.context import request_id
from racro.servekit.error_forms import ANTHROPIC
from racro.servekit.sse import EventStream, format_event

_SEQUENCE_NUMBER = b'"sequence_number"'
_NUMBERED = re.compile(_SEQUENCE_NUMBER + rb"[ ]{0,4}:[ ]{0,4}([0-9]{1,12})[^0-9]")
# Of a field that is cut in two.
_LONGEST_FIELD = 64


class MessagesEventStream(EventStream):
    """A stream of Anthropic messages: pings in silence, and errors in Anthropic's envelope.

    Headers that come late are a comment, which Anthropic's SDKs ignore.
    """

    keep_alive = b'event: ping\ndata: {"type": "ping"}\n\n'
    # Anthropic's SDKs parse the data of every event but a ping: what was broken off becomes one.
    event_end = b"\nevent: ping\n\n"

    def error_event(self, error: RacroError) -> bytes:
        return format_event("error", ANTHROPIC.envelope(error, request_id.get()))


class ResponsesEventStream(EventStream):
    """A stream of OpenAI responses, whose events are numbered, errors too."""

    _last_number = -1
    _last_bytes = b""

    def _write(self, data: bytes) -> bool:
        self._note_number(self._last_bytes + data)
        return super()._write(data)

    def _note_number(self, text: bytes) -> None:
        self._last_bytes = text[-_LONGEST_FIELD:]
        at = text.rfind(_SEQUENCE_NUMBER)
        if at >= 0 and (found := _NUMBERED.match(text, at)):
            self._last_number = int(found[1])

    def error_event(self, error: RacroError) -> bytes:
        """Return OpenAI's error event.

        Its fields stand in `error`, too: that is what OpenAI's server sends, and where OpenAI's
        SDKs and the AI SDK find that a stream has failed.
        """
        envelope = error.envelope()
        fields = {name: envelope["error"][name] for name in ("code", "message", "param")}
        numbered = {"sequence_number": self._last_number + 1}
        return format_event("error", {"type": "error", **fields, **numbered, **envelope})
