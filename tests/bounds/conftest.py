"""A gateway whose event loop is measured, for hostile requests and for hostile answers."""

from collections.abc import Iterator

import pytest

from conftest import gateway_config
from support.loop_cpu import MeasuredService
from support.scripted import ScriptedServer


@pytest.fixture(scope="module")
def measured(
    _scripted_captioner: ScriptedServer, _scripted_reasoner: ScriptedServer
) -> Iterator[MeasuredService]:
    config = gateway_config(_scripted_captioner.url, _scripted_reasoner.url)
    with MeasuredService("gateway", config) as service:
        yield service
