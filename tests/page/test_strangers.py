"""Texts of strangers, as pictures carry them, harm nothing and fetch nothing."""

import pytest
from playwright.sync_api import Page, expect

from page.test_asking import ask, finished, give

HARM = (
    "<img src=x onerror=\"window.harmed='img'\"><script>window.harmed='script'</script>"
    "<svg onload=\"window.harmed='svg'\"></svg><iframe src='javascript:parent.harmed=1'></iframe>"
    "<a href=\"javascript:window.harmed='link'\" style='position:fixed;inset:0'>click</a>"
)
MARKDOWN = """![a pixel](https://elsewhere.example/pixel.png)
[a link](javascript:window.harmed=1) [another](https://elsewhere.example/)
[third](data:text/html,<script>1</script>) <https://elsewhere.example/auto>
<form action="https://elsewhere.example/"><button>Send</button></form>
<style>* { display: none }</style> <p style="background:url(https://elsewhere.example/b)">x</p>
"""


@pytest.fixture
def fetched(page) -> list[str]:
    """Addresses that the page asks for."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    return addresses


def test_a_picture_with_script_in_its_text_harms_nothing(
    page, gateway, captioner, reasoner, fetched
) -> None:
    captioner.script.caption = HARM
    captioner.script.tentative = HARM
    reasoner.script.reasoning = [HARM]
    reasoner.script.texts = [MARKDOWN, HARM, "\n\n\\boxed{" + HARM.replace("}", "") + "}"]
    give(page, "harm")
    ask(page, HARM)
    finished(page)
    expect(page.locator(".caption")).to_have_text(HARM)
    expect(page.locator(".asked")).to_have_text(HARM)
    expect(page.locator(".prose")).to_contain_text("<script>window.harmed")
    assert page.evaluate("window.harmed") is None
    made = page.locator(".run").locator("img, script, svg, iframe, form, style, [style*=url]")
    assert made.count() == 0
    assert page.locator(".run [onerror], .run [onload], .run a[href^=javascript]").count() == 0
    assert [one for one in fetched if not one.startswith((gateway.url, "blob:"))] == []


def test_a_link_is_shown_and_opened_by_a_click_alone(page, gateway, reasoner, fetched) -> None:
    reasoner.script.texts = [MARKDOWN, "\\boxed{1}"]
    give(page, "links")
    ask(page, "Which links?")
    finished(page)
    links = page.locator(".prose a")
    # What writes Markdown may be loaded only now.
    expect(links.first).to_be_attached()
    addresses = {link.get_attribute("href") for link in links.all()}
    assert addresses - {None} == {
        "https://elsewhere.example/",
        "https://elsewhere.example/auto",
    }
    assert {link.get_attribute("rel") for link in links.all()} == {"noopener noreferrer nofollow"}
    assert [one for one in fetched if "elsewhere" in one] == []


FORMULAS = [
    r"\frac{a}{b} + \sqrt{x^2}",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
    r"\begin{cases} x & x > 0 \\ \hline -x \end{cases}",
    r"\color{red}{x} + \cancel{y} + f'(x) + \vec{v}",
    r"\colorbox{yellow}{x} \fbox{y} \underbrace{z}_{n}",
    r"\href{javascript:alert(1)}{x}",
    r"\includegraphics{https://elsewhere.example/a.png}",
    r"\style{background:url(https://elsewhere.example/b)}{x}",
    r"\def\a{\a\a}\a",
    r"\unknown{x",
]


def test_formulas_are_drawn_within_the_policy(page, gateway, reasoner, fetched) -> None:
    reasoner.script.texts = ["\n\n".join(f"\\[{one}\\]" for one in FORMULAS), "\n\n\\boxed{x^2}"]
    give(page, "formulas")
    ask(page, "Which formulas?")
    finished(page)
    expect(page.locator(".formula math").first).to_be_attached()
    expect(page.locator(".formula:not([data-drawn])")).to_have_count(0)
    assert page.locator(".formula math").count() >= 6
    assert page.locator(".prose a, .prose img").count() == 0
    assert [one for one in fetched if not one.startswith((gateway.url, "blob:"))] == []


def test_money_is_no_formula(page, reasoner) -> None:
    reasoner.script.texts = ["It costs $5 and $10, or $3/$4 each. \\boxed{5}"]
    give(page, "money")
    ask(page, "How much money?")
    finished(page)
    expect(page.locator(".prose")).to_contain_text("$5 and $10, or $3/$4 each")
    expect(page.locator(".prose .formula")).to_have_count(0)


LONG = """async (piece) => {
  const { rendered } = await import("/playground/markdown.js");
  const text = piece.repeat(20000 / piece.length);
  return [rendered(text), rendered(text + text)].map((one) => one.textContent.length);
}"""


@pytest.mark.parametrize("piece", ["[", "*a ", "$x", "\\boxed{", "`", "<", "\\[", "![](", "|a|\n"])
def test_a_long_text_of_brackets_ends(unasked, piece) -> None:
    within, beyond = unasked.evaluate(LONG, piece)
    assert within > 0
    # So much is shown as it is.
    assert beyond > 20_000


@pytest.fixture(scope="module")
def unasked(browser, _gateway) -> Page:
    page = browser.new_page(base_url=_gateway.url)
    page.goto("/")
    yield page
    page.close()
