"""Words with boxes become a caption in reading order, whatever order they were found in."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.embedded.composer import Word, compose, reading_order, rows

HEADING = "Text in the image, row by row:"


def word(text: str, left: float, top: float, *, height: float = 20, width: float = 40) -> Word:
    return Word(text, left, top, left + width, top + height)


def texts(grouped: list[list[Word]]) -> list[list[str]]:
    return [[one.text for one in row] for row in grouped]


def test_nothing_readable_is_said_to_be_so() -> None:
    assert compose([]) == ("No readable text was found in the image.", False)


def test_rows_read_from_top_to_bottom_and_from_left_to_right() -> None:
    words = [word("10", 100, 43), word("May", 100, 0), word("Rent", 0, 40), word("Cost", 0, 3)]
    assert compose(words) == (f"{HEADING}\nCost | May\nRent | 10", False)


@pytest.mark.parametrize(
    ("second", "rows_expected"),
    [
        (word("b", 50, 9), [["a", "b"]]),
        (word("b", 50, 11), [["a"], ["b"]]),
        (word("b", 50, 0, height=8), [["a", "b"]]),
        (word("b", 50, -20, height=60), [["a", "b"]]),
        (word("b", 50, 20), [["a"], ["b"]]),
        (word("b", 50, 5, height=0), [["a"], ["b"]]),
    ],
    ids=["overlaps", "overlaps too little", "smaller", "taller", "touches", "has no height"],
)
def test_words_share_a_row_where_they_overlap_by_half_of_the_lower_one(
    second, rows_expected
) -> None:
    assert sorted(texts(rows([word("a", 0, 0), second]))) == rows_expected


def test_a_tall_first_row_is_a_title() -> None:
    words = [word("Sales", 0, 0, height=40), word("2024", 90, 0, height=40)]
    body = [word("May", 0, 60), word("5", 90, 60), word("June", 0, 90), word("7", 90, 90)]
    told = list(reading_order(words + body))
    assert told == ["Title: Sales 2024", HEADING, "May | 5", "June | 7"]


@pytest.mark.parametrize(
    "words",
    [
        [word("Sales", 0, 0), word("May", 0, 60), word("June", 0, 90)],
        [word("Sales", 0, 0, height=40), word("May", 90, 10)],
        [word("Sales", 0, 0), word("BIG", 0, 60, height=60), word("June", 0, 190)],
    ],
    ids=["no taller than the rest", "the only row", "tall, but not first"],
)
def test_any_other_row_is_no_title(words) -> None:
    assert next(iter(reading_order(words))) == HEADING


@given(st.integers(1, 6), st.integers(1, 6), st.randoms(use_true_random=False))
def test_a_table_is_read_cell_by_cell_although_its_words_jitter(lines, columns, rng) -> None:
    cells = [[f"r{line}c{column}" for column in range(columns)] for line in range(lines)]
    words = [
        word(text, column * 60 + rng.uniform(-5, 5), line * 40 + rng.uniform(-4, 4))
        for line, row in enumerate(cells)
        for column, text in enumerate(row)
    ]
    rng.shuffle(words)
    assert texts(rows(words)) == cells


WORDS = st.lists(
    st.builds(
        word,
        st.text("abc", min_size=1, max_size=3),
        st.integers(0, 60),
        st.integers(0, 60),
        height=st.integers(0, 30),
        width=st.integers(1, 30),
    ),
    max_size=10,
)


@given(WORDS, st.integers(0, 2**32))
def test_the_order_in_which_words_are_found_does_not_matter(words, seed) -> None:
    shuffled = random.Random(seed).sample(words, len(words))
    assert compose(shuffled) == compose(words)


@given(WORDS)
def test_no_word_is_lost_or_doubled(words) -> None:
    assert sorted(one.text for row in rows(words) for one in row) == sorted(
        one.text for one in words
    )


WARNINGS = (
    "Some of the text could not be read reliably.",
    "The picture seems to be turned by 90 degrees.",
)


@given(WORDS.filter(bool), st.integers(0, 120))
def test_a_limit_cuts_whole_lines_and_no_more_than_it_must(words, max_chars) -> None:
    whole, _ = compose(words)
    text, cut = compose(words, max_chars=max_chars)
    lines = whole.split("\n")
    warnings = [line for line in lines if line in WARNINGS]
    told = lines[: len(lines) - len(warnings)]
    kept = text.split("\n")
    number = len(kept) - len(warnings)
    assert kept == [*told[:number], *warnings]
    assert cut == (kept != lines)
    # The first line is always told: an empty caption says less than none.
    assert len(text) <= max_chars or number == 1
    if cut:
        assert len("\n".join([*told[: number + 1], *warnings])) > max_chars
