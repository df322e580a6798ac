"""Defines an engine whose server is a child process on loopback, and asks for a key of its own."""

from racro.engines.engine import Engine
from racro.engines.supervisor import Supervisor
from racro.servekit.health import Problem
from racro.servekit.upstream import Client


class SupervisedEngine(Engine):
    """Runs its server as the child process of `_supervisor`, which a subclass sets."""

    _supervisor: Supervisor

    @property
    def _root_url(self) -> str:
        return f"http://127.0.0.1:{self._supervisor.port}"

    @property
    def _base_url(self) -> str:
        return f"{self._root_url}/v1"

    @property
    def _api_key(self) -> str:
        return self._supervisor.key

    async def start(self, client: Client) -> None:
        await super().start(client)
        await self._supervisor.start()

    async def stop(self) -> None:
        await self._supervisor.stop()
        await super().stop()

    @property
    def known_problem(self) -> Problem | None:
        return self._supervisor.problem
