r"""The final answer is what a reader of the text would say it is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from racro.answers.extract import compact_answer, final_answer, solve_answer
from racro.answers.thought import split_reasoning
from support.phrasings import PHRASINGS

BOXED = {
    r"\boxed{42}": "42",
    r"So x = 3. \boxed{5}": "5",
    r"$$\boxed{5}$$": "5",
    r"\boxed {7}": "7",
    r"\fbox{9}": "9",
    r"\boxed{ 12 }": "12",
    r"\boxed{\frac{1}{2}}": r"\frac{1}{2}",
    r"\boxed{\frac{\sqrt{3}}{2}}": r"\frac{\sqrt{3}}{2}",
    r"\boxed{x^{2^{3}}} is it.": "x^{2^{3}}",
    r"First \boxed{1}, no: \boxed{2}.": "2",
    r"\boxed{\boxed{3}}": "3",
    r"\boxed{4} and then \boxed{unfinished": "4",
    r"\boxed{8} but the answer is 9.": "8",
    r"\boxed{}, so the answer is 6.": "6",
    r"\boxed{3} or rather \boxed{}": "3",
    r"\boxed{\text{blue}}": "blue",
    r"\boxed{\text{12 cm}}": "12 cm",
    r"\boxed{\textbf{(C)}}": "C",
    r"\boxed{\mathrm{B}}": "B",
    r"\boxed{B}": "B",
    r"\boxed{(D) 12}": "(D) 12",
    r"\boxed{$5$}": "5",
    r"\boxed{3.5}": "3.5",
    r"\boxed{5\text{ cm}}": "5 cm",
    r"\boxed{12\%}": "12%",
    r"\boxed{\$13.95}": "$13.95",
    r"\boxed{\{1, 2\}}": r"\{1, 2\}",
    "The answer is 5: \\boxed{\n5\n}": "5",
}
LETTERS = {
    "(B)": "B",
    "B": "B",
    "B.": "B",
    "C) 12 cm": "C",
    "Answer: C": "C",
    "Answer: (C)": "C",
    "**Answer: C**": "C",
    "The correct answer is (D).": "D",
    "The correct option is B.": "B",
    "The answer is B: 12 cm.": "B",
    "The correct choice is A because it is the largest.": "A",
    "We look at the bars.\n\n**C**": "C",
}
VALUES = {
    "The answer is 42.": "42",
    "The answer is: 42": "42",
    "The final answer is 3.14.": "3.14",
    "Final Answer: 7": "7",
    "**Final answer:** 7": "7",
    "**Answer:** 12": "12",
    "The answer is **12**.": "12",
    "The answer is $\\frac{1}{2}$.": r"\frac{1}{2}",
    "The answer is -5.": "-5",
    "The answer is 1,234.": "1,234",
    "The answer is 3/4.": "3/4",
    "The answer is blue.": "blue",
    "The answer is x = 5.": "5",
    "The answer is 42. It is the highest bar.": "42",
    "The answer is blue. It covers half of the chart.": "blue",
    "The answer should be 12.": "12",
    "The answer is 5 cm.": "5 cm",
    "x = 5": "5",
    "So x = 5.": "5",
    "3 + 4 = 7": "7",
    "The share is 12%": "12%",
    "The share is 12%.": "12%",
    "The total is $13.95": "$13.95",
    "The total is $13.95.": "$13.95",
    "Total: $13.95": "$13.95",
    "42": "42",
    "**42**": "42",
    "Blue": "Blue",
    "First, the answer is 3. No, the answer is 4.": "4",
    "The sum is 10.\nThe difference is 4.": "4",
    "The bars are 3 and 4.\n\n7\n": "7",
    "A dog is shown.": "A dog is shown",
    "I cannot tell": "I cannot tell",
}
THOUGHT_ALOUD = {
    "<think>It is \\boxed{3}.</think>\\boxed{4}": "4",
    "It is \\boxed{3}?</think>\n\nThe answer is 4.": "4",
    "<think>The answer is 3.</think>": "",
    "<think>a</think>b</think>5": "5",
}
EMPTY = {"": "", " \n\n\t": ""}


@pytest.mark.parametrize(
    ("text", "answer"),
    [*(BOXED | LETTERS | VALUES | THOUGHT_ALOUD | EMPTY).items()],
    ids=ascii,
)
def test_answer(text, answer) -> None:
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param(text, answer, id=ascii(f"{source}: {text}"))
        for source, rows in PHRASINGS.items()
        for text, answer in rows.items()
    ],
)
def test_an_answer_is_read_as_people_and_models_write_it(text, answer) -> None:
    assert final_answer(text) == answer
    assert solve_answer("racro-v1", text) == answer


def test_a_sentence_about_the_answer_gives_its_value() -> None:
    assert final_answer("The final answer must be 14 points.") in {"14", "14 points"}


BALANCED = st.recursive(
    st.text("abc123+-=, ", min_size=1),
    lambda inside: st.lists(inside | inside.map(lambda text: f"{{{text}}}"), min_size=1).map(
        "".join
    ),
    max_leaves=6,
)


def untouched(text: str) -> bool:
    """Neither empty nor with something at an end that is tidied away."""
    return bool(text.strip()) and text == text.strip()


@given(BALANCED.filter(untouched), st.text("xyz \n."), st.text("xyz \n."))
def test_the_content_of_a_box_is_found_whatever_it_is_and_wherever_it_stands(
    content, before, after
) -> None:
    assert final_answer(f"{before}\\boxed{{{content}}}{after}") == content


@example("I do not know what the answer is.")
@given(st.text())
def test_a_text_with_something_to_read_has_an_answer(text) -> None:
    has_a_word = any(character.isalnum() for character in text)
    assert final_answer(text) or not has_a_word


@pytest.mark.parametrize("text", [*(BOXED | LETTERS | VALUES), "\\boxed{5}" + "\nend" * 999])
@pytest.mark.parametrize(
    "before", ["Step by step.\n" * 2000, "x" * 20_000 + "\n", "\\boxed{\n" * 3000]
)
def test_an_answer_is_found_at_the_end_of_a_long_text(text, before) -> None:
    assert final_answer(before + text) == final_answer(text)


def test_what_is_far_from_the_end_is_not_the_answer() -> None:
    assert final_answer("\\boxed{5}" + "\nSo." * 9999) == "So"


@pytest.mark.parametrize("depth", [1, 2, 99])
def test_of_boxes_within_boxes_the_innermost_is_the_answer(depth) -> None:
    text = "\\boxed{" * depth + "3" + "}" * depth
    assert final_answer(text) == compact_answer(text) == "3"


@given(st.from_regex(r"(?:[ \n]+|:)[ \n]*:?[ \n]*\**[ \n]*", fullmatch=True))
def test_an_announced_answer_may_stand_apart(gap) -> None:
    assert final_answer(f"The answer is{gap}blue.\nSo.") == "blue"


@pytest.mark.parametrize(
    ("text", "reasoning", "visible"),
    [
        ("42", None, "42"),
        ("<think>\nhm\n</think>\n\n42", "hm", "42"),
        ("hm</think>42", "hm", "42"),
        ("<think></think>42", "", "42"),
        ("<think>cut off", "cut off", ""),
        ("Hm.\n<think>\ncut off", "cut off", "Hm."),
        ("<think>a</think>b\n<think>cut off", "a\ncut off", "b"),
        ("A model says <think> first.", None, "A model says <think> first."),
        ("[THINK]hm[/THINK]42", "hm", "42"),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>42",
            "hm",
            "42",
        ),
        ("analysisHm.assistantfinal42", "Hm.", "42"),
    ],
    ids=ascii,
)
def test_reasoning_is_split_from_the_visible_text(text, reasoning, visible) -> None:
    assert split_reasoning(text) == (reasoning, visible)
