"""The client of an event stream, in place of a connection."""

import asyncio


class Client:
    """The other end of an ASGI `send`."""

    def __init__(self) -> None:
        self.messages: list[dict] = []
        self.times: list[float] = []
        self._news = asyncio.Event()

    async def __call__(self, message) -> None:
        self.messages.append(message)
        if message["type"] == "http.response.body":
            self.times.append(asyncio.get_running_loop().time())
        self._news.set()

    is_paused = False

    def write(self, data) -> bool:
        self.messages.append({"type": "http.response.body", "body": data, "more_body": True})
        self.times.append(asyncio.get_running_loop().time())
        self._news.set()
        return not self.is_paused

    async def drain(self) -> None: ...

    async def has_pieces(self, number: int) -> None:
        while len(self.pieces) < number:
            self._news.clear()
            await self._news.wait()

    @property
    def started(self) -> list[dict]:
        return [one for one in self.messages if one["type"] == "http.response.start"]

    @property
    def pieces(self) -> list[bytes]:
        return [one["body"] for one in self.messages if one["type"] == "http.response.body"]

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def ended(self) -> bool:
        return bool(self.messages) and not self.messages[-1].get("more_body", False)
