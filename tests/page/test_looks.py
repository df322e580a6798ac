"""The page for everybody: themes, narrow screens, zoom, keyboards, screen readers, few bytes."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from page.test_asking import ask, finished, give
from support.processes import wait_until

SCREENS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "360 px": {"viewport": {"width": 360, "height": 740}},
    # What 200 % zoom makes of 1280 by 800.
    "200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
}
MARKDOWN = """# A title

| a | b |
|---|---|
| 1 | 2 |

- one **thing**
- `code` and [a link](https://example.com/)

```python
print("a long line of code " + "that does not fit into a narrow column, whatever is done about it")
```

> quoted, \\(x^2\\) and \\[\\frac{1}{2}\\] make \\boxed{42}"""


# What is put into the states that axe looks at, one after the other, in one page.


def start(page: Page, captioner, reasoner) -> None:
    expect(page.locator("#health")).to_have_attribute("data-state", "ready")


def done(page: Page, captioner, reasoner) -> None:
    reasoner.script.reasoning = ["Hm."]
    reasoner.script.texts = [MARKDOWN]
    give(page, "looks", "another")
    ask(page, "What does it look like?")
    finished(page)
    page.locator(".thinking summary").click()
    expect(page.locator(".prose math").first).to_be_attached()


def compared(page: Page, captioner, reasoner) -> None:
    page.get_by_role("button", name="+ compare").click()
    ask(page, "Who is right?")
    expect(page.locator(".column[data-state=done]")).to_have_count(2)
    page.get_by_label("Do not compare with this reasoner").click()


def refused(page: Page, captioner, reasoner) -> None:
    reasoner.script.texts = ["\\boxed{The caption does not tell}"]
    ask(page, "What is not told?")
    finished(page, "refused")


def failed(page: Page, captioner, reasoner) -> None:
    captioner.script.status = 503
    captioner.script.plain = {}
    ask(page, "What fails?")
    expect(page.get_by_role("alert")).to_be_visible()


def keyed(page: Page, captioner, reasoner) -> None:
    page.locator("#key").evaluate("form => form.hidden = false")


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_and_nothing_is_cut_off(
    watched, two_reasoners, captioner, reasoner, screen
) -> None:
    page = watched.open(two_reasoners, **SCREENS[screen])
    for state in (start, done, compared, refused, failed, keyed):
        state(page, captioner, reasoner)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{state.__name__}: {found.generate_report()}"
        width, inner = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= inner, state.__name__


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_the_system_s_until_it_is_chosen(open_page, scheme) -> None:
    page = open_page(color_scheme=scheme)
    button = page.locator("#theme")
    paper = "getComputedStyle(document.body).backgroundColor"
    system = page.evaluate(paper)
    expect(button).to_have_attribute("aria-label", "Theme: system")
    button.click()
    light = page.evaluate(paper)
    button.click()
    dark = page.evaluate(paper)
    assert {"light": light, "dark": dark}[scheme] == system
    assert light != dark
    page.reload()
    assert page.evaluate(paper) == dark


def test_everything_is_done_by_keyboard(page, captioner, reasoner) -> None:
    reasoner.script.texts = ["\\boxed{42}"]
    expect(page.get_by_label("Reasoner 1")).to_be_visible()
    reached = tabbed(page)
    assert reached >= {"#files", "#question", "#send", "#theme", ".examples button"}
    page.locator(".examples button").nth(1).focus()
    page.keyboard.press("Enter")
    finished(page)
    page.locator("#theme").focus()
    page.keyboard.press("/")
    expect(page.locator("#question")).to_be_focused()
    expect(page.locator("#question")).to_have_value("")
    page.keyboard.type("One line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("and another?")
    page.keyboard.press("Enter")
    expect(page.locator(".asked")).to_have_text("One line\nand another?")
    finished(page)
    reached = tabbed(page)
    assert reached >= {".caption", ".thinking summary", ".final mark", ".actions button"}
    assert ".earlier button" in reached
    page.locator(".final mark").focus()
    expect(page.locator(".caption mark.lit")).to_have_text("42")


CONTROLS = [
    "#files", "#question", "#send", "#theme", ".caption", ".examples button", ".thinking summary",
    ".final mark", ".actions button", ".earlier button",
]  # fmt: skip
FOCUSED = "all => all.filter(one => document.activeElement.matches(one))"


def tabbed(page: Page) -> set[str]:
    """Which of the controls the Tab key reaches, going once through the page."""
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached |= set(page.evaluate(FOCUSED, CONTROLS))
    return reached


def test_nothing_moves_where_that_is_not_wanted(open_page) -> None:
    page = open_page(reduced_motion="reduce")
    moving = """[...document.querySelectorAll("*")].filter(
        one => getComputedStyle(one).transitionDuration !== "0s").length"""
    assert page.evaluate(moving) == 0


SHIFTS = """() => {
  window.shifted = 0;
  const count = (list) => list.getEntries().forEach((one) => {
    if (!one.hadRecentInput) window.shifted += one.value;
  });
  new PerformanceObserver(count).observe({type: "layout-shift", buffered: true});
}"""
GOOD_LAYOUT_SHIFT = 0.1


def test_hardly_anything_jumps_while_text_streams(page, captioner, reasoner) -> None:
    captioner.script.caption = "\n".join(f"Line {line} of the caption" for line in range(40))
    captioner.script.between_s = 0.1
    reasoner.script.reasoning = [f"Thought {number}. " for number in range(5)]
    reasoner.script.texts = [f"Paragraph {number}.\n\n" for number in range(5)]
    reasoner.script.between_s = 0.05
    page.evaluate(SHIFTS)
    give(page, "jumps")
    ask(page, "What jumps?")
    finished(page)
    assert page.evaluate("window.shifted") < GOOD_LAYOUT_SHIFT


SIZES = """() => Object.fromEntries(performance.getEntriesByType("resource")
  .concat(performance.getEntriesByType("navigation"))
  .filter(one => one.name.includes("/playground/") || one.entryType === "navigation")
  .map(one => [one.name, one.encodedBodySize]))"""


def test_few_bytes_are_transferred(page, captioner, reasoner) -> None:
    reasoner.script.texts = ["Some **Markdown** and \\boxed{42}"]
    page.locator(".examples button").first.click()
    finished(page)
    expect(page.locator(".prose strong")).to_be_visible()
    before = page.evaluate(SIZES)
    assert len(before) > 20
    assert not [name for name in before if "temml" in name]
    assert sum(before.values()) < 62_000
    reasoner.script.texts = ["\\(x^2 = f'\\) and \\boxed{42}"]
    ask(page, "And a formula?")
    expect(page.locator(".prose math")).to_be_attached()
    page.evaluate("document.fonts.ready")
    after = page.evaluate(SIZES)
    assert [name for name in after if "temml" in name]
    assert sum(after.values()) < 150_000


def test_a_breach_of_the_policy_is_noticed(watched, gateway) -> None:
    page = watched.open(gateway)
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.evaluate("fetch('http://elsewhere.example/').catch(() => {})")
    wait_until(lambda: len(watched.complaints) >= 2, what="the complaints")
    assert all("Content Security Policy" in one for one in watched.complaints)
    watched.complaints.clear()
