"""Back-off: how long to wait before the next try."""

import math
import random
from collections.abc import Iterator


def backoff(
    first_s: float,
    longest_s: float = math.inf,
    *,
    factor: float = 2,
    jitter: tuple[float, float] = (1, 1),
) -> Iterator[float]:
    """Gives pauses in seconds without end, each `factor` times the one before, up to the longest.

    Each is multiplied by a random number within `jitter`, lest all clients come back at once.
    """
    pause_s = first_s
    while True:
        yield pause_s * random.uniform(*jitter)  # noqa: S311 - no secret
        pause_s = min(pause_s * factor, longest_s)
