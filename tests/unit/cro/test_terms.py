"""A term is 0 where a caption is as it should be, and a leak is an answer given away, no less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.cro import terms
from racro.cro.captioned import Captioned

OPTIONS = {"A": "12 cm", "B": "9 cm", "C": "blue"}


def row(caption: str, answer: str = "5", options=None) -> Captioned:
    return Captioned("1", "Find x.", caption, answer, options or {})


LEAKS = [
    (r"A triangle. \boxed{7}", "5", {}),
    (r"\fbox {5}", "5", {}),
    ("Two bars. The answer is 5.", "5", {}),
    ("**Answer:** 5", "5", {}),
    ("The final answer is therefore x = 5 cm.", "5", {}),
    ("The answer must be $5$, as the legs are 3 and 4.", "5", {}),
    ("The answer is 1,234.", "1234", {}),
    ("The answer is 1234.", "1,234", {}),
    ("The answer is 12.", "12 cm", {}),
    ("the answer is BLUE", "blue", {}),
    ("The answer would be -5.", "-5", {}),
    (r"The answer is \frac{1}{2}.", r"\frac{1}{2}", {}),
    ("Nobody knows what the answer is. The answer is 5.", "5", {}),
    ("The correct option is (B).", "B", OPTIONS),
    ("The right choice: option B", "B", OPTIONS),
    ("The answer is 9 cm.", "B", OPTIONS),
    ("The legs are 3 and 4. Therefore, the third side is 5.", "5", {}),
    ("A circle.\nSo x is 5!", "5", {}),
    ("Thus, the bar is 9 cm high.", "B", OPTIONS),
    ("In conclusion, the slice is blue", "C", OPTIONS),
]
NO_LEAKS = [
    ("The third bar has the height 5.", "5", {}),
    ("The total printed on the receipt is 5.", "5", {}),
    ("3 + 2 = 5", "5", {}),
    ("A table of questions, and an empty column headed Answer.", "5", {}),
    ("The answer is not 5.", "5", {}),
    ("The answer is 15.", "5", {}),
    ("The answer is 5.2.", "5", {}),
    ("The answer is 5/6.", "5", {}),
    ("The answer is -5.", "5", {}),
    ("The answer is 7.", "5", {}),
    ("The answer is to be found with the legs, of which the longer one is 5.", "5", {}),
    ("Options: A. 12 cm, B. 9 cm, C. blue", "B", OPTIONS),
    ("The answer is a matter of the triangle's sides.", "A", OPTIONS),
    ("Thus B is the centre of the circle.", "B", OPTIONS),
    ("Therefore there is no label.", "no", {}),
    ("The sofa is 5 feet wide. Something is so.", "5", {}),
    ("A triangle.", "", {}),
    ("", "5", {}),
]


@pytest.mark.parametrize(("caption", "answer", "options"), LEAKS)
def test_an_answer_given_away_is_a_leak(caption, answer, options) -> None:
    assert terms.leak(row(caption, answer, options)) == -1


@pytest.mark.parametrize(("caption", "answer", "options"), NO_LEAKS)
def test_what_is_read_off_the_image_is_no_leak(caption, answer, options) -> None:
    assert terms.leak(row(caption, answer, options)) == 0


@given(st.text("answer is:.= \n$5*") | st.text(), st.text("5 cm.,/-") | st.text())
def test_a_leak_can_be_looked_for_in_any_text(caption, answer) -> None:
    assert terms.leak(row(caption, answer)) in {-1, 0}


@pytest.mark.parametrize(
    "piece", ["! ", "\n", " ", "answer is ", "answer", "therefore ", "1,", "<", "\\boxed", "so. "]
)
@pytest.mark.timeout(120)
def test_a_caption_that_never_ends_is_read_in_no_time(piece) -> None:
    assert terms.leak(row(piece * 20_000)) == 0


@pytest.mark.parametrize(
    ("characters", "expected"), [(0, 0), (100, 0), (125, -0.25), (150, -0.5), (200, -1), (999, -1)]
)
def test_length_costs_from_its_limit_on(characters, expected) -> None:
    assert terms.length(row("x" * characters), limit=100) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("A triangle.", 0),
        ("a < b", 0),
        ("", -1),
        (" \n", -1),
        ("A <|im_end|> triangle.", -1),
        ("<image> A triangle.", -1),
        (r"A triangle. \boxed{5}", -1),
    ],
)
def test_a_caption_is_text_and_no_more(caption, expected) -> None:
    assert terms.format(row(caption)) == expected
