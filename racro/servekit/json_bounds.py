"""Bounds on how many values a JSON text may hold, checked before an object is made of any.

A body of a few megabytes can hold millions of values, and each costs fifty times its bytes once it
is an object of Python.
"""

from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

# Texts up to this size are decoded first and counted then: they cannot hold many values.
_SMALL_BYTES = 64 * 2**10

_fields_decoder = msgspec.json.Decoder(dict[str, Raw])
_items_decoder = msgspec.json.Decoder(list[Raw])


class Bound(NamedTuple):
    """The most that there may be of something, and the setting that says so, if one does."""

    most: int
    setting: str = ""

    def __str__(self) -> str:
        return f"{self.setting} = {self.most}" if self.setting else str(self.most)


class TooManyError(Exception):
    """More values than a bound allows."""


class _Name(str):
    """The name of a field, for which the decoder calls its hook."""

    __slots__ = ()


def holds_more(text: bytes, mark: bytes, most: int) -> bool:
    """Whether a byte occurs more often than `most` times. Stops looking as soon as it does."""
    at = -1
    for _ in range(most + 1):
        at = text.find(mark, at + 1)
        if at < 0:
            return False
    return True


def may_hold_more(text: bytes, most: int) -> bool:
    """Whether a JSON text may hold more values than about `most`; False is certain.

    Each value but the first follows a comma or begins an array or an object; in strings these
    bytes mean nothing, and so True is a guess.
    """
    return any(holds_more(text, mark, most) for mark in (b",", b"[", b"{"))


def fields_of(text: bytes | Raw, most: int) -> dict[str, Raw]:
    """Return the fields of a JSON object, their values undecoded.

    Raises TooManyError for more than `most`, and NotJson.
    """
    if _size(text) <= _SMALL_BYTES:
        fields = _fields_decoder.decode(text)
        if len(fields) > most:
            raise TooManyError
        return fields
    left = most

    def count(_: type, name: object) -> _Name:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooManyError
        return _Name(name)

    decoder = msgspec.json.Decoder(dict[_Name, Raw], dec_hook=count)
    return {str(name): value for name, value in decoder.decode(text).items()}


def items_of(text: bytes | Raw, most: int) -> list[Raw]:
    """Return the items of a JSON array, undecoded.

    Raises TooManyError for more than `most`, and NotJson.
    """
    if _size(text) <= _SMALL_BYTES:
        items = _items_decoder.decode(text)
        if len(items) > most:
            raise TooManyError
        return items
    *found, further = msgspec.structs.astuple(_first_items_decoder(most + 1).decode(text))
    if further is not UNSET:
        raise TooManyError
    return [item for item in found if item is not UNSET]


def _size(text: bytes | Raw) -> int:
    return len(text) if isinstance(text, bytes) else memoryview(text).nbytes


@lru_cache(maxsize=8)
def _first_items_decoder(count: int) -> "msgspec.json.Decoder[msgspec.Struct]":
    """Return a decoder of the first `count` items of an array; further ones are skipped."""
    fields = [(f"item_{index}", Raw | UnsetType, UNSET) for index in range(count)]
    return msgspec.json.Decoder(msgspec.defstruct("Items", fields, array_like=True))
