"""Screens are told block by block, and code and terminals with the spaces that they have."""

from collections.abc import Iterator, Sequence

from racro.embedded.composer import Word, compose
from racro.embedded.composer.panels import blocks_of

HEADING = "Text in the image, row by row:"
HEIGHT, LETTER = 20, 10


def starting(text: str, left: float, top: float, *, letter: float = LETTER) -> Word:
    return Word(text, left, top, left + letter * len(text), top + HEIGHT)


def column(texts: Sequence[str], left: float, top: float, pitch: float) -> Iterator[Word]:
    # Letters of several widths, as of most fonts.
    for row, text in enumerate(texts):
        yield starting(text, left, top + pitch * row, letter=8 + 3 * (row % 2))


def told(words: Sequence[Word]) -> list[str]:
    first, *lines = compose(words, as_it_stands=True)[0].split("\n")
    assert first == HEADING
    return lines


SIDE_BAR = ("Accounts", "Billing", "Members", "Archive")
CONTENT = ("Name of the team", "It is shown to all.", "Notify me", "By mail at once.", "Save")


def test_a_side_bar_is_told_before_what_stands_beside_it() -> None:
    words = [*column(SIDE_BAR, 20, 40, 50), *column(CONTENT, 300, 40, 31)]
    assert told(words) == [*SIDE_BAR, "", *CONTENT]


def test_what_stands_above_panels_is_told_before_them_and_what_is_below_after_them() -> None:
    above, below = starting("A head across both of the panels", 20, 0), starting("x" * 40, 20, 300)
    words = [*column(SIDE_BAR, 20, 60, 50), *column(CONTENT, 200, 60, 31)]
    assert told([below, *words, above]) == [
        above.text, "", *SIDE_BAR, "", *CONTENT, "", below.text,
    ]  # fmt: skip


def test_rows_of_a_table_stay_rows() -> None:
    words = [
        word
        for left, texts in ((20, ("Ann", "Bob", "Cy")), (200, ("7", "12", "30")))
        for word in column(texts, left, 40, 40)
    ]
    assert told(words) == ["Ann | 7", "Bob | 12", "Cy | 30"]


def test_values_of_settings_stay_beside_their_labels() -> None:
    labels = list(column(CONTENT, 20, 40, 40))
    values = [
        starting(text, 500, labels[at].top) for text, at in (("On", 0), ("7 days", 2), ("Off", 4))
    ]
    lines = told([*labels, *values])
    assert "Name of the team | On" in lines
    assert "Notify me | 7 days" in lines


CODE = (
    ("1", "def area(width, height):"),
    ("2", "    if width < 0:"),
    ("3", "        raise ValueError(width)"),
    ("4", "    return width * height"),
    ("5", ")"),
)


def code() -> list[Word]:
    words = []
    for row, (number, text) in enumerate(CODE):
        indent = len(text) - len(text.lstrip())
        words.append(starting(number, 20, 40 + 30 * row))
        words.append(starting(text.strip(), 50 + LETTER * indent, 40 + 30 * row))
    return words


def test_code_keeps_its_indentation_and_its_lone_brackets() -> None:
    assert told(code()) == [f"{number}  {text}" for number, text in CODE]


def test_a_lone_bracket_elsewhere_is_a_piece_of_a_drawing() -> None:
    words = [*column(CONTENT, 300, 40, 31), starting(")", 40, 400)]
    assert told(words) == [*CONTENT]
    assert ")" not in compose(words)[0]


def test_nothing_is_lost_and_nothing_is_told_twice_however_words_stand() -> None:
    words = [
        starting(f"w{number}", (number * 7919) % 900, (number * 104729) % 700)
        for number in range(300)
    ]
    told_words = [word for block in blocks_of(words) for word in block]
    assert sorted(word.text for word in told_words) == sorted(word.text for word in words)


def test_a_chart_is_told_by_its_text_where_that_is_asked() -> None:
    table = [
        word
        for left, texts in ((20, ("Team", "Falcons", "Tigers")), (200, ("Wins", "9", "7")))
        for word in column(texts, left, 40, 40)
    ]
    assert compose(table)[0].startswith("Table.")
    assert told(table) == ["Team | Wins", "Falcons | 9", "Tigers | 7"]
