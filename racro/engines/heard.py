"""A request to an engine, of whose answer each byte that comes is told."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from racro.servekit.upstream import Response


class HeardRequest(AbstractAsyncContextManager[Response]):
    """Sends a request as it is sent without it, and calls `hear` whenever something comes."""

    def __init__(
        self, request: AbstractAsyncContextManager[Response], hear: Callable[[], None]
    ) -> None:
        self._request = request
        self._hear = hear

    async def __aenter__(self) -> Response:
        response = await self._request.__aenter__()
        self._hear()
        return _Heard(response, self._hear)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._request.__aexit__(kind, error, traceback)


class _Heard:
    """A response that tells of what is read of it."""

    def __init__(self, response: Response, hear: Callable[[], None]) -> None:
        self._response = response
        self._hear = hear
        self.status = response.status
        self.headers = response.headers

    async def read(self) -> bytes:
        body = await self._response.read()
        self._hear()
        return body

    async def readany(self) -> bytes:
        piece = await self._response.readany()
        if piece:
            self._hear()
        return piece

    async def pipe(self, sink: Callable[[bytes], bool]) -> bool:
        def heard(piece: bytes) -> bool:
            self._hear()
            return sink(piece)

        return await self._response.pipe(heard)
