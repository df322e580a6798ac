"""Marks for halves of surrogate pairs in JSON, with which every parser reads it."""

import re
from itertools import islice
from typing import NamedTuple

from racro.base.lone_surrogates import HALF, PAIR

# A text up to and with the first half that stands alone, of a few megabytes at most: no other
# thread runs meanwhile.
_STEP_TO_HALF = re.compile(
    rb"((?:[^\\]{1,4096}+|%b|(?!%b)\\.){0,1024}+)(?P<half>%b)?" % (PAIR, HALF, HALF), re.DOTALL
)
_FIRST_HALF = 0xD800
# Each costs a step of Python, twice.
MOST_HALVES = 2**16
# Characters for private use, in blocks of as many as there are halves; from the last on, for fonts
# have icons among the first.
_BITS = 11
_BLOCKS = range(0x10F800, 0x10B800, -(1 << _BITS))


class TooManyHalvesError(Exception):
    """A text has more halves than `MOST_HALVES`."""


class SurrogateMarks(NamedTuple):
    """The first characters of the blocks that stand for halves in one text, which has no others.

    As programs write the digits of an escape either all small or all capital, either has its own.
    """

    small: int
    capital: int

    @classmethod
    def of(cls, text: bytes) -> "SurrogateMarks | None":
        """Return marks for a JSON text; None where it has characters of nearly all blocks."""
        free = list(islice((block for block in _BLOCKS if not _is_used(block, text)), 2))
        return cls(*free) if len(free) == 2 else None  # noqa: PLR2004

    def put_in(self, text: bytes) -> bytes:
        """Return a JSON text with a mark for each half that is escaped alone.

        Raises TooManyHalvesError.
        """
        marked, at, halves = bytearray(), 0, 0
        while (step := _STEP_TO_HALF.match(text, at)) and step.end() > at:
            marked += step[1]
            if step["half"]:
                halves += 1
                if halves > MOST_HALVES:
                    raise TooManyHalvesError
                marked += self._mark(step["half"])
            at = step.end()
        marked += memoryview(text)[at:]
        return bytes(marked)

    def _mark(self, half: bytes) -> bytes:
        digits = half[2:]
        block = self.small if digits == digits.lower() else self.capital
        return chr(block + int(digits, 16) - _FIRST_HALF).encode()

    def take_out(self, text: bytes) -> bytes:
        """Return a JSON text with the halves again that the marks in it stand for."""
        return re.sub(b"|".join(map(_characters, self)), self._half, text)

    def _half(self, found: re.Match[bytes]) -> bytes:
        code = ord(found[0].decode())
        if code >> _BITS == self.small >> _BITS:
            return b"\\u%04x" % (_FIRST_HALF + code - self.small)
        return b"\\u%04X" % (_FIRST_HALF + code - self.capital)

    def shown(self, text: str) -> str:
        """Return a text in which U+FFFD stands for each half, as for people and models."""
        blocks = (f"{chr(first)}-{chr(first + (1 << _BITS) - 1)}" for first in self)
        return re.sub(f"[{''.join(blocks)}]", "\ufffd", text)


def _characters(block: int) -> bytes:
    """Return a pattern for the characters of a block as they are in UTF-8."""
    first, last = chr(block).encode(), chr(block + (1 << _BITS) - 1).encode()
    return first[:2] + b"[\\x%02x-\\x%02x][\\x80-\\xbf]" % (first[2], last[2])


def _is_used(block: int, text: bytes) -> bool:
    """Tell whether a JSON text has characters of a block, or may have some that are escaped."""
    first_half = _FIRST_HALF + (block - 0x10000 >> 10)
    escaped = rb"\\u(?i:%x|%x)" % (first_half, first_half + 1)
    return any(re.search(pattern, text) for pattern in (_characters(block), escaped))
