"""How a chart is told: short regular lines, each value directly beside its label."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from racro.embedded.composer.words import number, unit

# Of fewer values nobody asks for the highest.
_FEWEST_RANKED = 3


@dataclass(frozen=True)
class Value:
    text: str
    series: str = ""


@dataclass(frozen=True)
class Point:
    """A bar, slice or point of a line; in a grouped chart one of each series."""

    label: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Axis:
    """`ends` are its lowest and highest tick, as printed."""

    name: str
    title: str = ""
    ends: tuple[str, ...] = ()

    def told(self) -> str:
        span = [f"from {self.ends[0]} to {self.ends[1]}"] if self.ends else []
        told = ", ".join([self.title] * bool(self.title) + span)
        return f"{self.name}: {told}." if told else ""


@dataclass(frozen=True)
class Chart:
    """`kind` and `noun`: "Bar chart" has "bars"."""

    kind: str
    noun: str
    points: tuple[Point, ...]
    title: str = ""
    axes: tuple[Axis, ...] = ()
    series: tuple[str, ...] = ()
    other: str = ""

    def lines(self) -> Iterator[str]:
        yield f"{self.kind}. {titled(self.title)}".rstrip()
        if axes := " ".join(filter(None, (axis.told() for axis in self.axes))):
            yield axes
        if self.series:
            yield f"Series: {', '.join(self.series)}."
        yield from self._told_points()
        if self.other:
            yield f"Other text: {self.other}"

    def _told_points(self) -> Iterator[str]:
        printed = [point for point in self.points if point.values]
        if not printed:
            yield f"Labels: {', '.join(point.label for point in self.points)}."
            yield "The values are not printed."
            return
        yield f"{len(self.points)} {self.noun} with these values:"
        for point in printed:
            yield f"{point.label}: {', '.join(map(_told_value, point.values))}"
        if unprinted := [point.label for point in self.points if not point.values]:
            yield f"No value is printed for: {', '.join(unprinted)}."
        else:
            yield from _ranked(self.points)


def titled(title: str) -> str:
    """Ends like a sentence, whether the title does or not."""
    return f"Title: {title}" + ("" if title.endswith(tuple(".?!")) else ".") if title else ""


def _told_value(value: Value) -> str:
    return f"{value.series} {value.text}".strip()


def _ranked(points: Sequence[Point]) -> Iterator[str]:
    """The highest and the lowest, if there is one number for each label, all of one unit."""
    texts = {point.label: point.values[0].text for point in points if len(point.values) == 1}
    values = {label: value for label, text in texts.items() if (value := number(text)) is not None}
    if len(points) < _FEWEST_RANKED or len(values) < len(points):
        return
    if len({unit(text) for text in texts.values()}) > 1:
        return
    ends = (("Highest", max(values.values())), ("Lowest", min(values.values())))
    told = []
    for name, end in ends:
        labels = [label for label, value in values.items() if value == end]
        told.append(f"{name}: {' and '.join(labels)} ({texts[labels[0]]}).")
    if ends[0][1] > ends[1][1]:
        yield " ".join(told)
