"""The names by which clients may ask for a reasoner beside its own."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

# No model has a longer name; what is longer matches no pattern.
_LONGEST_NAME = 256
# Clients choose names, and so how many different ones there are.
_MOST_REMEMBERED = 1024
_STARS = re.compile(r"\*+")


class FurtherNames:
    """Finds reasoners by patterns of names: of those that match the most specific one counts.

    The order in which reasoners stand does not matter, for Helm sorts them.
    """

    def __init__(self, patterns: Mapping[str, Iterable[str]]) -> None:
        """`patterns` are those of each reasoner; no two are the same."""
        found = [(one, name) for name, its in patterns.items() for one in its]
        self._patterns = sorted(found, key=lambda one: _precedence(one[0]))
        self._remembered = lru_cache(maxsize=_MOST_REMEMBERED)(self._find)

    def reasoner_of(self, name: str) -> str | None:
        """Return the name of the reasoner that is also known by `name`, None where none is."""
        if not self._patterns or len(name) > _LONGEST_NAME:
            return None
        return self._remembered(name)

    def _find(self, name: str) -> str | None:
        return next((own for pattern, own in self._patterns if matches(pattern, name)), None)


def _precedence(pattern: str) -> tuple[int, str]:
    """Return what sorts patterns: more characters beside its stars first, then the alphabet."""
    return -len(_STARS.sub("", pattern)), pattern


def matches(pattern: str, name: str) -> bool:
    """Tell whether a name matches a pattern, in which `*` is any run of characters.

    Each piece between two stars is searched for once, behind the one before it.
    """
    first, *pieces = _STARS.split(pattern)
    if not pieces:
        return name == pattern
    *middle, last = pieces
    end = len(name) - len(last)
    at = len(first)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for piece in middle:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
