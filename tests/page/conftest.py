"""A real browser, Debian's Chromium without a window, on real gateways."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from conftest import gateway_config
from support.processes import PATIENCE_S, Service
from support.scripted import ScriptedServer

CLIPBOARD = ["clipboard-read", "clipboard-write"]
# Told to the page's console by the browser itself, and no fault of the page.
LOADING_FAILED = "Failed to load resource"
PATIENCE_MS = 1000 * PATIENCE_S

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


class Watched:
    """Pages, and everything that their scripts and their content security policy complain of."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(self, service: Service, **options: Any) -> Page:
        context = self._browser.new_context(base_url=service.url, **options)
        context.grant_permissions(CLIPBOARD, origin=service.url)
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.goto("/")
        return page

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"} and LOADING_FAILED not in message.text:
            self.complaints.append(message.text)

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """Opens pages; the test fails if any of them complained."""
    pages = Watched(browser)
    yield pages
    pages.close()
    assert pages.complaints == []


@pytest.fixture
def open_page(watched: Watched, gateway: Service) -> Callable[..., Page]:
    """Opens the page of the gateway over the scripted captioner and reasoner."""
    return lambda **options: watched.open(gateway, **options)


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


@pytest.fixture(scope="session")
def _two(
    _scripted_captioner: ScriptedServer, _scripted_reasoner: ScriptedServer
) -> Iterator[Service]:
    config = gateway_config(_scripted_captioner.url, _scripted_reasoner.url)
    reasoners = config["reasoners"]
    reasoners["other"] = {**reasoners["default"], "model": "another"}
    with Service("gateway", config) as service:
        yield service


@pytest.fixture(scope="session")
def _mixed(
    _scripted_captioner: ScriptedServer, _scripted_reasoner: ScriptedServer
) -> Iterator[Service]:
    config = gateway_config(_scripted_captioner.url, _scripted_reasoner.url)
    reasoners = config["reasoners"]
    reasoners["native"] = {**reasoners["default"], "model": "vlm", "vision": True}
    with Service("gateway", config) as service:
        yield service


@pytest.fixture
def mixed(_mixed: Service, captioner: ScriptedServer, reasoner: ScriptedServer) -> Service:
    """A gateway with the reasoners `default` and `native`, which sees."""
    return _mixed


@pytest.fixture
def two_reasoners(_two: Service, captioner: ScriptedServer, reasoner: ScriptedServer) -> Service:
    """A gateway with the reasoners `default` and `other`."""
    return _two
