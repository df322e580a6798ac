import asyncio
from collections.abc import Callable

import pytest

from gateway.reasoning.reasoners import Reasoner
from gateway.settings import ReasonerSection
from racro.contracts.solve_api import VisualContext
from racro.servekit.upstream import Upstream, open_client
from support.tenants import queue


async def _reasoner() -> Reasoner:
    settings = ReasonerSection(
        url="http://127.0.0.1:1/v1", model="served-name", visual_budget_tokens=64
    )
    async with open_client() as client:
        return Reasoner(
            "default", settings, Upstream(client, settings.url, name="reasoner"), queue()
        )


@pytest.fixture(scope="session")
def a_reasoner() -> Reasoner:
    """A reasoner that nobody asks anything. Its budget is 64 tokens."""
    return asyncio.run(_reasoner())


@pytest.fixture(scope="session")
def a_context() -> Callable[..., VisualContext]:
    def make(caption: str, tentative: str | None = None) -> VisualContext:
        return VisualContext(
            caption=caption,
            tentative=tentative,
            model="m",
            revision="r",
            prompt_profile="racro-v1",
            cache="hit",
        )

    return make
