"""What the page says where something fails: what happened, to whom, what to do."""

from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from page.test_asking import ask, finished, give
from support import http
from support.pictures import png
from support.processes import Service, wait_until


def alert(page: Page):
    return page.get_by_role("alert")


def test_the_captioner_is_away(page, captioner) -> None:
    captioner.script.status = 503
    captioner.script.plain = {}
    give(page, "away")
    ask(page, "Who is away?")
    expect(alert(page)).to_contain_text("The captioner is away.")
    expect(alert(page)).to_contain_text("ask again")
    expect(page.locator("#earlier .a")).to_have_text("failed")


def test_the_reasoner_breaks_off(page, reasoner) -> None:
    reasoner.script.die_after = 1
    give(page, "broken off")
    ask(page, "What breaks?")
    expect(alert(page)).to_contain_text("The reasoner is away.")
    expect(alert(page)).to_contain_text("broke off")
    expect(page.locator(".caption")).not_to_be_empty()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (png() + b"\0" * 21 * 2**20, "max_image_bytes = 20971520"),
        (b"no picture at all", "PNG, JPEG, GIF, WebP"),
        (b"", "image"),
    ],
    ids=["large", "text", "empty"],
)
def test_a_bad_picture_is_refused_with_the_limit_or_what_is_taken(
    page, content, said, tmp_path
) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    page.locator("#files").set_input_files(tmp_path / "bad.png")
    ask(page, "What is it?")
    expect(alert(page)).to_contain_text(said)


def test_a_reasoner_that_is_gone(watched, captioner, reasoner) -> None:
    config = gateway_config(captioner.url, reasoner.url)
    both = {**config["reasoners"], "old": config["reasoners"]["default"]}
    with Service("gateway", {**config, "reasoners": both}) as service:
        page = watched.open(service)
        page.get_by_label("Reasoner 1").select_option("old")
        service.configure(config)
        give(page, "gone")
        wait_until(lambda: '"old"' not in http.get(f"{service.url}/v1/models").text)
        ask(page, "Still there?")
        expect(alert(page)).to_contain_text("There is no such reasoner any more.")
        expect(page.get_by_label("Reasoner 1")).to_have_value("default")


def test_the_gateway_is_gone_and_comes_back(watched, captioner, reasoner) -> None:
    config = gateway_config(captioner.url, reasoner.url)
    with Service("gateway", config) as service:
        page = watched.open(service)
        expect(page.locator("#health")).to_have_attribute("data-state", "ready")
        give(page, "offline")
        service.stop()
        ask(page, "Is anybody there?")
        expect(alert(page)).to_contain_text("The gateway does not answer.")
        expect(page.locator("#health")).to_have_attribute("data-state", "away")
        service.restart(config)
        ask(page, "And now?")
        finished(page)


@pytest.fixture
def guarded(tmp_path: Path, captioner, reasoner):
    """A gateway with API keys, and one of them."""
    path = tmp_path / "keys.yaml"
    file, key = KeysFile().with_new_key("one", TenantRecord(requests_per_minute=8))
    file.write(path)
    config = gateway_config(captioner.url, reasoner.url, tenants={"keys_file": str(path)})
    with Service("gateway", config) as service:
        yield service, key


def test_the_key_is_asked_for_and_kept_in_memory_alone(watched, guarded) -> None:
    service, key = guarded
    page = watched.open(service)
    field = page.get_by_label("API key")
    expect(field).to_be_focused()
    give(page, "guarded")
    ask(page, "May I?")
    expect(alert(page)).to_contain_text("The gateway needs an API key.")
    field.fill("rk_wrong")
    page.keyboard.press("Enter")
    expect(field).to_be_visible()
    field.fill(key)
    page.keyboard.press("Enter")
    # What was asked before is asked again.
    finished(page)
    expect(page.get_by_label("Reasoner 1")).to_have_value("default")
    kept = (
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
    )
    assert key not in page.evaluate(kept)
    assert key not in page.content()
    page.reload()
    expect(field).to_be_visible()


def test_over_the_limit_of_a_key(watched, guarded) -> None:
    service, key = guarded
    page = watched.open(service)
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reasoner 1")).to_have_value("default")
    give(page, "limited")
    # A minute may pass on a busy machine.
    for attempt in count():
        ask(page, f"Once more? {attempt}")
        expect(page.locator("#send")).to_have_text("Ask")
        if alert(page).count():
            break
    expect(alert(page)).to_contain_text("Your key has reached a limit.")
    expect(alert(page)).to_contain_text("Ask again in")


def test_a_key_is_never_copied(watched, guarded) -> None:
    service, key = guarded
    page = watched.open(service)
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    page.locator("#files").set_input_files(
        [{"name": "a.png", "mimeType": "image/png", "buffer": png("copied")}]
    )
    ask(page, "How is it asked?")
    finished(page)
    for button, variable in (("Copy as curl", "$RACRO_KEY"), ("Copy as Python", "RACRO_KEY")):
        page.get_by_role("button", name=button).click()
        expect(page.locator("#toast")).to_have_text("Copied.")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert key not in copied
        assert variable in copied
