"""Reminders, in which coding agents wrap the user's text."""

import re
from collections.abc import Iterator

# They change every day; the question does not.
_REMINDER_TAG = re.compile(r"<(?P<ends>/?)system-reminder>", re.IGNORECASE)
_LONGEST_TAG = len("</system-reminder>")
# Characters that take a few milliseconds.
_SEARCHED = 64 * 2**10


def without_reminders(text: str) -> str:
    """Return the text between reminders; one without an end is none.

    A pattern for whole reminders would take time quadratic in the number of tags that begin one.
    """
    kept, outside_from = [], 0
    begins: int | None = None
    for tag in _reminder_tags(text):
        if not tag["ends"]:
            begins = tag.start() if begins is None else begins
        elif begins is not None:
            kept.append(text[outside_from:begins])
            outside_from, begins = tag.end(), None
    return "".join([*kept, text[outside_from:]])


def _reminder_tags(text: str) -> Iterator[re.Match[str]]:
    """Yield the tags that begin or end reminders."""
    start = 0
    while start < len(text):
        # No other thread runs while a pattern is searched for.
        tag = _REMINDER_TAG.search(text, start, start + _SEARCHED)
        if tag is not None:
            yield tag
            start = tag.end()
        else:
            start += _SEARCHED - _LONGEST_TAG
