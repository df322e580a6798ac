"""By which names a reasoner is found beside its own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reasoning.names import FurtherNames, matches

# Few letters, so that names match more often than not.
LETTERS = st.text("ab", max_size=8)
PATTERNS = st.text("ab*", min_size=1, max_size=10)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("claude-*", "claude-sonnet-4-5", True),
        ("claude-*", "claude-opus-4[1m]", True),
        ("claude-*", "claude-", True),
        ("claude-*", "claude", False),
        ("claude-*", "my-claude-3", False),
        ("claude-*", "Claude-3", False),
        ("*haiku*", "claude-3-haiku-latest", True),
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-?", "gpt-4", False),
        ("ab*ba", "aba", False),
        ("*", "", True),
    ],
)
def test_a_star_is_any_run_of_characters_and_nothing_else_is_special(
    pattern, name, expected
) -> None:
    assert matches(pattern, name) is expected


@given(PATTERNS, LETTERS)
def test_it_matches_as_a_regular_expression_would(pattern: str, name: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert matches(pattern, name) is bool(re.fullmatch(expression, name))


@given(st.lists(PATTERNS, min_size=1), LETTERS)
def test_a_name_that_is_made_of_a_pattern_matches_it(pieces: list[str], name: str) -> None:
    pattern = "*".join(piece.replace("*", "") for piece in pieces)
    assert matches(pattern, pattern.replace("*", name))


@pytest.mark.parametrize("order", [1, -1])
def test_the_most_specific_pattern_counts_in_whatever_order_they_stand(order: int) -> None:
    patterns = {
        "small": ["claude-*haiku*", "gpt-4o"],
        "large": ["claude-*", "gpt-*"],
        "equal": ["claude*-"],
    }
    names = FurtherNames(dict([*patterns.items()][::order]))
    asked = ["claude-3-haiku", "claude-3-opus", "gpt-4o", "gpt-4o-mini", "claude-x-", "o3"]
    assert [names.reasoner_of(name) for name in asked] == [
        *("small", "large", "small", "large", "equal", None)
    ]


def test_names_that_clients_choose_take_bounded_memory() -> None:
    names = FurtherNames({"one": ["*"]})
    assert names.reasoner_of("x" * 257) is None
    for number in range(5000):
        assert names.reasoner_of(f"model-{number}") == "one"
    assert names._remembered.cache_info().currsize <= 1024
