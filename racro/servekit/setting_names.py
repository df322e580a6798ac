"""Settings under the names that they have in another version.

A former name is taken for a release after a setting was renamed. A later one, which the operator
lists, is ignored, so that the files of a release boot the one before it.
"""

import copy
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_log = logging.getLogger(__name__)

Path = tuple[str | int, ...]


def in_present_names(
    values: Mapping[str, Any], unknown: Iterable[Path], *, former: Mapping[str, str]
) -> dict[str, Any]:
    """Return settings with those at `unknown` paths moved or left out, where a version has them.

    `former` has present names by former ones. Later ones stand in the setting `later_names`;
    `reasoners.*.x` is one with any step in place of the star. What is moved or left out is logged.
    """
    adapted = copy.deepcopy(dict(values))
    listed = adapted.get("later_names")
    # Validation tells what is wrong with a list that is none.
    later = [str(name) for name in listed] if isinstance(listed, list | tuple) else []
    for path in unknown:
        name = ".".join(map(str, path))
        if name in former:
            _move(adapted, path, former[name])
        elif any(_covers(one.split("."), path) for one in later):
            _take(adapted, path)
            _log.warning("%s is ignored: later_names lists it", name)
    return adapted


def _covers(steps: Sequence[str], path: Path) -> bool:
    """Whether a name is that of a path, or of something below it."""
    pairs = zip(steps, path, strict=False)
    return len(steps) >= len(path) and all(step in ("*", str(one)) for step, one in pairs)


def _move(values: dict[str, Any], path: Path, name: str) -> None:
    """Put the value at `path` under `name`, unless there is one."""
    value = _take(values, path)
    *sections, last = name.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    kept = values.setdefault(last, value)
    former = ".".join(map(str, path))
    if kept is value:
        _log.warning("%s is the former name of %s: rename it", former, name)
    else:
        _log.warning("%s, the former name of %s, is ignored: that is set, too", former, name)


def _take(values: Any, path: Path) -> Any:
    *sections, last = path
    for section in sections:
        values = values[section]
    return values.pop(last)
