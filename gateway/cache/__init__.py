"""The visual-context cache: where captions wait for the next one who asks."""

from collections.abc import Sequence
from typing import Protocol


class Cache(Protocol):
    """Bytes by key. It may forget anything at any time, and never raises to its callers."""

    def near(self, keys: Sequence[str]) -> list[bytes | None]:
        """What can be had without waiting, in the order of `keys`."""
        ...

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """In the order of `keys`."""
        ...

    async def set(self, key: str, value: bytes, *, ttl_s: int | None = None) -> bool:
        """For `ttl_s`, or as long as the cache keeps things. False if it did not take it."""
        ...

    async def delete(self, keys: Sequence[str]) -> None: ...

    @property
    def problem(self) -> str | None:
        """Why it does less than it should; None if it does not."""
        ...

    async def close(self) -> None: ...
