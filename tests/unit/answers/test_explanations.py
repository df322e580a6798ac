r"""An answer is found whatever explains it, before it or behind it, and mentions other options."""

from itertools import permutations

import pytest

from racro.answers.extract import final_answer

ANNOUNCEMENTS = [
    "The correct answer is {}.",
    "**Answer: {}**",
    "Answer: ({})",
    "The answer is **{}**.",
    "\\boxed{{{}}}",
    "So the correct option is {}.",
    "Option {} is correct.",
    "({}) is the correct answer.",
    "I choose {}.",
    "My choice is {}.",
    "Therefore, the answer must be {}.",
    "### Final Answer\n{}",
    '{{"answer": "{}"}}',
    "答案是{}。",
    "La respuesta correcta es la {}.",
]
EXPLANATIONS = [
    "Option {} is incorrect.",
    "Option {} is too small.",
    "- Option {} is too small: it is 3.",
    "- Option {}: too large",
    "In option {} the line is red.",
    "Choice {} is the perimeter, which is 12.",
    "Option {} is the area in cm.",
    "Answer {} is the area.",
    "Option {} would be right only if x = 2.",
    "Option {} is right next to the bar.",
    "Option {} equals 7.",
    "The choice of {} is wrong.",
    "({}) is too large.",
    "{} is the perimeter.",
    "{}) 12 cm is too small.",
    "The option to round is standard.",
    "The choice of units is cm.",
    "This answer is consistent with the chart.",
    "Another option is to measure.",
    "In this case, the option is to round.",
    "I checked that the answer is correct.",
]
REMARKS = [
    "I checked this; actually the answer is unique.",
    "Actually the answer is reasonable since 3 < 5.",
    "Actually, let me double check. Option B is the largest, so the answer is correct.",
    "Correction factors: the choice of 2 is standard.",
    "To verify: wait for 5 seconds; the answer is consistent.",
    "Wait, let me check. The answer is what the chart shows.",
    "Wait, it should be noted that 5 is larger.",
    "Let us wait, the answer: it is posted later.",
]


@pytest.mark.parametrize("explanation", EXPLANATIONS)
@pytest.mark.parametrize("announcement", ANNOUNCEMENTS, ids=ascii)
def test_an_explanation_of_another_option_is_not_the_answer(announcement, explanation) -> None:
    for letter, other in permutations("ABCDE", 2):
        announced, explained = announcement.format(letter), explanation.format(other)
        assert final_answer(f"{announced}\n\n{explained}") == letter
        assert final_answer(f"{announced}\n{explained}") == letter
        assert final_answer(f"{explained}\n{announced}") == letter


@pytest.mark.parametrize("remark", REMARKS)
@pytest.mark.parametrize("between", [" ", "$. ", "\n", "\n\n"])
@pytest.mark.parametrize("answer", ["7", "B", "blue", r"\frac{1}{2}"])
def test_words_behind_a_box_do_not_retract_it(answer, between, remark) -> None:
    assert final_answer(f"\\boxed{{{answer}}}{between}{remark}") == answer


@pytest.mark.parametrize(
    "retraction", ["Wait, no.", "I made a mistake.", "Actually,", "Correction:"]
)
@pytest.mark.parametrize(
    "corrected", ["the answer is 8.", "it should be 8.", "the answer: 8", r"\boxed{8}"]
)
def test_a_figure_behind_a_retraction_corrects_a_box(retraction, corrected) -> None:
    assert final_answer(f"\\boxed{{5}}. {retraction} {corrected}") == "8"
