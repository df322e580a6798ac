"""The proof's reasoner answers rightly whenever the caption tells what is needed, else says so."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.cro_proof.reader import answer
from experiments.recipes.captioner.asking import ask
from experiments.recipes.captioner.scenes import KINDS, draw_scene
from racro.answers.extract import solve_answer
from racro.contracts.prompts import NOT_TOLD, compact_messages
from racro.grading import is_right


def respond(question: str, caption: str, tentative: str | None = None) -> str:
    message = compact_messages(question, caption, tentative)[-1]["content"]
    return solve_answer("compact-v1", answer(message))


@given(st.integers(0, 2**32), st.sampled_from(KINDS))
@settings(deadline=None)
def test_right_from_what_is_needed_and_from_nothing_not_told(seed, kind):
    rng = random.Random(seed)
    scene = draw_scene(rng, kind)
    asked = ask(rng, scene)
    caption = "\n".join([scene.facts.heading, *asked.needs])
    assert is_right(respond(asked.question, caption), asked.answer, {}), (asked, caption)
    assert respond(asked.question, scene.facts.heading) == NOT_TOLD


def test_a_wrong_value_gives_a_wrong_answer():
    assert respond("How much is fig?", "Table.\nfig: 43") == "43"


def test_an_end_tells_a_value_too_and_the_first_of_two_counts():
    assert respond("How much is fig?", "Table.\nHighest: fig (43).\nfig: 12") == "43"


def test_the_highest_of_what_is_told():
    assert respond("Which is the highest?", "Table.\nfig: 43\noak: 50") == "oak"


def test_a_tentative_response_helps_where_the_caption_does_not():
    assert respond("How much is fig?", "Table.", r"fig: 43. \boxed{43}") == "43"
    assert respond("How much is fig?", "Table.\nfig: 12", r"\boxed{43}") == "12"


def test_what_it_does_not_understand_is_not_told():
    assert respond("What colour is the sky?", "Table.\nfig: 43") == NOT_TOLD
    assert answer("Hello") == rf"\boxed{{{NOT_TOLD}}}"
