"""Questions about a scene, with their answers and what a caption must tell for them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from experiments.recipes.captioner.facts import Facts
from experiments.recipes.captioner.scenes import Kind, Scene

_FEWEST_RANKED = 3
_RANKED: tuple[Kind, ...] = ("bars", "lines", "pie", "table")
_VALUE = (
    "What is the value of {name}?",
    "How much is {name}?",
    "Which number belongs to {name}?",
)
_SUM = ("What is the sum of {a} and {b}?", "How much are {a} and {b} together?")
_DIFFERENCE = ("How much more is {a} than {b}?", "What is the difference of {a} and {b}?")
_HIGHER = ("Which is higher, {a} or {b}?", "Is {a} or {b} the higher one?")
_LOWER = ("Which is lower, {a} or {b}?", "Is {a} or {b} the lower one?")
_HIGHEST = ("Which is the highest?", "What has the highest value?")
_LOWEST = ("Which is the lowest?", "What has the lowest value?")
_SIDE = ("How long is {name}?", "What is the length of the side {name}?")
_COUNT = ("How many {name} are there?", "How many {name} do you see?")


@dataclass(frozen=True)
class Asked:
    """`needs`: statements out of which the answer follows. `thought` names them and ends with the
    answer boxed; where that must be calculated, `formula` is how, for `racro.answers.formulas`.
    """

    question: str
    answer: str
    needs: tuple[str, ...]
    formula: str = ""

    @property
    def told(self) -> str:
        return ", ".join(need.rstrip(".") for need in self.needs) + "."

    @property
    def thought(self) -> str:
        return f"{self.told} \\boxed{{{self.answer}}}"

    @property
    def calculation(self) -> str:
        return f"{self.told} \\boxed{{{self.formula or self.answer}}}"


def is_ranked(scene: Scene) -> bool:
    return scene.kind in _RANKED and len(scene.facts.numbers) >= _FEWEST_RANKED


def highest(facts: Facts) -> str:
    name = max(facts.numbers, key=facts.numbers.__getitem__)
    return f"Highest: {name} ({facts.numbers[name]}{facts.unit})."


def lowest(facts: Facts) -> str:
    name = min(facts.numbers, key=facts.numbers.__getitem__)
    return f"Lowest: {name} ({facts.numbers[name]}{facts.unit})."


def ask(rng: random.Random, scene: Scene) -> Asked:
    return rng.choice(list(_askers(scene)))(rng, scene.facts)


_Asker = Callable[[random.Random, Facts], Asked]


def _askers(scene: Scene) -> Iterator[_Asker]:
    """Looking a number up is asked as often as all the rest."""
    if scene.kind == "triangle":
        yield from (_side, _side, _perimeter, _sum)
    elif scene.kind == "rectangle":
        yield from (_side_of_rectangle, _side_of_rectangle, _area, _around)
    elif scene.kind == "counting":
        yield from (_count, _count, _sum)
    else:
        yield from (_value, _value, _value, _sum, _difference, _which)
        if is_ranked(scene):
            yield _extreme


def _value(rng: random.Random, facts: Facts, forms: tuple[str, ...] = _VALUE) -> Asked:
    name = rng.choice(list(facts.numbers))
    question = rng.choice(forms).format(name=name)
    return Asked(question, f"{facts.numbers[name]}{facts.unit}", (facts.told(name),))


def _side(rng: random.Random, facts: Facts) -> Asked:
    return _value(rng, facts, _SIDE)


def _side_of_rectangle(rng: random.Random, facts: Facts) -> Asked:
    return _value(rng, facts, ("What is the {name} of the rectangle?",))


def _count(rng: random.Random, facts: Facts) -> Asked:
    return _value(rng, facts, _COUNT)


def _sum(rng: random.Random, facts: Facts) -> Asked:
    a, b = rng.sample(list(facts.numbers), 2)
    return _calculated(rng.choice(_SUM).format(a=a, b=b), facts, (a, b), "+")


def _difference(rng: random.Random, facts: Facts) -> Asked:
    a, b = sorted(rng.sample(list(facts.numbers), 2), key=facts.numbers.__getitem__, reverse=True)
    return _calculated(rng.choice(_DIFFERENCE).format(a=a, b=b), facts, (a, b), "-")


def _calculated(question: str, facts: Facts, names: tuple[str, str], sign: str) -> Asked:
    a, b = (facts.numbers[name] for name in names)
    answer = a + b if sign == "+" else a - b
    return Asked(
        question,
        f"{answer}{facts.unit}",
        tuple(map(facts.told, names)),
        f"= {a}{facts.unit} {sign} {b}{facts.unit}",
    )


def _which(rng: random.Random, facts: Facts) -> Asked:
    pair = rng.sample(list(facts.numbers), 2)
    forms, word, best = rng.choice([(_HIGHER, "highest", max), (_LOWER, "lowest", min)])
    a, b = pair
    told = "; ".join(f"{name} {facts.numbers[name]}{facts.unit}" for name in pair)
    return Asked(
        rng.choice(forms).format(a=a, b=b),
        best(pair, key=facts.numbers.__getitem__),
        tuple(map(facts.told, pair)),
        f"= {word}: {told}",
    )


def _extreme(rng: random.Random, facts: Facts) -> Asked:
    forms, tell, best = rng.choice([(_HIGHEST, highest, max), (_LOWEST, lowest, min)])
    answer = best(facts.numbers, key=facts.numbers.__getitem__)
    return Asked(rng.choice(forms), answer, (tell(facts),))


def _perimeter(rng: random.Random, facts: Facts) -> Asked:
    numbers = list(facts.numbers.values())
    question = rng.choice(
        ("What is the perimeter of the triangle?", "How long are the three sides together?")
    )
    told = tuple(map(facts.told, facts.numbers))
    return Asked(question, str(sum(numbers)), told, f"= {' + '.join(map(str, numbers))}")


def _area(_: random.Random, facts: Facts) -> Asked:
    length, width = facts.numbers.values()
    told = tuple(map(facts.told, facts.numbers))
    question = "What is the area of the rectangle?"
    return Asked(question, str(length * width), told, f"= {length} × {width}")


def _around(_: random.Random, facts: Facts) -> Asked:
    length, width = facts.numbers.values()
    told = tuple(map(facts.told, facts.numbers))
    question = "What is the perimeter of the rectangle?"
    return Asked(question, str(2 * (length + width)), told, f"= 2 × ({length} + {width})")
