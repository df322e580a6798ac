"""Halves of surrogate pairs in JSON: Python's json reads and writes them, other parsers do not."""

import re

HALF = rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
PAIR = rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# A text up to and with the first half that stands alone. One escape is read after the other, so
# that none begins with the second half of an escaped backslash.
_UP_TO_HALF = re.compile(
    rb"((?:[^\\]++|%b|(?!%b)\\.)*+)(?P<half>%b)?" % (PAIR, HALF, HALF), re.DOTALL
)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_REPLACEMENT = rb"\ufffd"


def without_lone_surrogates(text: bytes) -> bytes:
    """Return a JSON text with U+FFFD for each half of a surrogate pair that is escaped alone.

    It is the text itself where there are none.
    """
    if not has_lone_surrogates(text):
        return text
    return _UP_TO_HALF.sub(lambda found: found[1] + (_REPLACEMENT if found["half"] else b""), text)


def has_lone_surrogates(text: bytes) -> bool:
    """Tell whether a JSON text has half of a surrogate pair, escaped alone."""
    # Most texts have no such escape, and a search costs a twentieth.
    if not _SURROGATE.search(text):
        return False
    found = _UP_TO_HALF.match(text)
    return found is not None and found["half"] is not None
