"""A real redis-server, and a wire to it that can be cut, frozen, slowed down and garbled."""

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from typing import Literal, Self

import redis as redis_client

from support.processes import PATIENCE_S, free_port, wait_until


class RedisServer:
    """`redis-server` on a free loopback port, without persistence. `make test` installs it."""

    def __init__(self, *options: str) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program, "redis-server is not on PATH: apt-get install redis-server"
        self._program = program
        self._options = options
        self._folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis_client.Redis(port=self.port, socket_timeout=PATIENCE_S)
        self.start()

    def start(self) -> None:
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "save": "",
            "dir": self._folder.name,
        }
        arguments = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen(
            [self._program, *arguments, *self._options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, what="redis-server")

    def _answers(self) -> bool:
        with contextlib.suppress(redis_client.ConnectionError):
            return self.client.ping()
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def all_keys(self) -> list[str]:
        return sorted(key.decode() for key in self.client.scan_iter())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.kill()
        self._folder.cleanup()


Mode = Literal["pass", "silent", "cut", "garbage"]


class Wire:
    """A TCP proxy to `port` in a thread of its own.

    `mode` is how it treats what it is sent: `silent` swallows both ways (half-open), `cut` closes
    connections at once, `garbage` answers with noise. `delay_s` holds answers back for so long,
    `hold` until `release`.
    """

    def __init__(self, port: int) -> None:
        self.mode: Mode = "pass"
        self.delay_s = 0.0
        self._may_answer = asyncio.Event()
        self._may_answer.set()
        self.bytes_asked = 0
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def set(self, mode: Mode) -> None:
        """Connections that are open feel it too."""
        self.mode = mode
        if mode == "cut":
            for writer in list(self._writers):
                self._loop.call_soon_threadsafe(writer.transport.abort)

    def hold(self) -> None:
        self._loop.call_soon_threadsafe(self._may_answer.clear)

    def release(self) -> None:
        self._loop.call_soon_threadsafe(self._may_answer.set)

    async def _serve(self) -> None:
        self._server = await asyncio.start_server(self._connect, sock=self._socket)

    async def _stop(self) -> None:
        self._server.close()
        mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "cut":
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, up_writer}
        ways = [self._pump(reader, up_writer), self._pump(up_reader, writer, answers=True)]
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(*ways)
        for end in (writer, up_writer):
            self._writers.discard(end)
            end.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        while data := await reader.read(65536):
            self.bytes_asked += 0 if answers else len(data)
            if self.mode == "silent":
                continue
            if answers:
                await asyncio.sleep(self.delay_s)
                await self._may_answer.wait()
            if answers and self.mode == "garbage":
                data = b"\x00\xffHTTP/1.1 200 OK\r\n\r\n"
            writer.write(data)
            await writer.drain()
        writer.transport.abort()
