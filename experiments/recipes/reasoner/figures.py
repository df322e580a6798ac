"""Scenes of simple geometry."""

import random
from collections.abc import Callable

from experiments.recipes.reasoner.lessons import Lesson, not_told

Figure = tuple[str, tuple[Lesson, ...]]

_TRIPLES = ((3, 4, 5), (6, 8, 10), (5, 12, 13), (9, 12, 15), (8, 15, 17), (12, 16, 20), (7, 24, 25))
_TRIANGLE_AREA = (
    "What is the area of the triangle?",
    "How big is the area enclosed by the triangle?",
    "Compute the triangle's area.",
    "What area does it have?",
    "Tell me how much surface the triangle takes up.",
    "Work out the area inside the three sides.",
    "How large a surface is this triangle?",
    "Area of the triangle?",
)
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
            f"The drawing is a right triangle. Corners: {p}, {q}, {r}; the right angle is at {q}. "
            f"Labels: {', '.join(lines)}.",
            f"Triangle {p}{q}{r} with a small square at {q} that marks 90°.\n" + "\n".join(lines),
            f"A triangle drawn in black. Angle {q} = 90°. Marked: {' and '.join(lines)}.",
            f"Diagram: right-angled triangle {p}{q}{r} ({q} is the right angle). "
            f"{'. '.join(lines)}.",
        )
    )
    asked = ["What is the length of {side}?", "How long is side {side}?", "Calculate {side}.",
             "How far is it from one end of {side} to the other?", "Work out the length of {side}.",
             "{side} is how long?", "Tell me how long {side} must be.", "Length of {side}?",
             "Which length does the side {side} have?", "Could you compute {side} for me?",
             "I need the missing side {side}; how long is it?"]  # fmt: skip
    if unknown != "?":
        asked += ["Find {x}.", "What is {x}?", "Find {x}.", "Solve for {x}.", "Determine {x}.",
                  "What does {x} stand for?", "Which length is marked {x}?", "{x} = ?",
                  "What value must {x} have?", "Work out {x}, please.", "How long is {x}?",
                  "Compute the unknown {x}.", "Can you tell what {x} equals?"]  # fmt: skip
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
                rng.choice(_TRIANGLE_AREA),
                f"Legs {a} and {b}.",
                f"= {a} × {b} / 2",
            )
        )
    name, length = rng.choice(list(shown.items()))
    found.append(_length_of(rng, name, f"{length}{unit}"))
    return caption, tuple(found)


def _length_of(rng: random.Random, name: str, length: str) -> Lesson:
    question = rng.choice(
        ("How long is {name}?", "What is the length of {name}?", "{name} = ?",
         "Which length is written at {name}?", "Read off how long {name} is.", "Length of {name}?",
         "What measure does side {name} have?", "Tell me how long {name} is.",
         "What number is printed along {name}?", "Give {name}.")
    )  # fmt: skip
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
            f"A rectangular shape. One side is {wide}{unit}, the other {high}{unit}.",
            f"Rectangle, {wide}{unit} by {high}{unit}.",
            f"Geometric figure. Rectangle.\nlength = {wide}{unit}\nwidth = {high}{unit}",
            f"There is a box drawn with four right angles; it measures {wide}{unit} across and "
            f"{high}{unit} down.",
        )
    )
    area = Lesson(
        "geometry",
        rng.choice(
            ("What is the area of the rectangle?", "Find the area.", "How big is its area?",
             "Calculate the area of this shape.", "How much surface does it cover?",
             "Area?", "Work out how large the surface inside is.", "What area does the shape have?",
             "If it were a floor, how much would have to be tiled?", "Tell me the area, please.",
             "Length times width: what does that give?", "I'd like to know its area.")
        ),
        "Area.",
        f"= {wide} × {high}",
    )  # fmt: skip
    perimeter = Lesson(
        "geometry",
        rng.choice(
            ("What is the perimeter of the rectangle?", "Find the perimeter.",
             "How long is its edge?", "Calculate the perimeter.", "What is the distance around it?",
             "Perimeter?", "If someone walks once around it, how far is that?",
             "How long a fence would enclose it?", "What do its four sides add up to?",
             "Tell me the perimeter of this shape.", "How much ribbon would go round its border?",
             "Work out the length of the outline.")
        ),
        "All around.",
        f"= 2 × ({wide}{unit} + {high}{unit})",
    )  # fmt: skip
    untold = not_told(
        rng.choice(
            ("What is the radius of the circle?", "How wide is the circle?",
             "Find the diameter of the circle.", "How big is the circle in the drawing?",
             "What area does the circle have?")
        ),
        "A circle",
    )  # fmt: skip
    return caption, (area, perimeter, untold) if rng.random() < 0.4 else (area, perimeter)


def _square(rng: random.Random) -> Figure:
    side = rng.randint(2, 15)
    unit = rng.choice(_UNITS)
    caption = rng.choice(
        (
            f"A square with side {side}{unit}.",
            f"Square. Side: {side}{unit}",
            f"Geometric figure. Square.\nside = {side}{unit}",
            f"The picture shows a square, each side of which is {side}{unit} long.",
            f"A square. One of its edges is labelled {side}{unit}.",
        )
    )
    if rng.random() < 0.4:
        return _square_by_perimeter(rng, side, unit)
    return caption, (
        Lesson(
            "geometry",
            rng.choice(
                (
                    "What is the area?",
                    "How big is the square's surface?",
                    "Area?",
                    "Find the area of the square.",
                    "Compute how much area it covers.",
                    "What is the size of the region inside?",
                    "Tell me its area.",
                )
            ),
            "Area.",
            f"= {side} × {side}",
        ),
        Lesson(
            "geometry",
            rng.choice(
                (
                    "What is the perimeter?",
                    "How far is it around the square?",
                    "Find the perimeter of the square.",
                    "What do all its sides add up to?",
                    "How long is the border of the square?",
                    "Perimeter of the square?",
                    "Walking along all the edges once, how far does one go?",
                )
            ),
            "4 sides.",
            f"= 4 × {side}{unit}",
        ),
    )


def _square_by_perimeter(rng: random.Random, side: int, unit: str) -> Figure:
    caption = rng.choice(
        (f"A square. Its perimeter is {4 * side}{unit}.",
         f"Square, perimeter = {4 * side}{unit}",
         f"The distance around the square is {4 * side}{unit}.")
    )  # fmt: skip
    return caption, (
        Lesson(
            "geometry",
            rng.choice(
                (
                    "What is the side of the square?",
                    "How long is one side?",
                    "Find the length of a side.",
                    "What does each side measure?",
                    "Work out how long every edge of it is.",
                    "Side length?",
                    "Given the perimeter, what is the side?",
                )
            ),
            "4 sides.",
            f"= {4 * side}{unit} / 4",
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
            f"In a triangle the angles are {one}°, {other}° and x.",
            f"Triangle. Corner {p} is marked {one}°, corner {q} {other}°, corner {r} x.",
            f"The drawing shows a triangle. At two corners one reads {one}° and {other}°, at the "
            "last one x.",
            f"Triangle {p}{q}{r}\n{p}: {one}°\n{q}: {other}°\n{r}: x",
        )
    )
    question = rng.choice(
        ("Find x.", "What is the third angle?", "How big is angle x?", "What is x?",
         "Calculate the missing angle.", "x = ?", "How many degrees does x have?",
         "Work out the remaining angle.", "Which angle is left over?", "Determine x in degrees.",
         "Tell me the size of the unknown angle.", "What must x be in this triangle?")
    )  # fmt: skip
    return caption, (Lesson("geometry", question, "Together 180°.", f"= 180° - {one}° - {other}°"),)


def _straight_angle(rng: random.Random) -> Figure:
    one = rng.randint(3, 32) * 5
    whole, told = rng.choice(((180, "a straight line"), (180, "a line"), (90, "a right angle")))
    one = one if one < whole else whole - 35
    caption = f"Two angles on {told}: {one}° and y." if whole == 180 else (
        f"{told.capitalize()} is divided into {one}° and y."
    )  # fmt: skip
    question = rng.choice(
        ("Find y.", "What is y?", "How large is y?", "What is the other angle?", "y = ?",
         "Work out y.", "How many degrees are left for y?", "Determine the unknown angle.",
         "What size must the second angle have?", "Could you calculate y?")
    )  # fmt: skip
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
         f"Geometric figure. Circle.\n{told[0]} = {shown}{unit}",
         f"A round shape: a circle whose {told} measures {shown}{unit}.",
         f"Circle; {told}: {shown}{unit}", f"The {told} of the circle is labelled {shown}{unit}.")
    )  # fmt: skip
    question = rng.choice(
        (
            "What is the {asked}?",
            "Find the {asked} of the circle.",
            "How long is the {asked}?",
            "Work out its {asked}.",
            "{asked} = ?",
            "Tell me the circle's {asked}.",
            "What length does the {asked} have?",
            "Could you give the {asked} of this circle?",
        )
    )
    reasoning = f"{told.capitalize()} {shown}{unit}."
    return caption, (Lesson("geometry", question.format(asked=asked), reasoning, formula),)


def _triangle(rng: random.Random) -> Figure:
    vertices = _vertices(rng)
    unit = rng.choice(_UNITS)
    if rng.random() < 0.5:
        return _triangle_by_base(rng, unit)
    return _triangle_by_sides(rng, vertices, unit)


def _triangle_by_base(rng: random.Random, unit: str) -> Figure:
    base, height = rng.randint(2, 14), rng.choice((2, 4, 6, 8, 10, 12))
    caption = rng.choice(
        (f"A triangle with base {base}{unit} and height {height}{unit}.",
         f"Triangle. Base: {base}{unit}. Height: {height}{unit}.",
         f"Geometric figure. Triangle.\nb = {base}{unit} (base)\nh = {height}{unit} (height)",
         f"The triangle stands on a base of {base}{unit} and is {height}{unit} high.")
    )  # fmt: skip
    return caption, (
        Lesson(
            "geometry",
            rng.choice(_TRIANGLE_AREA),
            f"Base {base}, height {height}.",
            f"= {base} × {height} / 2",
        ),
    )


def _triangle_by_sides(rng: random.Random, vertices: list[str], unit: str) -> Figure:
    p, q, r = vertices
    sides = dict(zip((f"{p}{q}", f"{q}{r}", f"{p}{r}"), rng.sample(range(7, 13), 3), strict=True))
    line = rng.choice(
        (
            "{name}: {length}{unit}",
            "{name} = {length}{unit}",
            "side {name} is {length}{unit}",
            "{name} | {length}{unit}",
        )
    )
    lines = [line.format(name=name, length=length, unit=unit) for name, length in sides.items()]
    caption = rng.choice(
        (f"Geometric figure. Triangle with vertices {p}, {q}, {r}.\n" + "\n".join(lines),
         f"A triangle {p}{q}{r}. " + "; ".join(lines) + ".",
         "Triangle. Lengths of its sides:\n" + "\n".join(lines))
    )  # fmt: skip
    question = rng.choice(
        (
            "What is the perimeter?",
            "Find the perimeter of the triangle.",
            "How long are all sides together?",
            "How far is it around the triangle?",
            "Add up its sides.",
            "Perimeter of the triangle?",
            "What is the length of the whole outline?",
            "If a wire is bent into this triangle, how long must it be?",
            "Work out the sum of the three sides.",
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
