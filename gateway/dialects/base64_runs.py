"""Base64 of pictures and PDFs within texts: found by how such files begin, whatever is said of it.

A text is gone through as it is written, JSON or not: base64 has no characters that a string of JSON
would have to escape, and those that some encoders escape all the same are read both ways.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pybase64

from racro.contracts.errors import RacroError
from racro.servekit.image_types import AVIF, HEIC, ICO, JPEG, media_type_of

# Words, paths and hashes that begin as a file does are shorter. So are files of no use as pictures.
LEAST_CHARACTERS = 44
# Base64 that says nothing of itself, within a longer text.
LEAST_ALONE = 200
_CHARACTERS = r"A-Za-z0-9+/_\-"
_COMMA = r"(?:,|%2[cC])(?:\s|\\{1,32}[nrt]|%0[aAdD]|%20){0,64}"
# How the known files begin, in base64, or where that of a data URL begins. Of a bitmap it is so
# short that it counts at the beginning of a string alone; of AVIF and HEIC the length of the first
# box is left open. Each of these begins with a character of its own: so they are found fast.
_BEGINNING = re.compile(
    rf"""
    (?: iVBORw0KGg | R0lGOD | UklGR | JVBERi | SUk[qr] | TU0AK | AAABA | AAAADGpQ
      | /9j | _9j | \\\\{{0,31}}/9j
      | /0//U[Q-Za-f] | _0__U[Q-Za-f] | \\\\{{0,31}}/0(?:\\{{1,32}}/){{2}}U[Q-Za-f]
      | AAAA[A-Za-z0-9+/]{{2}}Z0eXB | "Qk | 'Qk
      | ase64{_COMMA} | ASE64{_COMMA}
    )(?=[{_CHARACTERS}\\%]{{32}})
    """,
    re.VERBOSE,
)
# What stands before the first character: nothing, another character, or one that is escaped.
_BEFORE = re.compile(rf"(?:^|[^{_CHARACTERS}]|\\[nrt]|\\u00[0-9a-fA-F]{{2}})\Z")
_LONGEST_BEGINNING = 1024
_LINE = re.compile(rf"(?:[{_CHARACTERS}]++|\\++(?:/|u002[bfBF])|%2[bBfF])*+")
_PADDING = re.compile(r"(?:=|\\{1,32}u003[dD]|%3[dD]){0,4}")
_BREAK = re.compile(
    r"[ \t]{0,4}(?:\r?\n|\\{1,32}r\\{1,32}n|\\{1,32}n|%0[dD]%0[aA]|%0[aA])[ \t]{0,16}"
)
_AFTER_LINES = re.compile(r"=|[ \t]{0,4}(?:$|[\r\n\"'`)\]}>,\\])")
_LINE_WIDTHS = range(40, 129)
_PIECE = 2**18
# Of the beginning, as it is decoded; one escaped character takes many.
_SNIFFED = 256
_ESCAPES = {
    **dict.fromkeys(["\\n", "\\r", "\\t"], ""),
    **dict.fromkeys(["\\/", "\\u002f", "\\u002F"], "/"),
    **dict.fromkeys(["\\u002b", "\\u002B"], "+"),
    **dict.fromkeys(["\\u003d", "\\u003D"], "="),
}
_MOST_NESTED = 6
# What a JPEG begins with, behind its mark: APPn, quantisation, frames, Huffman tables, a comment.
_MARKERS = {bytes([code]) for code in (*range(0xE0, 0xF0), 0xDB, *range(0xC0, 0xC5), 0xFE)}
_LENGTHS_OF_BRANDS = range(20, 257, 4)
_LONG_RUN = b"B" * LEAST_CHARACTERS
_CLASSES = bytes(
    ord("B") if re.match(rf"[{_CHARACTERS}\\%]", chr(byte)) else ord(" ") for byte in range(256)
)


class Run(NamedTuple):
    """Base64 within a text, its padding included. `is_known`: it begins as a picture or PDF;
    `is_sure`: so much that nothing else need say so.
    """

    start: int
    end: int
    is_known: bool
    is_sure: bool


def may_hold_base64(text: str) -> bool:
    """Tell, at the cost of a copy, whether a text has a run that is long enough."""
    step = _PIECE - LEAST_CHARACTERS
    return len(text) >= LEAST_CHARACTERS and any(
        _LONG_RUN in text[at : at + _PIECE].encode(errors="replace").translate(_CLASSES)
        for at in range(0, len(text), step)
    )


def base64_runs(text: str) -> Iterator[Run]:
    """Yield the runs that begin as a picture does, and those of data URLs, in order.

    It takes time linear in the text's length.
    """
    at = 0
    while at < len(text):
        beginning = _BEGINNING.search(text, at, at + _PIECE)
        if beginning is None:
            at += max(1, _PIECE - _LONGEST_BEGINNING)
            continue
        start = _start(beginning)
        if start is None:
            at = max(_end_of_line(text, beginning.start()), beginning.end())
            continue
        end = _end(text, start)
        if end - start >= LEAST_CHARACTERS:
            data = _beginning_of(text[start : min(end, start + _SNIFFED)])
            media_type = _media_type(data)
            is_sure = media_type is not None and _is_sure(data, media_type, end - start)
            yield Run(start, end, media_type is not None, is_sure)
        at = max(end, beginning.end())


def _start(beginning: re.Match[str]) -> int | None:
    """Return where the base64 begins; None where what begins so is the middle of something."""
    first = beginning[0][0]
    if first in "\"'":
        return beginning.start() + 1
    if beginning[0][:2].lower() == "as":
        return beginning.end()
    start = beginning.start()
    return start if _BEFORE.search(beginning.string[max(0, start - 6) : start]) else None


def unescaped(base64: str) -> str:
    """Return base64 without the escapes and ends of lines of strings in JSON."""
    for _ in range(_MOST_NESTED):
        if "\\\\" not in base64:
            break
        base64 = base64.replace("\\\\", "\\")
    if "\\" in base64:
        for escape, character in _ESCAPES.items():
            base64 = base64.replace(escape, character)
    return base64


def _end(text: str, start: int) -> int:
    """Return where the base64 ends; it may be broken into lines of one width."""
    end = _end_of_line(text, start)
    width = len(unescaped(text[start:end])) if end - start < _LINE_WIDTHS.stop * 2 else 0
    while width in _LINE_WIDTHS and (line_break := _BREAK.match(text, end)):
        begins = line_break.end()
        ends = _end_of_line(text, begins)
        further = len(unescaped(text[begins : min(ends, begins + 1000)]))
        if further != width:
            if 0 < further < width and _AFTER_LINES.match(text, ends):
                end = ends
            break
        end = ends
    padding = _PADDING.match(text, end)
    return padding.end() if padding else end


def _end_of_line(text: str, start: int) -> int:
    """Return the end of a run of characters, a piece at a time: a match keeps other threads out."""
    while (match := _LINE.match(text, start, start + _PIECE)) and match.end() > start:
        start = match.end()
    return start


def _beginning_of(base64: str) -> bytes:
    digits = re.sub(r"%(..)", lambda code: chr(int(code[1], 16)), unescaped(base64))
    digits = re.sub(r"[\s=%\\]", "", digits).translate({ord("-"): "+", ord("_"): "/"})
    try:
        return pybase64.b64decode(digits[: len(digits) // 4 * 4])
    except ValueError:
        return b""


def _media_type(data: bytes) -> str | None:
    try:
        return media_type_of(data, param="")
    except RacroError:
        return None


def _is_sure(data: bytes, media_type: str, most_bytes: int) -> bool:
    """Tell whether a file has more of its type than the few bytes that numbers or a path may
    have, too.
    """
    if media_type == ICO:
        size, offset = int.from_bytes(data[14:18], "little"), int.from_bytes(data[18:22], "little")
        entries = 6 + 16 * int.from_bytes(data[4:6], "little")
        return size > 0 and offset >= entries and offset + size <= most_bytes
    if media_type == JPEG:
        return data[3:4] in _MARKERS
    if media_type in {AVIF, HEIC}:
        length = int.from_bytes(data[:4])
        brands = data[16 : min(length, len(data))]
        return length in _LENGTHS_OF_BRANDS and brands.isascii() and brands.isalnum()
    return True
