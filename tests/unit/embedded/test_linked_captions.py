"""Labels and values are linked by where they stand, and by the colours around them."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racro.embedded.composer import Word, compose

RED, GREEN, BLUE = (200, 40, 40), (40, 160, 60), (40, 60, 200)
INK = (20, 20, 20)
HEIGHT = 20.0


def centered(text: str, x: float, y: float, *, height: float = HEIGHT, score: float = 1.0) -> Word:
    half = len(text) * height / 4
    return Word(text, x - half, y - height / 2, x + half, y + height / 2, score)


def starting(text: str, left: float, y: float) -> Word:
    return centered(text, left + len(text) * HEIGHT / 4, y)


def ending(text: str, right: float, y: float) -> Word:
    return centered(text, right - len(text) * HEIGHT / 4, y)


def canvas(width: int = 640, height: int = 480, color: Sequence[int] = (255,) * 3) -> np.ndarray:
    return np.full((height, width, 3), color, np.uint8)


def lines(words: Sequence[Word], pixels: np.ndarray | None = None) -> list[str]:
    return compose(words, pixels)[0].split("\n")


MONTHS = {"Jan": 42, "Feb": 58, "Mar": 35, "Apr": 71}
TOLD_MONTHS = ["Jan: 42", "Feb: 58", "Mar: 35", "Apr: 71"]
RANKED = "Highest: Apr (71). Lowest: Mar (35)."


def scale(x: float = 40) -> list[Word]:
    return [ending(str(value), x, 420 - 4 * value) for value in (0, 20, 40, 60, 80)]


def bars(
    values: Sequence[int], color: Sequence[int] = BLUE, *, paper: Sequence[int] = (255,) * 3
) -> np.ndarray:
    pixels = canvas(color=paper)
    for at, value in enumerate(values):
        pixels[420 - 4 * value : 420, 100 + 140 * at : 180 + 140 * at] = color
    return pixels


def labelled(values: dict[str, int], *, printed: bool = True) -> list[Word]:
    places = [(140 + 140 * at, label, value) for at, (label, value) in enumerate(values.items())]
    labels = [centered(label, x, 440) for x, label, _ in places]
    shown = [centered(str(value), x, 405 - 4 * value) for x, _, value in places]
    return labels + shown * printed


class TestBars:
    def test_title_axes_and_values(self) -> None:
        around = [
            centered("Units sold per month", 320, 20),
            centered("Month", 320, 470),
            Word("Units", 0, 200, 20, 260),
        ]
        assert lines([*around, *scale(), *labelled(MONTHS)], bars([*MONTHS.values()])) == [
            "Bar chart. Title: Units sold per month.",
            "Horizontal axis: Month. Vertical axis: Units, from 0 to 80.",
            "4 bars with these values:",
            *TOLD_MONTHS,
            RANKED,
        ]

    @pytest.mark.parametrize("paper", [(30, 30, 46), (234, 234, 242), (0, 0, 0)])
    def test_on_any_paper(self, paper) -> None:
        told = lines(labelled(MONTHS), bars([*MONTHS.values()], paper=paper))
        assert told == ["Bar chart.", "4 bars with these values:", *TOLD_MONTHS, RANKED]

    def test_a_plot_area_with_a_grid_is_no_set_of_bars(self) -> None:
        pixels = bars([*MONTHS.values()])
        plot = pixels[60:421, 60:620]
        plot[(plot == 255).all(axis=-1)] = 229
        plot[::80][(plot[::80] == 229).all(axis=-1)] = 255
        told = lines([*scale(), *labelled(MONTHS)], pixels)
        assert told[2:] == [*TOLD_MONTHS, RANKED] or told[3:] == [*TOLD_MONTHS, RANKED]

    def test_lying_ones(self) -> None:
        pixels, words = canvas(), [centered(str(v), 160 + 5 * v, 440) for v in (0, 20, 40, 60, 80)]
        for at, (label, value) in enumerate(MONTHS.items()):
            y = 60 + 90 * at
            pixels[y : y + 50, 160 : 160 + 5 * value] = GREEN
            words += [ending(label, 150, y + 25), starting(str(value), 165 + 5 * value, y + 25)]
        assert lines(words, pixels) == [
            "Bar chart.",
            "Horizontal axis: from 0 to 80.",
            "4 bars with these values:",
            *TOLD_MONTHS,
            RANKED,
        ]

    def test_values_that_are_not_printed_are_not_guessed(self) -> None:
        words = [*scale(), *labelled(MONTHS, printed=False)]
        assert lines(words, bars([*MONTHS.values()])) == [
            "Bar chart.",
            "Vertical axis: from 0 to 80.",
            "Labels: Jan, Feb, Mar, Apr.",
            "The values are not printed.",
        ]

    def test_hanging_bars_have_their_values_below(self) -> None:
        pixels, words = canvas(), []
        for x, label, value in ((140, "Jan", 9), (280, "Feb", -7), (420, "Mar", 4)):
            top, bottom = sorted((240, 240 - 15 * value))
            pixels[top:bottom, x - 40 : x + 40] = BLUE
            y = top - 14 if value > 0 else bottom + 14
            words += [centered(str(value), x, y), centered(label, x, 460)]
        assert lines(words, pixels)[2:5] == ["Jan: 9", "Feb: -7", "Mar: 4"]

    def test_equal_ends_are_all_named(self) -> None:
        values = {"Jan": 42, "Feb": 58, "Mar": 42, "Apr": 58}
        told = lines(labelled(values), bars([*values.values()]))
        assert told[-1] == "Highest: Feb and Apr (58). Lowest: Jan and Mar (42)."

    @pytest.mark.parametrize(
        ("printed", "ranked"),
        [
            (["900 m", "3 km", "500 m", "2 km"], None),
            (["45 s", "2 min", "50 s", "1 min"], None),
            (["900k", "1.2M", "500k", "2M"], "Highest: Apr (2M). Lowest: Mar (500k)."),
            (["0,125", "0,5", "0,25", "1,5"], "Highest: Apr (1,5). Lowest: Jan (0,125)."),
        ],
    )
    def test_only_values_of_one_unit_are_ranked(self, printed, ranked) -> None:
        labels = [centered(label, 140 + 140 * at, 440) for at, label in enumerate(MONTHS)]
        places = zip(printed, MONTHS.values(), strict=True)
        values = [
            centered(text, 140 + 140 * at, 405 - 4 * value)
            for at, (text, value) in enumerate(places)
        ]
        told = lines([*labels, *values], bars([*MONTHS.values()]))
        assert f"Jan: {printed[0]}" in told
        assert [line for line in told if line.startswith("Highest")] == [ranked] * bool(ranked)

    def test_a_label_that_was_not_read_is_not_invented(self) -> None:
        words = [word for word in labelled(MONTHS) if word.text != "Feb"]
        assert "(unreadable label): 58" in lines(words, bars([*MONTHS.values()]))

    def test_numbers_read_as_one_are_set_apart(self) -> None:
        words = [word for word in labelled(MONTHS) if word.text not in {"42", "35"}]
        words.append(Word("42  35", 130, 230, 430, 250))
        told = lines(words, bars([42, 58, 42, 71]))
        assert {"Jan: 42", "Mar: 35"} <= set(told)

    def test_a_row_of_labels_read_as_one_is_set_apart(self) -> None:
        words = [word for word in labelled(MONTHS) if word.text not in MONTHS]
        words.append(Word("Jan      Feb      Mar      Apr", 125, 430, 575, 450))
        assert lines(words, bars([*MONTHS.values()]))[2:] == [*TOLD_MONTHS, RANKED]


class TestSeries:
    def words(self) -> list[Word]:
        legend = [starting("Revenue", 480, 20), starting("Costs", 480, 50)]
        labels = [centered("2021", 160, 440), centered("2022", 360, 440)]
        return [*legend, *labels]

    def pixels(self) -> np.ndarray:
        pixels = canvas()
        pixels[14:26, 450:470], pixels[44:56, 450:470] = RED, BLUE
        return pixels

    def test_grouped_bars_have_the_colour_of_their_legend(self) -> None:
        words, pixels = self.words(), self.pixels()
        for x, value, color in ((130, 42, RED), (190, 30, BLUE), (330, 55, RED), (390, 61, BLUE)):
            pixels[420 - 4 * value : 420, x - 28 : x + 28] = color
            words.append(centered(str(value), x, 405 - 4 * value))
        assert lines(words, pixels) == [
            "Bar chart.",
            "Series: Revenue, Costs.",
            "2 bars with these values:",
            "2021: Revenue 42, Costs 30",
            "2022: Revenue 55, Costs 61",
        ]

    def test_stacked_bars_have_their_values_inside(self) -> None:
        words, pixels = self.words(), self.pixels()
        for x, low, high in ((160, 42, 30), (360, 25, 61)):
            pixels[420 - 3 * low : 420, x - 40 : x + 40] = BLUE
            pixels[420 - 3 * (low + high) : 420 - 3 * low, x - 40 : x + 40] = RED
            words += [
                centered(str(low), x, 420 - 1.5 * low),
                centered(str(high), x, 420 - 3 * low - 1.5 * high),
            ]
        assert lines(words, pixels)[3:] == [
            "2021: Revenue 30, Costs 42",
            "2022: Revenue 61, Costs 25",
        ]

    def test_the_higher_line_has_the_higher_number(self) -> None:
        words = [starting("Revenue", 480, 20), starting("Costs", 480, 50)]
        pixels = self.pixels()
        for at, (high, low) in enumerate(((60, 20), (70, 30), (50, 10))):
            x = 120 + 160 * at
            words += [centered(f"202{at}", x, 460), centered(str(high), x, 400 - 4 * high)]
            words += [centered(str(low), x, 450 - 4 * low)]
        for x in range(120, 441):
            high, low = (np.interp(x, (120, 280, 440), ys) for ys in ((60, 70, 50), (20, 30, 10)))
            for value, color in ((high, RED), (low, BLUE)):
                y = int(425 - 4 * value)
                pixels[y : y + 4, x] = color
        assert lines(words, pixels)[:4] == [
            "Line chart.",
            "Series: Revenue, Costs.",
            "3 points with these values:",
            "2020: Revenue 60, Costs 20",
        ]


SHARES = {"Rent": 40, "Food": 25, "Fun": 35}


def pie_pixels(colors: Sequence[Sequence[int]] = (RED, GREEN, BLUE)) -> np.ndarray:
    pixels = canvas()
    ys, xs = np.mgrid[:480, :640]
    turn = (np.arctan2(xs - 240, 260 - ys) % (2 * np.pi)) / (2 * np.pi) * 100
    inside = np.hypot(xs - 240, ys - 260) < 160
    start = 0
    for share, color in zip(SHARES.values(), colors, strict=True):
        pixels[inside & (turn >= start) & (turn < start + share)] = color
        start += share
    return pixels


def around_pie(texts: Sequence[str], radius: float) -> list[Word]:
    words, start = [], 0
    for text, share in zip(texts, SHARES.values(), strict=True):
        turn = (start + share / 2) / 100 * 2 * np.pi
        words.append(centered(text, 240 + radius * np.sin(turn), 260 - radius * np.cos(turn)))
        start += share
    return words


class TestPies:
    TOLD = (
        "Pie chart. Title: Budget.",
        "3 slices with these values:",
        "Rent: 40%",
        "Food: 25%",
        "Fun: 35%",
        "Highest: Rent (40%). Lowest: Food (25%).",
    )
    TITLE = centered("Budget", 240, 20)

    def test_names_around_and_shares_inside(self) -> None:
        words = [self.TITLE, *around_pie([*SHARES], 200)]
        words += around_pie([f"{share}%" for share in SHARES.values()], 90)
        assert lines(words, pie_pixels()) == [*self.TOLD]

    @pytest.mark.parametrize("form", ["{} {}%", "{}: {}%", "{} ({}%)"])
    def test_names_with_their_shares_around(self, form) -> None:
        texts = [form.format(*share) for share in SHARES.items()]
        assert lines([self.TITLE, *around_pie(texts, 210)], pie_pixels()) == [*self.TOLD]

    def test_a_legend_names_slices_by_colour(self) -> None:
        pixels, words = pie_pixels(), [self.TITLE]
        for at, (name, color) in enumerate(zip(SHARES, (RED, GREEN, BLUE), strict=True)):
            y = 200 + 40 * at
            pixels[y - 8 : y + 8, 460:476] = color
            words.append(starting(name, 490, y))
        words += around_pie([f"{share}%" for share in SHARES.values()], 90)
        assert lines(words, pixels) == [*self.TOLD]

    def test_shares_that_are_not_printed_are_not_guessed(self) -> None:
        told = lines(around_pie([*SHARES], 200), pie_pixels())
        assert told == ["Pie chart.", "Labels: Rent, Food, Fun.", "The values are not printed."]


def grid(cells: Sequence[Sequence[str]], *, top: float = 100, step: float = 140) -> list[Word]:
    return [
        starting(cell, 40 + step * column, top + 40 * row)
        for row, texts in enumerate(cells)
        for column, cell in enumerate(texts)
        if cell
    ]


LEAGUE = (("Team", "Wins", "Points"), ("Falcons", "9", "27"), ("Tigers", "7", "23"))


class TestTables:
    def test_each_cell_has_the_name_of_its_column(self) -> None:
        assert lines([centered("League table", 250, 40), *grid(LEAGUE)]) == [
            "Table. Title: League table.",
            "Columns: Team, Wins, Points. 2 rows.",
            "Falcons: Wins 9, Points 27",
            "Tigers: Wins 7, Points 23",
        ]

    def test_an_empty_cell_is_left_out(self) -> None:
        told = lines(grid((*LEAGUE, ("Sharks", "", "19"))))
        assert told[-1] == "Sharks: Points 19"

    def test_cells_read_as_one_are_set_apart(self) -> None:
        words = [
            *grid(LEAGUE),
            starting("Sharks", 40, 220),
            Word("6        19", 180, 210, 340, 230),
        ]
        assert lines(words)[-1] == "Sharks: Wins 6, Points 19"

    def test_keys_and_values(self) -> None:
        told = lines(grid((("Name:", "Clara"), ("Age:", "34"), ("City:", "Rome"))))
        assert told == ["Table.", "Name: Clara", "Age: 34", "City: Rome"]

    def test_two_columns_with_a_head(self) -> None:
        told = lines(grid((("Day", "Visitors"), ("Mon", "12"), ("Tue", "15"))))
        assert told[1:] == ["Columns: Day, Visitors. 2 rows.", "Mon: 12", "Tue: 15"]


class TestReceipts:
    ITEMS = (("2 x Bread", "5.60"), ("Milk", "1.45"))

    def priced(self, items: Sequence[tuple[str, str]], top: float = 100) -> list[Word]:
        return [
            word
            for at, (item, price) in enumerate(items)
            for word in (starting(item, 40, top + 40 * at), ending(price, 380, top + 40 * at))
        ]

    def test_header_items_and_sum(self) -> None:
        words = [centered("CORNER SHOP", 210, 40)]
        words += self.priced((*self.ITEMS, ("TOTAL", "$7.05")))
        assert lines(words) == [
            "Receipt.",
            "CORNER SHOP",
            "2 x Bread: 5.60",
            "Milk: 1.45",
            "TOTAL: $7.05",
        ]

    def test_a_menu_has_no_sum_and_may_have_leaders(self) -> None:
        words = self.priced((("Soup........", "4.50"), ("Cake", "3.20")))
        assert lines(words) == ["Price list.", "Soup: 4.50", "Cake: 3.20"]

    def test_an_invoice_has_columns_and_sums(self) -> None:
        cells = (("Item", "Qty", "Amount"), ("Saw", "2", "30.00"), ("Nails", "1", "4.50"))
        words = [*grid(cells), starting("Total", 180, 220), starting("34.50", 320, 220)]
        assert lines([starting("INVOICE", 40, 40), *words]) == [
            "Receipt.",
            "INVOICE",
            "Columns: Item, Qty, Amount. 2 rows.",
            "Saw: Qty 2, Amount 30.00",
            "Nails: Qty 1, Amount 4.50",
            "Total: 34.50",
        ]


class TestFigures:
    CORNERS = (centered("A", 100, 60), centered("B", 100, 420), centered("C", 560, 420))

    def pixels(self) -> np.ndarray:
        pixels = canvas()
        for step in range(300):
            pixels[100 + step, 118:122] = INK
            pixels[100 + step, 120 + int(1.4 * step) : 124 + int(1.4 * step)] = INK
        pixels[398:402, 120:540] = INK
        return pixels

    def test_sides_are_named_by_the_points_beside_them(self) -> None:
        words = [*self.CORNERS, centered("3 cm", 70, 240), centered("4 cm", 330, 440)]
        assert lines([*words, centered("x", 360, 220)], self.pixels()) == [
            "Geometric figure. Triangle with vertices A, B, C.",
            "AC: x",
            "AB: 3 cm",
            "BC: 4 cm",
        ]

    def test_a_number_at_a_corner_is_no_length_of_a_side(self) -> None:
        words = [*self.CORNERS, centered("40", 130, 75)]
        assert "Lengths printed: 40" in lines(words, self.pixels())

    def test_three_points_in_a_row_are_no_triangle(self) -> None:
        points = [centered(letter, 100 + 200 * at, 410) for at, letter in enumerate("ABC")]
        assert lines(points, self.pixels())[0] == "Geometric figure. Points: A, B, C."

    def test_equations_are_told_as_printed(self) -> None:
        words = [*self.CORNERS, centered("AB = 3", 60, 240), centered("37°", 480, 390)]
        assert lines(words, self.pixels())[1:] == ["AB = 3", "Angle C: 37°"]

    def test_lengths_without_points_are_only_listed(self) -> None:
        words = [centered("3 cm", 70, 240), centered("4 cm", 330, 440)]
        assert lines(words, self.pixels()) == ["Geometric figure.", "Lengths printed: 3 cm, 4 cm"]


class TestText:
    def test_columns_of_text_are_told_one_by_one(self) -> None:
        left = ("The library opens", "on Monday at ten.", "Entrance is free.")
        right = ("Falcons won again", "and Tigers did not", "play this Sunday.")
        told = lines(grid([*zip(left, right, strict=True)], step=300))
        assert told[1:] == [*left, "", *right]

    def test_doubtful_text_is_said_to_be_doubtful(self) -> None:
        told = lines([centered("smudge", 100, 100, score=0.4)])
        assert told[-1] == "Some of the text could not be read reliably."

    def test_a_turned_page_is_said_to_be_turned(self) -> None:
        told = lines([Word("Dear Emma", 40, 40, 60, 240), Word("thank you", 80, 40, 100, 240)])
        assert told[-1] == "The picture seems to be turned by 90 degrees."


EDGES = st.floats(-1e4, 1e4) | st.integers(0, 300).map(float)
ANY_WORDS = st.lists(
    st.builds(
        Word,
        st.text(min_size=1, max_size=6) | st.sampled_from(["A", "42", "3.50", "Total", "5 cm"]),
        *(EDGES, EDGES, EDGES, EDGES),
        st.floats(0, 1),
    ),
    max_size=25,
)
SHAPES = st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from([1, 3, 4]))


@settings(deadline=None)
@given(ANY_WORDS, st.none() | SHAPES, st.integers(0, 2**32))
def test_nothing_makes_it_fail(words, shape, seed) -> None:
    levels = np.array([0, 90, 255], np.uint8)
    pixels = np.random.default_rng(seed).choice(levels, shape) if shape else None
    text, cut = compose(words, pixels)
    assert text
    assert not cut
