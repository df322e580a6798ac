"""What the small captioner and its reasoner learn from: pictures, questions, true answers."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.recipes.captioner.asking import ask
from experiments.recipes.captioner.canvas import HEIGHT, WIDTH, Canvas
from experiments.recipes.captioner.pages import page
from experiments.recipes.captioner.scenes import KINDS, draw_scene
from experiments.recipes.captioner.telling import caption, description, statements
from racro.answers.extract import final_answer, solve_answer
from racro.grading import is_right

seeds = st.integers(0, 2**32)
kinds = st.sampled_from(KINDS)


@given(seeds, kinds)
@settings(deadline=None)
def test_what_a_question_needs_gives_its_answer(seed, kind):
    rng = random.Random(seed)
    scene = draw_scene(rng, kind)
    asked = ask(rng, scene)
    assert set(asked.needs) <= set(statements(scene))
    assert is_right(solve_answer("compact-v1", asked.calculation), asked.answer, {}), asked
    assert is_right(final_answer(asked.thought), asked.answer, {}), asked


@given(seeds, kinds)
@settings(deadline=None)
def test_every_number_is_told_and_every_printed_character_is_in_the_picture(seed, kind):
    scene = draw_scene(random.Random(seed), kind)
    assert scene.image.size == (WIDTH, HEIGHT)
    assert scene.image.mode == "RGB"
    for name, number in scene.facts.numbers.items():
        assert f"{name}: {number}" in description(scene)
    assert all(0 <= glyph.x < WIDTH and 0 <= glyph.y < HEIGHT for glyph in scene.glyphs)


@given(seeds, kinds)
@settings(deadline=None)
def test_a_caption_says_the_kind_and_any_number_of_true_things(seed, kind):
    rng = random.Random(seed)
    scene = draw_scene(rng, kind)
    heading, *told = caption(rng, scene).split("\n")
    assert heading == scene.facts.heading
    assert told
    assert [one for one in statements(scene) if one in told] == told


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_draws_the_same_picture_again(kind):
    once, again = (draw_scene(random.Random(5), kind) for _ in range(2))
    assert once.image.tobytes() == again.image.tobytes()
    assert once.facts == again.facts


def test_a_page_has_more_print_than_a_chart():
    canvas = Canvas(random.Random(3))
    page(random.Random(3), canvas)
    assert len(canvas.glyphs) > 20
    assert all(0 <= glyph.x < WIDTH and 0 <= glyph.y < HEIGHT for glyph in canvas.glyphs)
