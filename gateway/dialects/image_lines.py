"""Lines that agents write beside images and in place of words, which are no part of a question."""

import re
from collections.abc import Iterator
from itertools import islice

# A text without any of them is as it was; to look for them costs next to nothing.
_BEGINNINGS = (
    "[Image",
    "[Request interrupted by user",
    "<image name=[",
    "Attached image(s) from tool result:",
    "This is file ",
    "Attached media from tool result:",
    "Called the Read tool with ",
    "Image read successfully",
    "PDF read successfully",
)
_BEGINNING = re.compile("|".join([*map(re.escape, _BEGINNINGS), "</image>"]))
_LONGEST_BEGINNING = max(map(len, _BEGINNINGS))

# Claude Code, of an image that was pasted, by a number that counts through a session. Users write
# round it, so that it is left out wherever it stands.
_NUMBER = re.compile(r"\[Image #[0-9]{1,9}\] ?")
# openai/codex, before and after each image; what stands behind it on its line is kept.
_OPENING = re.compile(r'<image name=\[[^\]\n]{1,256}\](?: path="[^"\n]{0,4096}")?>')
_CLOSING = "</image>"
# Left out as whole lines only: within a sentence the user may be quoting them.
_LINE = re.compile(
    r"(?:"
    # Claude Code; a path may have brackets.
    r"\[Image: original [0-9]{1,9}x[0-9]{1,9}, displayed at [^\]\n]{1,256}\]"
    r"|\[Image: source: [^\n]{1,4096}?\]"
    r"|\[Request interrupted by user(?: for tool use)?\]"
    r"|</image>"
    # pi and sst/opencode, before images that tools gave.
    r"|Attached (?:image\(s\)|media) from tool result:"
    # pydantic-ai, so too; the name is a digest of the file.
    r"|This is file [0-9A-Za-z._-]{1,128}:"
    # sst/opencode, of a file that was given with the question; Claude Code writes it in a block.
    r"|Called the Read tool with the following input: \{[^\n]{1,4096}?\}"
    r"|(?:Image|PDF) read successfully"
    r")[ \t\r]{0,16}(?=\n|\Z)"
)
# So much space may stand before a line's words.
_LONGEST_INDENT = 16
# Characters that take a few milliseconds.
_SEARCHED = 64 * 2**10
# What stands behind so many beginnings is kept.
_MOST_BEGINNINGS = 10_000


def without_image_lines(text: str) -> str:
    """Return a text without what agents write beside images; a space stands in its place."""
    if not any(beginning in text for beginning in _BEGINNINGS):
        return text
    kept, outside_from = [], 0
    for start, end in _cuts(text):
        kept.append(text[outside_from:start])
        outside_from = end
    return " ".join([*kept, text[outside_from:]])


def _cuts(text: str) -> Iterator[tuple[int, int]]:
    """Yield what is to be left out, in order and without overlaps."""
    end, has_opening = 0, False
    for beginning in islice(_beginnings(text), _MOST_BEGINNINGS):
        start = beginning
        # It may stand in a path or a name that is left out.
        if start < end:
            continue
        if (cut := _NUMBER.match(text, start)) is not None:
            start -= text.startswith(" ", start - 1) and start > end
        elif _begins_line(text, end, start):
            if (cut := _OPENING.match(text, start)) is not None:
                has_opening = True
            elif has_opening or not text.startswith(_CLOSING, start):
                cut = _LINE.match(text, start)
        if cut is not None:
            yield start, cut.end()
            end = cut.end()


def _begins_line(text: str, after_cut: int, start: int) -> bool:
    """Whether nothing but space stands before it on its line, what was left out aside."""
    tail_from = max(after_cut, start - _LONGEST_INDENT)
    before = text[tail_from:start].rstrip(" \t")
    return before.endswith("\n") or (not before and tail_from == after_cut)


def _beginnings(text: str) -> Iterator[int]:
    start = 0
    while start < len(text):
        # No other thread runs while a pattern is searched for.
        found = _BEGINNING.search(text, start, start + _SEARCHED)
        if found is not None:
            yield found.start()
            start = found.end()
        else:
            start += _SEARCHED - _LONGEST_BEGINNING
