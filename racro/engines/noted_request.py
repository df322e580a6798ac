"""A request to an engine, of whose answer each byte that comes is told."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from racro.servekit.upstream import Response


class NotedRequest(AbstractAsyncContextManager[Response]):
    """Sends a request as it is sent without it, and calls `note_byte` whenever something comes."""

    def __init__(
        self, request: AbstractAsyncContextManager[Response], note_byte: Callable[[], None]
    ) -> None:
        self._request = request
        self._note_byte = note_byte

    async def __aenter__(self) -> Response:
        response = await self._request.__aenter__()
        self._note_byte()
        return _NotedResponse(response, self._note_byte)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._request.__aexit__(kind, error, traceback)


class _NotedResponse:
    """A response that tells of what is read of it."""

    def __init__(self, response: Response, note_byte: Callable[[], None]) -> None:
        self._response = response
        self._note_byte = note_byte
        self.status = response.status
        self.headers = response.headers

    async def read(self) -> bytes:
        body = await self._response.read()
        self._note_byte()
        return body

    async def readany(self) -> bytes:
        piece = await self._response.readany()
        if piece:
            self._note_byte()
        return piece

    async def pipe(self, sink: Callable[[bytes], bool]) -> bool:
        def noted(piece: bytes) -> bool:
            self._note_byte()
            return sink(piece)

        return await self._response.pipe(noted)
