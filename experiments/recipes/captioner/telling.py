"""What a teacher would say of a scene."""

import random

from experiments.recipes.captioner.asking import highest, is_ranked, lowest
from experiments.recipes.captioner.scenes import Scene


def statements(scene: Scene) -> list[str]:
    """All that may be said, each by itself."""
    told = [scene.facts.told(name) for name in scene.facts.numbers]
    return told + ([highest(scene.facts), lowest(scene.facts)] if is_ranked(scene) else [])


def description(scene: Scene) -> str:
    """All of it: what is told where nobody asks anything."""
    return "\n".join([scene.facts.heading, *statements(scene)])


def caption(rng: random.Random, scene: Scene) -> str:
    """One thing in it or more, up to all, whatever is asked."""
    pool = statements(scene)
    chosen = sorted(rng.sample(range(len(pool)), rng.randint(1, len(pool))))
    return "\n".join([scene.facts.heading, *(pool[at] for at in chosen)])
