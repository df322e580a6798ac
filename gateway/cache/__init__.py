"""The visual-context cache: captions that were generated before, by their keys."""

from collections.abc import Sequence
from typing import Protocol


class Cache(Protocol):
    """A cache maps keys to bytes. It may lose any of them at any time, and it never raises."""

    def get_local(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values that this process holds itself, in the order of `keys`."""
        ...

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of all tiers, in the order of `keys`."""
        ...

    async def set(self, key: str, value: bytes, *, ttl_s: int | None = None) -> bool:
        """Store a value for `ttl_s` seconds, or for the cache's own time to live.

        Returns whether it was stored.
        """
        ...

    async def delete(self, keys: Sequence[str]) -> None: ...

    @property
    def problem(self) -> str | None:
        """What keeps the cache from working in full, or None."""
        ...

    async def close(self) -> None: ...
