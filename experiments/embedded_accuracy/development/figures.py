"""Geometric figures whose sides and angles are labelled."""

from collections.abc import Iterator, Sequence
from math import cos, hypot, radians, sin

from experiments.embedded_accuracy.development.paper import NIGHT, WHITE, Point, Sheet, drawn
from experiments.embedded_accuracy.items import NOT_TOLD, Drawing, Pair, Question

STROKE = 4
APART = 34


def middle(points: Sequence[Point]) -> Point:
    return (
        sum(x for x, _ in points) / len(points),
        sum(y for _, y in points) / len(points),
    )


def outward(at: Point, center: Point, by: float) -> Point:
    """`at`, pushed away from the center."""
    dx, dy = at[0] - center[0], at[1] - center[1]
    far = hypot(dx, dy)
    return at[0] + dx / far * by, at[1] + dy / far * by


def beside(start: Point, end: Point, center: Point, by: float) -> Point:
    """The side's midpoint, pushed straight off the side, away from the center."""
    across = (end[1] - start[1], start[0] - end[0])
    at = middle((start, end))
    sign = 1 if across[0] * (at[0] - center[0]) + across[1] * (at[1] - center[1]) > 0 else -1
    far = hypot(*across)
    return at[0] + sign * across[0] / far * by, at[1] + sign * across[1] / far * by


def polygon(
    sheet: Sheet, corners: Sequence[Point], letters: str, sides: Sequence[str], ink: str
) -> None:
    """The first side joins the first two corners; a side or a corner may be unlabelled."""
    center = middle(corners)
    sheet.draw.polygon(list(corners), outline=ink, width=STROKE)
    for corner, letter in zip(corners, letters, strict=False):
        sheet.write(outward(corner, center, APART), letter, anchor="mm", bold=True)
    ends = [*corners[1:], corners[0]]
    for start, end, side in zip(corners, ends, sides, strict=True):
        by = (
            28
            + sheet.length(side)
            * abs(end[1] - start[1])
            / hypot(end[0] - start[0], end[1] - start[1])
            / 2
        )
        sheet.write(beside(start, end, center, by), side, anchor="mm")


def square_mark(sheet: Sheet, corner: Point, dx: int, dy: int) -> None:
    x, y = corner
    sheet.line((x + dx, y), (x + dx, y + dy), (x, y + dy), width=3)


def geometry(text: str, expected: str) -> Question:
    return Question(text, "geometry", expected)


def absent(what: str) -> Question:
    return Question(f"What is the {what}?", "unanswerable", NOT_TOLD)


def triangle() -> Drawing:
    sheet = Sheet(640, 480, size=24)
    sides = (7, 9, 6)
    corners = ((300, 90), (530, 390), (100, 390))
    polygon(sheet, corners, "ABC", [f"{side} cm" for side in sides], "#1f6fb4")
    questions = (
        geometry("What is the perimeter of the triangle?", f"{sum(sides)} cm"),
        geometry("How long is side BC?", f"{sides[1]} cm"),
        absent("area of the circle"),
    )
    return drawn("figure-triangle", "figure", sheet.image, (), questions)


def rectangle(name: str, width: int, height: int, unit: str, *, dark: bool = False) -> Drawing:
    paper, ink = (NIGHT, WHITE) if dark else (WHITE, "#111111")
    sheet = Sheet(680, 460, size=24, paper=paper, ink=ink)
    corners = ((150, 100), (530, 100), (530, 350), (150, 350))
    sides = ("", f"{height} {unit}", f"{width} {unit}", "")
    polygon(sheet, corners, "" if dark else "ABCD", sides, "#ffb000" if dark else "#2a8f4f")
    questions = (
        geometry("What is the area of the rectangle?", f"{width * height}"),
        geometry("What is the perimeter of the rectangle?", f"{2 * (width + height)} {unit}"),
        Question("Is the figure wider than it is high?", "yes_no", "yes"),
    )
    return drawn(f"figure-{name}", "figure", sheet.image, (), questions)


def right_triangle(name: str, legs: tuple[int, int], hypotenuse: int, unit: str) -> Drawing:
    sheet = Sheet(700, 500, size=26)
    a, b, c = (160, 80), (160, 400), (560, 400)
    square_mark(sheet, b, 30, -30)
    sides = (f"{legs[0]} {unit}", f"{legs[1]} {unit}", "x")
    polygon(sheet, (a, b, c), "ABC", sides, "#8b5fbf")
    questions = (
        geometry("What is the length of x?", f"{hypotenuse} {unit}"),
        geometry("What is the area of the triangle?", f"{legs[0] * legs[1] / 2:g}"),
        geometry("How large is the angle at B?", "90"),
    )
    return drawn(f"figure-{name}", "figure", sheet.image, (), questions)


def named_sides(name: str, lengths: tuple[int, int, int], *, listed: bool = False) -> Drawing:
    sheet = Sheet(760, 520, size=24)
    corners = ((330, 80), (600, 400), (170, 400))
    names = ("AB", "BC", "CA")
    texts = [f"{side} = {length}" for side, length in zip(names, lengths, strict=True)]
    polygon(sheet, corners, "ABC", ("", "", "") if listed else texts, "#d95f02")
    if listed:
        for at, text in enumerate(texts):
            sheet.write((590, 70 + 40 * at), text)
    pairs = tuple(Pair((side,), str(length)) for side, length in zip(names, lengths, strict=True))
    longest = names[lengths.index(max(lengths))]
    questions = (
        Question("What is the length of AB?", "lookup", str(lengths[0])),
        geometry("What is the perimeter of triangle ABC?", str(sum(lengths))),
        Question("Which side is the longest?", "comparison", longest),
    )
    return drawn(f"figure-{name}", "figure", sheet.image, pairs, questions)


def circle(name: str, letter: str, length: int, unit: str) -> Drawing:
    """`letter`: r for a radius, d for a diameter."""
    sheet = Sheet(560, 520, size=26)
    center, radius = (280, 260), 190
    sheet.draw.circle(center, radius, outline="#1f6fb4", width=STROKE)
    sheet.draw.circle(center, 5, fill=sheet.ink)
    start = center[0] - radius if letter == "d" else center[0]
    sheet.line((start, center[1]), (center[0] + radius, center[1]), width=3)
    label_at = ((start + center[0] + radius) / 2, center[1] - 26)
    sheet.write(label_at, f"{letter} = {length} {unit}", anchor="mm")
    sheet.write((center[0] - 16, center[1] + 26), "O", anchor="mm", bold=True)
    double = letter == "r"
    questions = (
        geometry(
            "What is the diameter of the circle?" if double else "What is the radius?",
            f"{length * 2 if double else length / 2:g} {unit}",
        ),
        Question(f"How long is {letter}?", "lookup", f"{length} {unit}"),
        absent("height of the triangle"),
    )
    return drawn(
        f"figure-{name}", "figure", sheet.image, (Pair((letter,), f"{length} {unit}"),), questions
    )


def angles() -> Drawing:
    sheet = Sheet(680, 480, size=24)
    corners = ((120, 390), (580, 390), (380, 90))
    polygon(sheet, corners, "PQR", ("", "", ""), "#2a8f4f")
    sheet.write((205, 365), "49°", anchor="mm")
    sheet.write((510, 365), "56°", anchor="mm")
    sheet.write((375, 165), "?", anchor="mm")
    questions = (
        geometry("What is the size of the angle at R?", "75°"),
        geometry("How large is the angle at P?", "49°"),
        absent("length of PQ"),
    )
    return drawn("figure-angles", "figure", sheet.image, (), questions)


def single_angle() -> Drawing:
    sheet = Sheet(600, 420, size=26)
    corner, reach, turn = (120, 330), 400, 60
    sheet.line(corner, (corner[0] + reach, corner[1]), width=STROKE)
    tip = (corner[0] + 300 * cos(radians(turn)), corner[1] - 300 * sin(radians(turn)))
    sheet.line(corner, tip, width=STROKE)
    box = (corner[0] - 70, corner[1] - 70, corner[0] + 70, corner[1] + 70)
    sheet.draw.arc(box, -turn, 0, fill="#d62728", width=3)
    sheet.write((corner[0] + 110, corner[1] - 50), f"{turn}°", anchor="mm")
    sheet.write((corner[0] - 30, corner[1] + 10), "B", anchor="mm", bold=True)
    questions = (
        geometry("What is the size of the angle?", f"{turn}°"),
        Question("Is the angle a right angle?", "yes_no", "no"),
    )
    return drawn("figure-angle", "figure", sheet.image, (), questions)


def figures() -> Iterator[Drawing]:
    yield triangle()
    yield rectangle("rectangle", 8, 5, "cm")
    yield rectangle("rectangle-dark", 12, 7, "m", dark=True)
    yield right_triangle("right-triangle", (6, 8), 10, "cm")
    yield right_triangle("right-triangle-large", (5, 12), 13, "m")
    yield named_sides("named-sides", (7, 8, 6))
    yield named_sides("listed-sides", (9, 11, 10), listed=True)
    yield circle("circle-radius", "r", 4, "cm")
    yield circle("circle-diameter", "d", 10, "m")
    yield angles()
    yield single_angle()
