"""Formulas in a reasoner's box are worked out, and nothing else is touched."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.answers.formulas import worked_out

NUMBERS = st.decimals(min_value=0, max_value=99_999, places=2)
LABELS = st.from_regex(r"[A-Z][a-z]{1,8}( [0-9A-Z][a-z0-9]{0,4})?", fullmatch=True)


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("= $5.74 + $11.83", "$17.57"),
        ("=5 + 6", "11"),
        ("= 27.9 m + 16.1 m", "44.0 m"),
        ("= 1,200 - 300", "900"),
        ("= 900 + 1,200", "2,100"),
        ("= 85 km/h - 60 km/h", "25 km/h"),
        ("= -5°C - 3°C", "8°C"),
        ("= 180° - 75° - 35°", "70°"),
        ("= 2 × (12 m + 5 m)", "34 m"),
        ("= 12 × 5 / 2", "30"),
        ("= 7 / 3", "2.3333"),
        ("= √(6² + 8²) cm", "10 cm"),
        ("= √(13² - 5²)", "12"),
        ("= 220 > 182", "yes"),
        ("= $105 < $100", "no"),
        ("= 7.8% = 7.80%", "yes"),
        ("= highest: Maths 220; History 182; Route 66 12", "Maths"),
        ("= lowest: 2015 83 cm; 2016 90 cm", "2015"),
        ("= highest: Eggs: £6.15; Butter: £8.90", "Butter"),
        ("= highest: A 1.5; B 1.5; C 1", "A and B"),
        ("= sum: Maths $220; History $182.50", "$402.50"),
        ("= count: Maths; History", "2"),
        ("= count over 200: Maths 220; History 182", "1"),
        ("= count under $1,000: May $2,220; June $182; July $999", "2"),
        ("= 161 - 78 among A 60; B 161; C 83", "C"),
        ("= highest: Oak 31 m; Elm 9 m among A Elm; B) Oak", "B"),
        ("= " + "-" * 190 + "1", "1"),
        ("= " + "(" * 90 + "1" + ")" * 90, "1"),
        ("= lowest: 55-64 9; 35-44 3 among A 55-64; B 35-44", "B"),
        ("= 14 cm² + 14 cm²", "28 cm²"),
        ("= 2.40/kg + 1.20/kg", "3.60/kg"),
        ("= count at least 20%: walking 38%; bus 27%; car 20%; train 4%", "3"),
        ("= count at most 20%: walking 38%; bus 27%; car 20%; train 4%", "2"),
        ("= 20 >= 20", "yes"),
        ("= 20 <= 19.5", "no"),
        ("= highest: Kofi 19:48; Petra 24:10", "Petra"),
        ("= lowest: Dublin 09:40; Vienna 09:20 among A Vienna; B Dublin", "A"),
        ("= 35 - 8 among a 43; b 27; c 28", "b"),
        ("= 0-17 among A 45-54; B 0-17; C 17", "B"),
        ("= Tombola among A Band; B Games; C Tombola", "C"),
        ("= C. Yorverro among A) C. Miu; B) C. Yorverro", "B"),
        ("= 400 / 4 among A 102 km/h; B 100 km/h", "B"),
        ("= 2 × 19.50 € - 4 €", "35.00 €"),
        ("= 3 × £11.00", "£33.00"),
        ("= 1.5 × 2.5 cm²", "3.75 cm²"),
        ("= 20 × 50", "1000"),
        ("= 0 × 2.50", "0.00"),
        ("= teal among (1) red; (2) teal", "2"),
        ("= 130 øre - 60 øre", "70 øre"),
        ("= 4 Ω + 6 Ω", "10 Ω"),
    ],
)
def test_a_formula_is_worked_out(formula: str, result: str) -> None:
    assert worked_out(formula) == result


@pytest.mark.parametrize(
    "answer",
    ["10 - 12 years", "9:00 - 17:00", "2019/2020", "Maths", "x = 5", "", "=", "The caption = all"],
)
def test_what_is_no_formula_stays(answer: str) -> None:
    assert worked_out(answer) == answer


@pytest.mark.parametrize(
    "shown",
    [
        "3 km + 5 m",
        "5 km > 900 m",
        "highest: A 5 km; B 900 m",
        "highest: A; B",
        "lowest: ",
        "count over many: A 1; B 2",
        "161 - 78 among A 60; B 161",
        "1 / 0",
        "√(3 - 5)",
        "9²²²²²²²²",
        "((((",
        "(" * 150 + "1" + ")" * 150,
        "-" * 5000 + "1",
        "9" * 150 + " × " + "9" * 20,
        "__import__('os')",
        "1 + 2 +",
        "Maths - History",
    ],
)
def test_what_cannot_be_calculated_is_shown_without_the_sign(shown: str) -> None:
    result = worked_out(f"= {shown}")
    assert result == shown.strip()


def test_a_label_may_be_long() -> None:
    label = "a 1 " * 99 + "b"
    assert worked_out(f"= highest: {label}: 2; c 1") == label
    assert worked_out(f"= highest: {label} 12:30; c 1:00") == label


def test_a_list_that_no_caption_holds_is_shown() -> None:
    entries = "; ".join(f"entry {number}" for number in range(100))
    assert worked_out(f"= sum: {entries}") == "4950"
    longer = "; ".join([entries] * 3)
    assert worked_out(f"= sum: {longer}") == f"sum: {longer}"


@given(first=NUMBERS, second=NUMBERS)
def test_sums_differences_and_comparisons_are_exact(first: Decimal, second: Decimal) -> None:
    assert Decimal(worked_out(f"= {first} + {second}")) == first + second
    assert Decimal(worked_out(f"= {first} - {second}")) == abs(first - second)
    assert worked_out(f"= {first} > {second}") == ("yes" if first > second else "no")


@given(st.dictionaries(LABELS, NUMBERS, min_size=2, max_size=12), NUMBERS)
def test_lists_are_ranked_summed_and_counted(entries: dict[str, Decimal], limit: Decimal) -> None:
    listed = "; ".join(f"{label} {number}" for label, number in entries.items())
    highest, lowest = max(entries.values()), min(entries.values())
    assert entries[worked_out(f"= highest: {listed}").split(" and ")[0]] == highest
    assert entries[worked_out(f"= lowest: {listed}").split(" and ")[-1]] == lowest
    assert Decimal(worked_out(f"= sum: {listed}")) == sum(entries.values())
    over = sum(number > limit for number in entries.values())
    assert worked_out(f"= count over {limit}: {listed}") == str(over)


@given(st.text(alphabet="0123456789 .,;:=+-×/()²√<>$%mA'among", max_size=250))
def test_no_text_is_too_odd(text: str) -> None:
    assert isinstance(worked_out(f"= {text}"), str)
    assert worked_out(text) == text or text.lstrip().startswith("=")
