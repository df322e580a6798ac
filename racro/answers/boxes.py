r"""Answers that are marked as such: `\boxed{…}`, `<answer>…</answer>`, GLM's `<|begin_of_box|>`."""

import re

BOX = "\\boxed"
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
# Without braces TeX boxes what comes next; models mean all of a number or a word.
_UNBRACED = re.compile(
    r"\\(?:boxed|fbox)\s*+(?P<content>[-+]?\$?\d[\d,]*+(?:\.\d+)?%?|(?<=[\s])[A-Za-z]+"
    r"|\([^(){}]{1,80}\)|\\[dt]?frac\s*\{[^{}]{1,80}\}\s*\{[^{}]{1,80}\}|\\text\s*\{[^{}]{1,80}\})"
)
_BRACE = re.compile(r"[{}]")
_ELEMENT_TAG = re.compile(
    r"(?P<open><(?:final_?)?answer>|<\|begin_of_box\|>)|</(?:final_?)?answer>|<\|end_of_box\|>",
    re.IGNORECASE,
)


def boxes(text: str) -> list[str]:
    """Return the contents of the boxes that are closed, their braces balanced."""
    return [text[start:end] for start, end in box_spans(text)]


def box_spans(text: str) -> list[tuple[int, int]]:
    """Return where those contents begin and end, in order, found in one pass over `text`."""
    starts = {match.end() - 1 for match in _BOXED.finditer(text)}
    open_braces: list[int] = []
    found = [match.span("content") for match in _UNBRACED.finditer(text)]
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            open_braces.append(brace.start())
        elif open_braces and (start := open_braces.pop()) in starts:
            found.append((start + 1, brace.start()))
    return sorted(found)


def last_element(text: str) -> tuple[int, int] | None:
    """Return where the content of the last `<answer>` with words begins and ends.

    Where none is closed, one goes on to the end: servers leave out a text that stops them.
    """
    found, start = None, None
    for tag in _ELEMENT_TAG.finditer(text):
        if start is not None and has_words(text[start : tag.start()]):
            found = start, tag.start()
        start = tag.end() if tag["open"] else None
    if found is None and start is not None and has_words(text[start:]):
        found = start, len(text)
    return found


def has_words(text: str) -> bool:
    """Return whether there is a letter or a digit in `text`."""
    return any(character.isalnum() for character in text)
