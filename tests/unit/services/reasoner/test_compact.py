r"""What is shown of answers that end in a `\boxed{…}`, however they come in pieces."""

from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from racro.answers.extract import final_answer, solve_answer
from racro.answers.formulas import worked_out
from racro.contracts.prompts import COMPACT_V1, NOT_TOLD
from services.reasoner.compact import CompactText


def shown(*pieces: str, broken_off: bool = False) -> str:
    text = CompactText()
    return "".join(map(text.add, pieces)) + text.end(broken_off=broken_off)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"Tigers: 23. \boxed{23}", "Tigers: 23.\n\nAnswer: 23"),
        (r"Tigers 23, Sharks 19. \boxed{= 23 + 19}", "Tigers 23, Sharks 19.\n\nAnswer: 42"),
        (r"\boxed{= highest: A 1; B 2}", "Answer: B"),
        (r"See. \boxed{\text{St. Louis}}", "See.\n\nAnswer: St. Louis"),
        (r"One. \boxed{1} Two. \boxed{2}", "One.\n\nAnswer: 2"),
        (r"Not there. \boxed{The caption does not tell}", f"Not there.\n\nAnswer: {NOT_TOLD}"),
        (r"Tigers: 23. \boxed{= 23 +", f"Tigers: 23.\n\nAnswer: {NOT_TOLD}"),
        (r"Tigers: 23. \boxed", f"Tigers: 23.\n\nAnswer: {NOT_TOLD}"),
        ("Tigers: 23. \\bo", f"Tigers: 23.\n\nAnswer: {NOT_TOLD}"),
        (r"\boxed{}", f"Answer: {NOT_TOLD}"),
        (r"One. \boxed{1} Two. \boxed{2", f"One.\n\nAnswer: {NOT_TOLD}"),
        (r"\boxed{\boxed}", f"Answer: {NOT_TOLD}"),
        ("\\boxed{a\n\nAnswer: b}", "Answer: a Answer: b"),
        ("No box at all.", "No box at all."),
        (r"C:\temp and \alpha.", r"C:\temp and \alpha."),
        ("", ""),
    ],
)
def test_a_text_and_what_is_shown_of_it(text: str, expected: str) -> None:
    assert shown(text) == expected
    assert shown(*text) == expected


@pytest.mark.parametrize("text", ["Round and round and", "", r"Round \boxed{1"])
def test_what_was_broken_off_before_its_answer_is_a_refusal(text: str) -> None:
    assert shown(*text, broken_off=True).endswith(f"Answer: {NOT_TOLD}")


def test_what_was_broken_off_after_its_answer_has_it() -> None:
    assert shown(*r"So \boxed{5} and on and on", broken_off=True) == "So\n\nAnswer: 5"


TEXTS = st.lists(
    st.sampled_from(
        ["\\", "\\boxed{", "\\boxed", "{", "}", "= 1 + 2", "=", "\n", " ", "Answer: ", "23", "x."]
    )
    | st.text(max_size=4)
).map("".join)


@given(TEXTS, st.data())
def test_pieces_make_no_difference(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)) | {0, len(text)})
    pieces = [text[start:end] for start, end in pairwise(cuts)]
    assert shown(*pieces) == shown(text)


@given(TEXTS)
def test_no_box_is_ever_shown(text: str) -> None:
    assert "\\boxed" not in shown(*text)


@example("St. A. Nicholas is: 3")
@given(st.text(alphabet=st.characters(exclude_characters="{}\\"), min_size=1))
def test_solve_reads_the_same_answer_as_out_of_the_box(content: str) -> None:
    """Which is what docs/embedded.md's figures rest on."""
    assume(any(character.isalnum() for character in content) and "</think>" not in content)
    raw = f"Seen. \\boxed{{{content}}}"
    boxed = worked_out(final_answer(raw))
    assert solve_answer(COMPACT_V1, raw) == boxed
    assert solve_answer(COMPACT_V1, shown(raw)) == " ".join(boxed.split())
