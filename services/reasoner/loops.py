"""Finds out that a model repeats itself without end."""

from collections import Counter, deque

_LENGTH = 8
_MOST = 2


class LoopDetector:
    """Watches the pieces of one answer, which are tokens as a rule."""

    def __init__(self) -> None:
        self._latest: deque[str] = deque(maxlen=_LENGTH)
        self._seen: Counter[tuple[str, ...]] = Counter()

    def repeats(self, piece: str) -> bool:
        """Tell whether `piece` completes eight in a row that have come twice before."""
        self._latest.append(piece)
        if len(self._latest) < _LENGTH:
            return False
        latest = tuple(self._latest)
        self._seen[latest] += 1
        return self._seen[latest] > _MOST
