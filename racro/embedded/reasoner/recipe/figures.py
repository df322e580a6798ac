"""Scenes of simple geometry."""

import random
from collections.abc import Callable

from racro.embedded.reasoner.recipe.lessons import Lesson, not_told

Figure = tuple[str, tuple[Lesson, ...]]

_TRIPLES = ((3, 4, 5), (6, 8, 10), (5, 12, 13), (9, 12, 15), (8, 15, 17), (12, 16, 20), (7, 24, 25))
_UNITS = ("", "", " cm", " m", " mm")


def _vertices(rng: random.Random) -> list[str]:
    return list(rng.choice(("ABC", "ABC", "DEF", "KLM", "RST")))


def _right_triangle(rng: random.Random) -> Figure:
    a, b, c = rng.choice(_TRIPLES)
    unit = rng.choice(_UNITS)
    p, q, r = _vertices(rng)
    unknown = rng.choice(("x", "x", "y", "?"))
    hidden = rng.choice(("hypotenuse", "hypotenuse", "leg"))
    # Between two legs the reasoner takes a right angle for granted; elsewhere it is told.
    told = "" if hidden == "hypotenuse" else f"Right angle at {q}.\n"
    shown = {f"{p}{q}": a, f"{q}{r}": b} if hidden == "hypotenuse" else {f"{p}{q}": a, f"{p}{r}": c}
    side = f"{p}{r}" if hidden == "hypotenuse" else f"{q}{r}"
    lines = [f"{name} = {length}{unit}" for name, length in shown.items()]
    if unknown != "?":
        lines.append(rng.choice((f"{unknown} = ?", f"{side} = {unknown}")))
    caption = rng.choice(
        (
            f"Geometric figure. Triangle with vertices {p}, {q}, {r}.\n{told}" + "\n".join(lines),
            f"A right triangle {p}{q}{r} with the right angle at {q}. " + ", ".join(lines) + ".",
            f"Right triangle, {p}{q}{r}. {told}{'; '.join(lines)}",
            "Text in the image, row by row:\n" + told + "\n".join((p, *lines, f"{q} | {r}")),
        )
    )
    asked = ["What is the length of {side}?", "How long is side {side}?", "Calculate {side}."]
    if unknown != "?":
        asked += ["Find {x}.", "What is {x}?", "Find {x}.", "Solve for {x}.", "Determine {x}."]
    question = rng.choice(asked).format(side=side, x=unknown)
    if hidden == "hypotenuse":
        found = [Lesson("geometry", question, f"Legs {a} and {b}.", f"= √({a}² + {b}²){unit}")]
    else:
        reasoning = f"Longest side {c}, leg {a}."
        found = [Lesson("geometry", question, reasoning, f"= √({c}² - {a}²){unit}")]
    if hidden == "hypotenuse":
        found.append(
            Lesson(
                "geometry",
                "What is the area of the triangle?",
                f"Legs {a} and {b}.",
                f"= {a} × {b} / 2",
            )
        )
    name, length = rng.choice(list(shown.items()))
    found.append(_length_of(rng, name, f"{length}{unit}"))
    return caption, tuple(found)


def _length_of(rng: random.Random, name: str, length: str) -> Lesson:
    question = rng.choice(("How long is {name}?", "What is the length of {name}?", "{name} = ?"))
    return Lesson("lookup", question.format(name=name), f"{name}: {length}.", length)


def _rectangle(rng: random.Random) -> Figure:
    wide, high = rng.sample(range(2, 16), 2)
    unit = rng.choice(_UNITS)
    caption = rng.choice(
        (
            f"Geometric figure. Rectangle.\nLengths printed: {wide}{unit}, {high}{unit}",
            f"A rectangle with sides of {wide}{unit} and {high}{unit}.",
            f"Rectangle: width {wide}{unit}, height {high}{unit}.",
            f"The image shows a rectangle {wide}{unit} long and {high}{unit} wide.",
        )
    )
    area = Lesson(
        "geometry",
        rng.choice(
            ("What is the area of the rectangle?", "Find the area.", "How big is its area?",
             "Calculate the area of this shape.", "How much surface does it cover?")
        ),
        "Area.",
        f"= {wide} × {high}",
    )  # fmt: skip
    perimeter = Lesson(
        "geometry",
        rng.choice(
            ("What is the perimeter of the rectangle?", "Find the perimeter.",
             "How long is its edge?", "Calculate the perimeter.", "What is the distance around it?")
        ),
        "All around.",
        f"= 2 × ({wide}{unit} + {high}{unit})",
    )  # fmt: skip
    untold = not_told("What is the radius of the circle?", "A circle")
    return caption, (area, perimeter, untold) if rng.random() < 0.4 else (area, perimeter)


def _square(rng: random.Random) -> Figure:
    side = rng.randint(2, 15)
    unit = rng.choice(_UNITS)
    caption = rng.choice((f"A square with side {side}{unit}.", f"Square. Side: {side}{unit}"))
    backwards = rng.random() < 0.4
    if backwards:
        caption = f"A square. Its perimeter is {4 * side}{unit}."
        return caption, (
            Lesson(
                "geometry",
                rng.choice(("What is the side of the square?", "How long is one side?")),
                "4 sides.",
                f"= {4 * side}{unit} / 4",
            ),
        )
    return caption, (
        Lesson("geometry", "What is the area?", "Area.", f"= {side} × {side}"),
        Lesson(
            "geometry",
            rng.choice(("What is the perimeter?", "How far is it around the square?")),
            "4 sides.",
            f"= 4 × {side}{unit}",
        ),
    )


def _angles(rng: random.Random) -> Figure:
    one, other = rng.randint(4, 16) * 5, rng.randint(4, 14) * 5
    p, q, r = _vertices(rng)
    caption = rng.choice(
        (
            f"Geometric figure. Triangle with vertices {p}, {q}, {r}.\nAngle {p}: {one}°\n"
            f"Angle {q}: {other}°\nx = ?",
            f"A triangle with two angles given: {one}° and {other}°. The third is x.",
            f"Triangle {p}{q}{r}, angle {p} = {one}°, angle {q} = {other}°, angle {r} = x",
            f"Geometric figure.\nAngles printed: {one}°, {other}°, x",
        )
    )
    question = rng.choice(
        ("Find x.", "What is the third angle?", "How big is angle x?", "What is x?",
         "Calculate the missing angle.")
    )  # fmt: skip
    return caption, (Lesson("geometry", question, "Together 180°.", f"= 180° - {one}° - {other}°"),)


def _straight_angle(rng: random.Random) -> Figure:
    one = rng.randint(3, 32) * 5
    whole, told = rng.choice(((180, "a straight line"), (180, "a line"), (90, "a right angle")))
    one = one if one < whole else whole - 35
    caption = f"Two angles on {told}: {one}° and y." if whole == 180 else (
        f"{told.capitalize()} is divided into {one}° and y."
    )  # fmt: skip
    question = rng.choice(("Find y.", "What is y?", "How large is y?", "What is the other angle?"))
    return caption, (Lesson("geometry", question, f"Together {whole}°.", f"= {whole}° - {one}°"),)


def _circle(rng: random.Random) -> Figure:
    radius = rng.randint(2, 30)
    unit = rng.choice(_UNITS)
    told, asked, shown, formula = rng.choice(
        (
            ("radius", "diameter", radius, f"= 2 × {radius}{unit}"),
            ("diameter", "radius", 2 * radius, f"= {2 * radius}{unit} / 2"),
        )
    )
    caption = rng.choice(
        (f"A circle. The {told} is {shown}{unit}.", f"Circle with {told} {shown}{unit}.",
         f"Geometric figure. Circle.\n{told[0]} = {shown}{unit}")
    )  # fmt: skip
    question = rng.choice(("What is the {asked}?", "Find the {asked} of the circle."))
    reasoning = f"{told.capitalize()} {shown}{unit}."
    return caption, (Lesson("geometry", question.format(asked=asked), reasoning, formula),)


def _triangle(rng: random.Random) -> Figure:
    p, q, r = _vertices(rng)
    unit = rng.choice(_UNITS)
    if rng.random() < 0.5:
        base, height = rng.randint(2, 14), rng.choice((2, 4, 6, 8, 10, 12))
        caption = f"A triangle with base {base}{unit} and height {height}{unit}."
        return caption, (
            Lesson(
                "geometry",
                "What is the area of the triangle?",
                f"Base {base}, height {height}.",
                f"= {base} × {height} / 2",
            ),
        )
    sides = dict(zip((f"{p}{q}", f"{q}{r}", f"{p}{r}"), rng.sample(range(7, 13), 3), strict=True))
    line = rng.choice(("{name}: {length}{unit}", "{name} = {length}{unit}"))
    lines = [line.format(name=name, length=length, unit=unit) for name, length in sides.items()]
    caption = f"Geometric figure. Triangle with vertices {p}, {q}, {r}.\n" + "\n".join(lines)
    question = rng.choice(
        (
            "What is the perimeter?",
            "Find the perimeter of the triangle.",
            "How long are all sides together?",
        )
    )
    around = " + ".join(f"{length}{unit}" for length in sides.values())
    name, length = rng.choice(list(sides.items()))
    return caption, (
        Lesson(
            "geometry",
            question,
            "All around.",
            f"= {around}",
        ),
        _length_of(rng, name, f"{length}{unit}"),
    )


_FIGURES: tuple[Callable[[random.Random], Figure], ...] = (
    _right_triangle, _right_triangle, _rectangle, _rectangle, _square, _angles, _straight_angle,
    _circle, _triangle, _triangle,
)  # fmt: skip


def figure(rng: random.Random) -> Figure:
    return rng.choice(_FIGURES)(rng)
