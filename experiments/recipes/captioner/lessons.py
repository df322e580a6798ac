"""A captioner's lessons: the prompts that the service asks with, and what is to be said."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from experiments.recipes.captioner import telling
from experiments.recipes.captioner.asking import ask
from experiments.recipes.captioner.scenes import KINDS, Scene, draw_scene
from racro.contracts.prompts import CaptionPrompt, caption_prompt, tentative_prompt

# Of what is asked for: descriptions without a question, captions; the rest are tentative responses,
# which teach most to find a number by its name.
_DESCRIPTIONS, _CAPTIONS = 0.3, 0.3


@dataclass(frozen=True)
class Lesson:
    scene: Scene
    prompt: CaptionPrompt
    text: str


def describing(rng: random.Random) -> Lesson:
    """The lesson that says most about a picture."""
    scene = draw_scene(rng, rng.choice(KINDS))
    return Lesson(scene, caption_prompt(None), telling.description(scene))


def lesson(rng: random.Random) -> Lesson:
    """Of any kind."""
    scene = draw_scene(rng, rng.choice(KINDS))
    kind = rng.random()
    if kind < _DESCRIPTIONS:
        prompt, text = caption_prompt(None), telling.description(scene)
    elif kind < _DESCRIPTIONS + _CAPTIONS:
        prompt, text = caption_prompt(ask(rng, scene).question), telling.caption(rng, scene)
    else:
        asked = ask(rng, scene)
        prompt, text = tentative_prompt(asked.question), asked.thought
    return Lesson(scene, prompt, text)


def texts(seed: int, count: int) -> Iterator[str]:
    """To learn a vocabulary from."""
    rng = random.Random(seed)
    for _ in range(count):
        one = lesson(rng)
        yield from filter(None, (one.prompt.system, one.prompt.user, one.text))
