"""Takes the pictures of the documentation anew: the real page on a gateway with scripted answers.

One reasoner answers as the embedded default does, the other one thinks aloud.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from conftest import gateway_config
from support.processes import Service
from support.scripted import Script, ScriptedServer

IMAGES = Path(__file__).parents[2] / "docs/images"
SIZE = {"width": 1200, "height": 780}
CAPTION = """Receipt.
CORNER SHOP
Bread: 2.80
Milk: 1.45
Apples: 3.20
Coffee: 6.50
TOTAL: 13.95"""
TENTATIVE = "The last line says TOTAL, so it is \\boxed{13.95}."
TOTAL = Script(
    texts=[
        "The line **TOTAL** says 13.95, ",
        "and the items add up to it:\n\n",
        "\\[2.80 + 1.45 + 3.20 + 6.50 = 13.95\\]\n\n",
        "So the total is \\boxed{13.95}.",
    ],
    reasoning=["There are four items on the receipt. ", "I add them up and compare the total."],
    usage={"prompt_tokens": 212, "completion_tokens": 74, "total_tokens": 286},
    before_s=0.12,
    between_s=0.11,
)
BRIEFLY = Script(
    texts=["TOTAL: 13.95.\n\n", "Answer: 13.95"],
    usage={"prompt_tokens": 96, "completion_tokens": 11, "total_tokens": 107},
    before_s=0.1,
    between_s=0.06,
)


def answer(asked: dict[str, Any]) -> Script:
    return BRIEFLY if asked["model"] == "smollm2-135m" else TOTAL


@contextmanager
def gateway() -> Iterator[Service]:
    with ScriptedServer() as captioner, ScriptedServer() as reasoner:
        captioner.script = Script(
            caption=CAPTION, tentative=TENTATIVE, before_s=0.4, between_s=0.15
        )
        reasoner.script.respond = answer
        config = gateway_config(captioner.url, reasoner.url)
        [default] = config["reasoners"].values()
        config["reasoners"] = {
            "default": {**default, "model": "smollm2-135m"},
            "qwen3-8b": {**default, "model": "qwen3-8b"},
        }
        with Service("gateway", config) as service:
            yield service


def opened(browser: Browser, service: Service, scheme: str) -> Page:
    page = browser.new_page(
        base_url=service.url, viewport=SIZE, color_scheme=scheme, device_scale_factor=1.5
    )
    page.goto("/")
    expect(page.locator("#health")).to_have_attribute("data-state", "ready")
    return page


def answered(page: Page, columns: int) -> None:
    page.locator(".examples button").first.click()
    expect(page.locator(".column[data-state=done]")).to_have_count(columns)
    expect(page.locator(".prose math").first).to_be_attached()
    page.locator(".final mark").first.hover()


def take(page: Page, name: str) -> None:
    page.screenshot(path=IMAGES / f"{name}.png")
    page.close()


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with gateway() as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        take(opened(browser, service, "light"), "playground-start")
        for scheme in ("light", "dark"):
            page = opened(browser, service, scheme)
            page.get_by_label("Reasoner 1").select_option("qwen3-8b")
            answered(page, 1)
            take(page, f"playground-{scheme}")
        page = opened(browser, service, "light")
        page.get_by_role("button", name="+ compare").click()
        answered(page, 2)
        take(page, "playground-compare")
        browser.close()


if __name__ == "__main__":
    main()
