r"""Solutions of inequalities as sets: `x < 3` and `x \in (-\infty, 3)` are `(-\infty, 3)`."""

import re
from typing import NamedTuple

_SIGN = re.compile(r"\\(?:le|ge|lt|gt)(?![a-z])|[<>]=?")
_NAME = r"[A-Za-z](?:_\{?\w\}?)?"
_MEMBER = re.compile(rf"(?P<name>{_NAME})\s*\\in(?![a-z])\s*(?P<values>\S.*)")
_BUILT = re.compile(
    rf"\\?\{{\s*{_NAME}\s*(?:\\in\s*\\mathbb\s*\{{?\s*R\s*\}}?\s*)?(?:\\mid(?![a-z])|[|:])(?P<which>.+?)\\?\}}"
)
_OR = re.compile(r",?\s*\bor\b|\\(?:lor|vee)(?![a-z])")
_AND = re.compile(r",?\s*\band\b|,|\\(?:land|wedge)(?![a-z])")
_MOST_SIGNS = 2


class Solutions(NamedTuple):
    """The values that a variable may have, as LaTeX writes a set."""

    name: str
    values: str


class _Bounds(NamedTuple):
    """Of one variable; a bound is its bracket and its number, None where there is none."""

    name: str
    lower: tuple[str, str] | None
    upper: tuple[str, str] | None


def solutions(text: str) -> Solutions | None:
    """Return what an inequality, several, or a membership says; None for all else."""
    if built := _BUILT.fullmatch(text):
        text = built["which"].strip()
    if member := _MEMBER.fullmatch(text):
        return Solutions(member["name"], member["values"])
    ranges = [_range(part.strip()) for part in _OR.split(text)]
    known = [one for one in ranges if one is not None]
    if len(known) < len(ranges) or len({one.name for one in known}) > 1:
        return None
    return Solutions(known[0].name, r" \cup ".join(map(_interval, known)))


def _interval(bounds: _Bounds) -> str:
    opening, lower = bounds.lower or ("(", r"-\infty")
    closing, upper = bounds.upper or (")", r"\infty")
    return f"{opening}{lower}, {upper}{closing}"


def _range(text: str) -> _Bounds | None:
    r"""Return the bounds of `1 < x \le 3`, or of `x > 1 and x \le 3`."""
    bounds = [_bounds(part.strip()) for part in _AND.split(text)]
    if len(bounds) == 1:
        return bounds[0]
    if len(bounds) > _MOST_SIGNS or None in bounds:
        return None
    one, other = filter(None, bounds)
    if one.name != other.name or (one.lower and other.lower) or (one.upper and other.upper):
        return None
    return _Bounds(one.name, one.lower or other.lower, one.upper or other.upper)


def _bounds(text: str) -> _Bounds | None:
    signs, sides = _SIGN.findall(text), [side.strip() for side in _SIGN.split(text)]
    if not 1 <= len(signs) <= _MOST_SIGNS or not all(sides):
        return None
    if len({_is_less(sign) for sign in signs}) > 1:
        return None
    if not _is_less(signs[0]):
        signs.reverse()
        sides.reverse()
    at = 1 if len(signs) == _MOST_SIGNS else int(re.fullmatch(_NAME, sides[1]) is not None)
    name = sides[at]
    if not re.fullmatch(_NAME, name) or any(_speaks_of(name, side) for side in _others(sides, at)):
        return None
    lower = ("(" if _is_strict(signs[0]) else "[", sides[0]) if at else None
    upper = (")" if _is_strict(signs[-1]) else "]", sides[-1]) if at < len(sides) - 1 else None
    return _Bounds(name, lower, upper)


def _others(sides: list[str], at: int) -> list[str]:
    return sides[:at] + sides[at + 1 :]


def _speaks_of(name: str, side: str) -> bool:
    """Whether `x` stands in a bound, which then is none; an equals sign makes it a chain."""
    return "=" in side or name[0] in re.sub(r"\\[A-Za-z]+", "", side)


def _is_less(sign: str) -> bool:
    return sign in {"<", "<=", r"\le", r"\lt"}


def _is_strict(sign: str) -> bool:
    return sign in {"<", ">", r"\lt", r"\gt"}
