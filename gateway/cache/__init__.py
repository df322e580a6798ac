"""The visual-context cache: where captions wait for the next one who asks."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

Found = TypeVar("Found")


class Cache(Protocol):
    """Bytes by key. It may forget anything at any time, and never raises to its callers."""

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """In the order of `keys`."""
        ...

    async def set(self, key: str, value: bytes, *, ttl_s: int | None = None) -> None:
        """For `ttl_s`, or as long as the cache keeps things."""
        ...

    async def delete(self, keys: Sequence[str]) -> None: ...

    async def once(
        self,
        key: str,
        look_up: Callable[[], Awaitable[Found | None]],
        make: Callable[[], Awaitable[Found]],
    ) -> Found:
        """What `look_up` finds, or else what `make` makes and stores.

        Of all processes that share the cache one makes, the others look up until it has; the error
        of the one that makes is raised in all.
        """
        ...

    @property
    def problem(self) -> str | None:
        """Why it does less than it should; None if it does not."""
        ...

    async def close(self) -> None: ...
