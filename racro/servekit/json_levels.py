"""Looks for a field at one level of a JSON text that comes in pieces, which are not kept."""

import re

_TOKEN = re.compile(rb'"((?:[^"\\]++|\\.)*+)("?)|[{}\[\],]++', re.DOTALL)
_WITHIN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_QUOTE = ord('"')


class FieldFinder:
    """Looks for a field with a short text as its value, so many objects and lists deep.

    `found` tells whether it has come. Names and values are compared as they are written.
    """

    def __init__(self, level: int, name: bytes, value: bytes) -> None:
        self.found = False
        self._level = level
        self._field = (name, value)
        self._longest = max(len(name), len(value)) + 1
        self._depth = 0
        # The beginning of a string that has no end yet, and of the name before it if there is one.
        self._open: bytes | None = None
        self._name: bytes | None = None
        # A backslash whose escape has not come.
        self._held = b""

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the text."""
        text, self._held = self._held + piece, b""
        start = 0
        if self._open is not None:
            inner = _WITHIN_STRING.match(text)
            start = inner.end() if inner else 0
            self._open = (self._open + text[: min(start, self._longest)])[: self._longest]
            if start == len(text) or text[start] != _QUOTE:
                self._held = text[start:]
                return
            self._end_string(self._open)
            start += 1
        for token in _TOKEN.finditer(text, start):
            if text[token.start()] != _QUOTE:
                self._take_marks(token[0])
            elif token[2]:
                self._end_string(token[1][: self._longest])
            else:
                self._open, self._held = token[1][: self._longest], text[token.end() :]
                return

    def _end_string(self, string: bytes) -> None:
        self._open = None
        if self._depth == self._level:
            self.found |= (self._name, string) == self._field
            self._name = string

    def _take_marks(self, marks: bytes) -> None:
        self._name = None
        # Most are a single comma.
        if marks != b",":
            self._depth += marks.count(b"{") + marks.count(b"[")
            self._depth -= marks.count(b"}") + marks.count(b"]")
