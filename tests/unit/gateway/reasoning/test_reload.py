"""The reasoners follow the settings file, all of it or nothing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import yaml

from gateway.reasoning.reasoners import Reasoners
from gateway.reasoning.reload import Reloader
from gateway.settings import GatewaySettings
from gateway.tenancy.tenants import ANYBODY
from racro.contracts.errors import QueueFull
from racro.servekit.settings import CONFIG_VARIABLE
from racro.servekit.upstream import open_client
from support.processes import PATIENCE_S

FIRST = {"url": "http://127.0.0.1:1/v1", "model": "one"}
SECOND = {"url": "http://127.0.0.1:1/v1", "model": "two"}


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "gateway.yaml"
    path.write_text(yaml.safe_dump({"reasoners": {"default": FIRST}}))
    monkeypatch.setenv(CONFIG_VARIABLE, str(path))
    return path


@pytest.fixture
async def reasoners(path) -> AsyncIterator[Reasoners]:
    async with open_client() as client:
        yield Reasoners(GatewaySettings.read().reasoners, client)


@pytest.fixture
async def reloader(reasoners) -> AsyncIterator[Reloader]:
    reloader = Reloader(GatewaySettings.read(), reasoners)
    reloader.start()
    yield reloader
    await reloader.stop()


def models(reasoners: Reasoners) -> dict[str, str]:
    return {reasoner.name: reasoner.settings.model for reasoner in reasoners}


async def until(condition: Callable[[], bool]) -> None:
    """Asks for a reload, and waits for what has to come of it."""
    os.kill(os.getpid(), signal.SIGHUP)
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


async def test_requests_of_before_keep_their_places(path, reasoners, reloader) -> None:
    [before] = reasoners
    ticket = before.queue.ticket(ANYBODY)
    await ticket.enter()
    changed = {**FIRST, "max_in_flight": 1, "max_waiting": 0, "model": "changed"}
    path.write_text(yaml.safe_dump({"reasoners": {"default": changed}}))
    await until(lambda: models(reasoners) == {"default": "changed"})
    [after] = reasoners
    with pytest.raises(QueueFull):
        await after.queue.ticket(ANYBODY).enter()
    ticket.leave()
    await after.queue.ticket(ANYBODY).enter()


async def test_a_changed_file_replaces_the_reasoners(path, reasoners, reloader) -> None:
    [same] = reasoners
    path.write_text(yaml.safe_dump({"reasoners": {"default": FIRST, "other": SECOND}}))
    await until(lambda: models(reasoners) == {"default": "one", "other": "two"})
    assert next(iter(reasoners)) is same
    assert reloader.problem is None


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"reasoners": {"default": {**SECOND, "context": 1}}}, "context"),
        ({"reasoners": {"default": SECOND}, "keep_alive_s": 3}, "keep_alive_s: is read at start"),
    ],
    ids=["wrong", "fixed"],
)
async def test_a_file_that_is_refused_changes_nothing_until_it_is_mended(
    path, reasoners, reloader, changed, why
) -> None:
    path.write_text(yaml.safe_dump(changed))
    await until(lambda: reloader.problem is not None)
    assert why in reloader.problem
    assert str(path) not in reloader.problem
    assert models(reasoners) == {"default": "one"}
    path.write_text(yaml.safe_dump({"reasoners": {"default": SECOND}}))
    await until(lambda: reloader.problem is None)
    assert models(reasoners) == {"default": "two"}
