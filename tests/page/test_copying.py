"""What the page copies runs as it is."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from page.test_asking import ask, finished
from support.pictures import png
from support.processes import PATIENCE_S
from support.scripted import read_events

# Of all that a shell, curl and Python read something into.
QUESTION = """@it's "100 %" \\boxed{$HOME}; `x`"""


def copied(page: Page, button: str) -> str:
    page.get_by_role("button", name=button).click()
    expect(page.locator("#toast")).to_contain_text("Copied")
    return page.evaluate("navigator.clipboard.readText()")


def run(page: Page, button: str, folder: Path) -> str:
    program = ["bash", "-c"] if "curl" in button else [sys.executable, "-c"]
    result = subprocess.run(
        [*program, copied(page, button)],
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(params=["Copy as curl", "Copy as Python"])
def button(request) -> str:
    return request.param


def answers(output: str, button: str) -> None:
    if "curl" in button:
        assert dict(read_events(output))["done"]["answer"] == "42"
    else:
        assert output.splitlines()[-1] == "42"


def test_an_example(page, button, captioner, tmp_path) -> None:
    page.locator(".examples button").first.click()
    finished(page)
    answers(run(page, button, tmp_path), button)
    # The same question about the same picture.
    assert len(captioner.perceptions) <= 1


def test_a_small_picture_comes_along(page, button, captioner, tmp_path) -> None:
    name = 'it\'s a; "fine" one.png'
    file = {"name": name, "mimeType": "image/png", "buffer": png("small")}
    page.locator("#files").set_input_files([file])
    ask(page, QUESTION)
    finished(page)
    captioner.asked.clear()
    answers(run(page, button, tmp_path), button)
    assert captioner.perceptions == []


def test_a_large_picture_is_read_from_its_file(page, button, captioner, tmp_path) -> None:
    (tmp_path / "my large, one.png").write_bytes(png("large") + b"\0" * 300 * 1024)
    page.locator("#files").set_input_files([tmp_path / "my large, one.png"])
    ask(page, "How large?")
    finished(page)
    captioner.asked.clear()
    answers(run(page, button, tmp_path), button)
    assert captioner.perceptions == []
    expect(page.locator("#toast")).to_have_text("Copied. Run it in the folder of the pictures.")


def test_the_answer(page) -> None:
    page.locator(".examples button").first.click()
    finished(page)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator("#toast")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "42"
