"""Pictures that stand in Markdown as data URLs, and those that only seem to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.text_images import is_data_url, replace_in_markdown

URL = "data:image/png;base64,iVBORw0KGgo="
OTHER = "data:image/svg+xml;charset=utf-8;base64,PHN2Zz4="


def read(text: str) -> tuple[str, list[str]]:
    found: list[str] = []

    def place(source) -> str:
        found.append(source.content)
        return "[seen]"

    return replace_in_markdown(text, place, param="messages[0].content"), found


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (URL, True),
        (f"{URL}\n", True),
        ("data:application/pdf;base64,AAAA", True),
        (f"{URL} is what I see", False),
        (f"See {URL}", False),
        ("data:text/plain;base64,AAAA", False),
        ("data: none", False),
        ("", False),
    ],
)
def test_a_text_may_be_a_data_url_as_a_whole(text, expected) -> None:
    assert is_data_url(text) == expected
