"""Geometric figures: their points, and the sides and angles that printed measures belong to."""

import re
from collections.abc import Sequence
from itertools import pairwise
from math import hypot

import cv2
import numpy as np

from racro.embedded.composer.layout import Picture
from racro.embedded.composer.words import Word, rows

_POINT = re.compile(r"[A-Z]['′]?")
_MEASURE = re.compile(r"\d+(?:[.,]\d+)?\s?(?:mm|cm|dm|m|km|in|ft|units?)?|[a-z]|\d*√\d+|\d*[a-z]")
_HAS_UNIT = re.compile(r"\d.*[a-z]")
_ANGLE = re.compile(r"\d+(?:[.,]\d+)?\s?[°º]|[αβγθ]")
_EQUATION = re.compile(r"(?:∠\s?)?[A-Za-z]{1,3}\s?[=:≈]\s?\S.*")
_TRIANGLE, _MOST_CORNERS, _MOST_WORDS = 3, 8, 30
_OTHERS = 0.4
# A drawing is at least this share of the picture both ways.
_LARGE = 0.2
# The nearest side is certain if it is nearer than this share of the way to the next.
_CERTAIN = 0.6
# And if it is no farther than this share of its length.
_BESIDE = 0.3
_ALONG = (0.15, 0.85)

Point = tuple[float, float]


def figure(picture: Picture) -> list[str] | None:
    words = [word for row in rows(picture.words) for word in row]
    points = [word for word in words if _POINT.fullmatch(word.text)]
    measures = [word for word in words if _MEASURE.fullmatch(word.text)]
    angles = [word for word in words if _ANGLE.fullmatch(word.text)]
    equations = [word for word in words if _EQUATION.fullmatch(word.text)]
    others = [word for word in words if word not in {*points, *measures, *angles, *equations}]
    told = bool(angles or equations or any(_HAS_UNIT.match(word.text) for word in measures))
    is_figure = len(points) >= _TRIANGLE or (told and len(others) <= _OTHERS * len(words))
    if not is_figure or len(others) > max(2, _OTHERS * len(words)) or len(words) > _MOST_WORDS:
        return None
    if not _has_drawing(picture):
        return None
    lines = ["Geometric figure." + _told_points(points)]
    lines.extend(word.text for word in [*equations, *others])
    return lines + _told_measures(measures, points) + _told_angles(angles, points)


def _has_drawing(picture: Picture) -> bool:
    canvas = picture.canvas
    return any(
        shape.width > _LARGE * canvas.width and shape.height > _LARGE * canvas.height
        for shape in canvas.shapes()
    )


def _told_points(points: Sequence[Word]) -> str:
    letters = sorted({point.text for point in points})
    if not letters:
        return ""
    if len(letters) == len(points) == len(_sides(points)) == _TRIANGLE:
        return f" Triangle with vertices {', '.join(letters)}."
    return f" Points: {', '.join(letters)}."


def _told_measures(measures: Sequence[Word], points: Sequence[Word]) -> list[str]:
    sides = _sides(points)
    named = {word: _side_of(word, sides) for word in measures}
    told = [f"{side}: {word.text}" for word, side in named.items() if side]
    rest = [word.text for word, side in named.items() if not side]
    return told + ([f"Lengths printed: {', '.join(rest)}"] if rest else [])


def _sides(points: Sequence[Word]) -> list[tuple[Word, Word]]:
    """Of the polygon around all points."""
    if not _TRIANGLE <= len(points) <= _MOST_CORNERS:
        return []
    places = np.array([(point.x, point.y) for point in points], np.float32)
    hull = cv2.convexHull(places, returnPoints=False).ravel()
    corners = [points[int(at)] for at in hull]
    return list(pairwise([*corners, corners[0]]))


def _side_of(word: Word, sides: Sequence[tuple[Word, Word]]) -> str:
    distances = sorted((_off(word, *side), at) for at, side in enumerate(sides))
    if len(distances) < _TRIANGLE:
        return ""
    (nearest, at), (next_nearest, _) = distances[:2]
    if nearest > min(_CERTAIN * next_nearest, _BESIDE * _length(*sides[at])):
        return ""
    return "".join(sorted(point.text for point in sides[at]))


def _length(start: Word, end: Word) -> float:
    return max(hypot(end.x - start.x, end.y - start.y), 1)


def _off(word: Word, start: Word, end: Word) -> float:
    """How far the word is from the side, which it must be beside."""
    dx, dy = end.x - start.x, end.y - start.y
    length = _length(start, end)
    along = ((word.x - start.x) * dx + (word.y - start.y) * dy) / length**2
    off = abs((word.x - start.x) * dy - (word.y - start.y) * dx) / length
    return off if _ALONG[0] < along < _ALONG[1] else np.inf


def _told_angles(angles: Sequence[Word], points: Sequence[Word]) -> list[str]:
    told = []
    for word in angles:
        near = sorted((hypot(word.x - point.x, word.y - point.y), point.text) for point in points)
        is_certain = len(near) == 1 or (near and near[0][0] < _CERTAIN * near[1][0])
        told.append(f"Angle {near[0][1]}: {word.text}" if is_certain else f"Angle: {word.text}")
    return told
