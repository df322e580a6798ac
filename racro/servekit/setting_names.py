"""Settings under the names that they have in another version.

A former name is taken for a release after a setting was renamed. A later one, which the operator
lists, is ignored, so that the settings of a release boot the one before it.

Names are paths such as `limits.max_images`; in `reasoners.*.model` the star is any step.
"""

import copy
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from racro.servekit.findings import UnknownName

_log = logging.getLogger(__name__)

Path = Sequence[str | int]


def in_present_names(
    values: Mapping[str, Any], unknown: Iterable[UnknownName], *, former: Mapping[str, str]
) -> dict[str, Any]:
    """Return settings with what is `unknown` moved or left out, where another version knows it.

    `former` has present names by former ones, the setting `later_names` lists later ones. What is
    moved or left out is logged.
    """
    adapted = copy.deepcopy(dict(values))
    listed = adapted.get("later_names")
    # Validation tells what is wrong with a list that is none.
    later = [str(name) for name in listed] if isinstance(listed, list | tuple) else []
    for path, meant in unknown:
        for name, present in former.items():
            if _covers(name, path):
                below = name.split(".")[len(path) :]
                _move(adapted, [*path, *below], _filled(present, _stars(name, path)))
        for name in later:
            if _covers(name, path) and not (meant and _is_star(name, path)):
                _leave_out(adapted, path, name.split(".")[len(path) :])
    return adapted


def _covers(name: str, path: Path) -> bool:
    """Return whether a name is that of what stands at a path, or below it."""
    steps = name.split(".")
    pairs = zip(steps, path, strict=False)
    return len(steps) >= len(path) and all(step in ("*", str(one)) for step, one in pairs)


def _stars(name: str, path: Path) -> list[str | int]:
    """Return what stands in a path for the stars of a name."""
    return [one for step, one in zip(name.split("."), path, strict=False) if step == "*"]


def _filled(name: str, stars: Sequence[str | int]) -> list[str | int]:
    """Return a name as a path, with the stars replaced in turn."""
    left = iter(stars)
    return [next(left, step) if step == "*" else step for step in name.split(".")]


def _is_star(name: str, path: Path) -> bool:
    """Return whether a name has a star for the last step of a path.

    A star is no list of what a later version has: a misspelt name is still one.
    """
    return name.split(".")[len(path) - 1] == "*"


def _leave_out(values: dict[str, Any], path: Path, below: Sequence[str]) -> None:
    """Take out what stands at a path, or with steps `below` what stands there under them."""
    there: Any = values
    try:
        for step in path:
            there = there[step]
    except (LookupError, TypeError):
        # It has been moved, or left out for another name.
        return
    for further in list(_under(there, below)):
        left_out = [*path, *further]
        _take(values, left_out)
        _log.warning("%s is ignored: later_names lists it", _name(left_out))


def _under(value: Any, steps: Sequence[str]) -> Iterator[list[str | int]]:
    """Yield the paths within a value that steps lead to."""
    if not steps:
        yield []
    elif isinstance(value, dict):
        step, *below = steps
        for name in value:
            if step in ("*", str(name)):
                yield from ([name, *further] for further in _under(value[name], below))


def _move(values: dict[str, Any], path: Path, present: Path) -> None:
    """Put what stands at a path, if there is something, at another one, unless that is set."""
    try:
        value = _take(values, path)
    except (LookupError, TypeError):
        return
    section: Any = values
    *sections, last = present
    for step in sections:
        # What is no section is set, wrongly: validation names it.
        section = section.setdefault(step, {}) if isinstance(section, dict) else section
    if not isinstance(section, dict) or last in section:
        said = "%s, the former name of %s, is ignored: that is set, too"
    else:
        section[last] = value
        said = "%s is the former name of %s: rename it"
    _log.warning(said, _name(path), _name(present))


def _take(values: Any, path: Path) -> Any:
    """Take out what stands at a path, and the sections that are empty then."""
    step, *below = path
    taken = _take(values[step], below) if below else values[step]
    if not below or not values[step]:
        del values[step]
    return taken


def _name(path: Path) -> str:
    return ".".join(map(str, path))
