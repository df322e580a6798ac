"""The page on the real embedded default, as `racro up` starts it."""

import pytest
from playwright.sync_api import expect

from page.test_asking import finished


@pytest.mark.parametrize(
    ("card", "answer", "marked"), [(0, "13.95", True), (1, "71", True), (2, "5", False)]
)
def test_the_examples_are_answered(watched, embedded_gateway, card, answer, marked) -> None:
    page = watched.open(embedded_gateway)
    page.locator(".examples button").nth(card).click()
    finished(page)
    expect(page.locator(".final")).to_have_text(answer)
    expect(page.locator(".final mark")).to_have_count(1 if marked else 0)
    expect(page.locator(".checked")).to_have_text("" if marked else "not found in what was seen")
