"""One request and its answer, as they pass through the entry of a service."""

from collections.abc import Awaitable

from starlette.types import Message, Receive, Scope, Send

from racro.contracts.errors import RacroError, TooLarge
from racro.servekit.byte_budget import ByteBudget
from racro.servekit.context import REQUEST_ID_HEADER, adopt_request_id, header
from racro.servekit.error_forms import ErrorForm, error_form_of, set_error_form
from racro.servekit.responses import error_response

_REQUEST_ID = REQUEST_ID_HEADER.encode()
CLIENT_CLOSED_REQUEST = 499


class Exchange:
    """A request whose body is bounded, and its answer, which gets `headers` beside its own.

    `route` is the template of its route, for metric labels must stay few; `status` is that of the
    answer, 499 until it has begun; `body_bytes` is how much of the body was read. What is read, or
    announced, comes out of `budget` until `release`.
    """

    __slots__ = (
        "_budget",
        "_max_body_bytes",
        "_receive",
        "_reserved",
        "_send",
        "answer_started",
        "body_bytes",
        "headers",
        "id",
        "route",
        "scope",
        "status",
        "trace_id",
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        max_body_bytes: int,
        budget: ByteBudget,
    ) -> None:
        self.scope = scope
        self.id = adopt_request_id(scope["headers"])
        self.headers: list[tuple[bytes, bytes]] = [(_REQUEST_ID, self.id.encode())]
        # Of the trace that it is recorded in.
        self.trace_id: str | None = None
        self.route = "unmatched"
        self.status = CLIENT_CLOSED_REQUEST
        self.answer_started = False
        self.body_bytes = 0
        self._receive = receive
        self._send = send
        self._max_body_bytes = max_body_bytes
        self._budget = budget
        self._reserved = 0

    async def receive(self) -> Message:
        """Reads a part of the request body.

        Raises TooLarge or Overloaded, before anything is read where the body's length is declared.
        """
        if not self.body_bytes:
            self._reserve(self._declared_bytes())
        message = await self._receive()
        self.body_bytes += len(message.get("body", b""))
        if self.body_bytes > self._reserved:
            self._reserve(self.body_bytes)
        return message

    def release(self) -> None:
        """Gives the body's bytes back to the budget, at the request's end."""
        self._budget.give_back(self._reserved)
        self._reserved = 0

    def send(self, message: Message) -> Awaitable[None]:
        """Sends a part of the answer."""
        if message["type"] == "http.response.start":
            self.status, self.answer_started = message["status"], True
            message["headers"] = [*message.get("headers", ()), *self.headers]
        # Without a coroutine of its own, for each piece of a stream.
        return self._send(message)

    def use_error_form(self, form: ErrorForm) -> None:
        """Has its errors take a form, and its answer tell its id to the clients of that API."""
        set_error_form(self.scope, form)
        for name in form.id_headers:
            self.headers.append((name, self.id.encode()))

    async def fail(self, error: RacroError) -> None:
        """Answers with an error. Raises it where another answer has begun."""
        if self.answer_started:
            raise error
        response = error_response(error, error_form_of(self.scope))
        # Its own limits are what a client has to keep to, not those of an upstream.
        for name, _ in self.headers:
            del response.headers[name.decode()]
        await response(self.scope, self.receive, self.send)

    def _declared_bytes(self) -> int:
        declared = header(self.scope["headers"], "content-length")
        return int(declared) if declared is not None and declared.isdecimal() else 0

    def _reserve(self, body_bytes: int) -> None:
        """Takes what a body of this size needs from the budget, beside what it has."""
        if body_bytes > self._max_body_bytes:
            raise TooLarge(f"the request body is over max_body_bytes = {self._max_body_bytes}")
        self._budget.take(body_bytes - self._reserved)
        self._reserved = body_bytes
