"""The playground in Debian's Chromium, over the embedded default: make bench-page

From `racro up` to the answer that an example of the page gets, as somebody sees it who has a
browser open, and how soon the page is painted.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from benchmarks.report import Row, machine_line, show

_RUNS = 5
_FIRST_ANSWER_TARGET_S = 15
_PAINT_TARGET_MS = 300
_TIMEOUT_S = 120
_URL = re.compile(r"^Open (\S+)$", re.MULTILINE)
_PAINT = "performance.getEntriesByName('first-paint')[0]?.startTime"


@contextmanager
def _up() -> Iterator[str]:
    """`racro up`, and the URL that it prints first."""
    racro = Path(sys.executable).with_name("racro")
    with tempfile.NamedTemporaryFile("r+") as log:
        process = subprocess.Popen(
            [racro, "up", "--free-ports"], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            deadline = time.monotonic() + _TIMEOUT_S
            while not (found := _URL.search(Path(log.name).read_text())):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"`racro up` did not start:\n{Path(log.name).read_text()}")
                time.sleep(0.01)
            yield found[1]
        finally:
            process.terminate()
            process.wait()


def _painted_ms(page: Page) -> float:
    """When the page showed its first pixels, in ms after it was asked for."""
    handle = page.wait_for_function(_PAINT)
    milliseconds: float = handle.json_value()
    return milliseconds


def _run(browser: Browser) -> tuple[float, float, float]:
    """Seconds until `racro up` is ready, seconds until the first answer, milliseconds to paint."""
    began = time.perf_counter()
    with _up() as url, browser.new_context() as context:
        ready_s = time.perf_counter() - began
        page = context.new_page()
        page.set_default_timeout(1000 * _TIMEOUT_S)
        page.goto(url)
        page.locator(".examples button").first.click()
        page.locator(".column[data-state=done]").wait_for()
        return ready_s, time.perf_counter() - began, _painted_ms(page)


def run() -> list[Row]:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not on PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        ready_s, answered_s, painted_ms = zip(*(_run(browser) for _ in range(_RUNS)), strict=True)
        browser.close()
    return [
        Row("page", "racro up, until it is ready", median(ready_s), "s"),
        Row("page", "racro up, until the page shows an example's answer", median(answered_s), "s",
            _FIRST_ANSWER_TARGET_S),
        Row("page", "the slowest", max(answered_s), "s", _FIRST_ANSWER_TARGET_S),
        Row("page", "first paint", median(painted_ms), "ms", _PAINT_TARGET_MS),
        Row("page", "the slowest", max(painted_ms), "ms", _PAINT_TARGET_MS),
    ]  # fmt: skip


if __name__ == "__main__":
    console = Console()
    show(console, run())
    console.print(machine_line())
