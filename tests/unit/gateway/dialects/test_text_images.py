"""Pictures that stand in Markdown as data URLs, and those that only seem to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.text_images import replace_in_text

URL = "data:image/png;base64,iVBORw0KGgo="
OTHER = "data:image/svg+xml;charset=utf-8;base64,PHN2Zz4="


def read(text: str) -> tuple[str, list[str]]:
    found: list[str] = []

    def place(source) -> str:
        found.append(source.content)
        return "[seen]"

    return replace_in_text(text, place, param="messages[0].content", markdown=True), found


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
        (URL, "[seen]", [URL]),
        (f"{URL}\n", "[seen]", [f"{URL}\n"]),
        (f"![]({URL})", "[seen]", [URL]),
        (f"a ![a cat]({URL}) b", "a [seen] b", [URL]),
        (f'![a]({URL} "a title") b', "[seen] b", [URL]),
        (f"![a]({URL})![b]({OTHER})", "[seen][seen]", [URL, OTHER]),
        (f"![a]({URL} ![b]({OTHER})", f"![a]({URL} [seen]", [OTHER]),
        (f"[![a]({URL})](https://example.org)", "[[seen]](https://example.org)", [URL]),
    ],
)
def test_a_picture_is_found(text, expected, found) -> None:
    assert read(text) == (expected, found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"![a]({URL}",
        f"{URL} is what I see",
        "data:text/plain;base64,AAAA",
        f"[a]({URL})",
        f'<img src="{URL}">',
        f"`{URL}`",
        "![a](https://example.org/a.png)",
        "![a](data:image/svg+xml,<svg/>)",
        "![a](data:text/plain;base64,AAAA)",
    ],
)
def test_other_texts_stay_what_they_were(text) -> None:
    assert read(text) == (text, [])


PIECES = ["![", "a", "](", "](data:image/", "png;base64,", "AAAA", ")", " ", URL, f"![x]({URL})"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_kept_but_for_its_pictures(text) -> None:
    out, found = read(text)
    assert out.count("[seen]") == len(found)
    assert all(url.startswith("data:image/") for url in found)
    rest = text
    for kept in out.split("[seen]"):
        assert kept in rest
        rest = rest[rest.index(kept) + len(kept) :]
