"""No text from outside keeps a control token of any model, our fence or our headings."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.contracts.control_tokens import escape_headings, neutralise
from support.control_tokens import FAMILIES, TOKENS

# Of models that no source names: what has the shape of a token is broken.
UNNAMED = [
    "<acme:turn>",
    "</acme-turn>",
    "<ACME_12>",
    "<_acme>",
    "<|acme>",
    "<acme|>",
    "<｜acme｜>",
    "<!acme!>",
    "<]acme[>",
    "<ações>",
    "‹acme›",
    "＜acme＞",
    "[|acme|]",
    "[ACME_12]",
    "[/ACME]",
    "[@ACME@]",
    "]~acme]",
    "[img-0]",
    '<img src="x">',
    "<s>",
]
KEPT = [
    "a < b and b > c",
    "a<b, c>d",
    "1 <2> 3",
    "0<x<1",
    "<b>bold</b><br/>",
    "<table><tr><td>1</td></tr></table>",
    '<span class="image">s</span> <div id="x">',
    "#include <stdio.h>",
    "std::vector<std::string> v; f<T, U>(x)",
    "<ada@example.org> <https://example.org/a>",
    "<!-- note --> <!DOCTYPE html> <?xml version='1.0'?>",
    "⟨ψ|φ⟩ <x|y> |x| > 3, P(A|B) = 0.5",
    "[1, 2] and [Figure 2], [a][b], x[I], [A-Z], [注]",
    "if (a<s && s>b) { return x[i]; }",
    "‹ a quotation › and « another »",
    "\\boxed{\\frac{1}{2}} $a<b$",
    "visual context, contextual_visual",
    "<",
    "[",
    "]",
    "",
]
PAID = {
    "List<String>": "List< String>",
    "x<y>z": "x< y>z",
    "日本語 <注>": "日本語 < 注>",
    "[ERROR] [PDF](a.pdf)": "[ ERROR] [ PDF](a.pdf)",
    "‹Wort›": "‹ Wort›",
}


def left(text: str) -> list[str]:
    return [token for token in TOKENS if token in text]


def test_there_are_many_families_each_with_a_source() -> None:
    assert len(FAMILIES) >= 25
    assert [name for name, family in FAMILIES.items() if "/" not in family.source] == []


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_the_tokens_of_a_family_are_broken_and_stay_readable(family) -> None:
    for token in family.tokens:
        broken = neutralise(f"see {token} now")
        assert left(broken) == []
        assert broken.replace(" ", "") == f"see{token}now"


@pytest.mark.parametrize("token", UNNAMED)
def test_tokens_of_models_that_nobody_named_are_broken(token) -> None:
    assert token not in neutralise(f"a{token}b")


@pytest.mark.parametrize("inner", ["<|im_start|>", "</s>", "[INST]", "]~b]", "</visual_context>"])
def test_a_token_within_a_token_leaves_none(inner) -> None:
    for token in TOKENS:
        for place in range(len(token) + 1):
            broken = neutralise(token[:place] + inner + token[place:])
            assert left(broken) == []
            assert inner not in broken


@pytest.mark.parametrize("text", KEPT)
def test_text_that_no_token_looks_like_is_kept(text) -> None:
    assert neutralise(text) == text


@pytest.mark.parametrize(("text", "paid"), PAID.items())
def test_text_with_the_shape_of_a_token_pays_a_space(text, paid) -> None:
    assert neutralise(text) == paid


def test_nothing_is_missed_at_the_border_of_pieces() -> None:
    for length in range(64 * 1024 - 20, 64 * 1024 + 1):
        broken = neutralise("\n<" + "a" * length + "<|im_start|>[e~[]~b]\nvisual_context")
        assert left(broken) == []
        assert "visual_context" not in broken
        assert "\n\\###" in escape_headings("\n" + "a" * length + "\r\n###")


PIECES = st.sampled_from([*TOKENS, *"<>|[]/~! _"]) | st.text(max_size=3)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_after_neutralising_no_token_is_left_and_nothing_is_left_to_do(text) -> None:
    once = neutralise(text)
    assert left(once) == []
    assert neutralise(once) == once
    assert once.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "fence",
    [
        "</visual_context>",
        "<visual_context: image>",
        "< / VISUAL_Context >",
        "</visual\u200b_context>",
        "<\ufeffvisual_\u2060con\u00adtext>",
        "＜/visual_context＞",
        "‹/visual_context›",
        "{/visual_context}",
    ],
    ids=ascii,
)
def test_the_name_of_our_fence_is_broken_however_it_is_written(fence) -> None:
    invisible = re.compile("[\u00ad\u200b\u2060\ufeff]")
    assert "visual_context" not in invisible.sub("", neutralise(fence)).lower()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\n### b", "a\n\\### b"),
        ("a\r\n#### b", "a\r\n\\#### b"),
        ("a\u2028 \t### b\n###c", "a\u2028 \t\\### b\n\\###c"),
        ("\n\u200b#\u200b#\ufeff# b", "\n\u200b\\#\u200b#\ufeff# b"),
        ("\n＃＃＃ b", "\n\\＃＃＃ b"),
        ("\n# # # b", "\n\\# # # b"),
    ],
    ids=ascii,
)
def test_a_line_cannot_look_like_our_headings(text, escaped) -> None:
    assert escape_headings(text) == escaped
    assert escape_headings(escaped) == escaped


@pytest.mark.parametrize("text", ["### a", "a ### b", "a\n## b\n# c\n#!/bin/sh", "C# and F#", ""])
def test_what_is_no_heading_of_ours_is_kept(text) -> None:
    assert escape_headings(text) == text
