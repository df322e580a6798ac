"""A captioner's lessons: the prompts that the service asks with, and what is to be said."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from racro.contracts.prompts import CaptionPrompt, caption_prompt, tentative_prompt
from racro.embedded.captioner.recipe import telling
from racro.embedded.captioner.recipe.asking import ask
from racro.embedded.captioner.recipe.canvas import Glyph
from racro.embedded.captioner.recipe.scenes import KINDS, draw_scene

# Of what is asked for: a description without a question, a caption, a tentative response.
_DESCRIPTIONS, _CAPTIONS = 0.5, 0.3


@dataclass(frozen=True)
class Lesson:
    image: Image.Image
    glyphs: tuple[Glyph, ...]
    prompt: CaptionPrompt
    text: str


def lesson(rng: random.Random) -> Lesson:
    scene = draw_scene(rng, rng.choice(KINDS))
    kind = rng.random()
    if kind < _DESCRIPTIONS:
        prompt, text = caption_prompt(None), telling.description(scene)
    elif kind < _DESCRIPTIONS + _CAPTIONS:
        prompt, text = caption_prompt(ask(rng, scene).question), telling.caption(rng, scene)
    else:
        asked = ask(rng, scene)
        prompt, text = tentative_prompt(asked.question), asked.thought
    return Lesson(scene.image, tuple(scene.glyphs), prompt, text)


def texts(seed: int, count: int) -> Iterator[str]:
    """To learn a vocabulary from."""
    rng = random.Random(seed)
    for _ in range(count):
        one = lesson(rng)
        yield from filter(None, (one.prompt.system, one.prompt.user, one.text))
