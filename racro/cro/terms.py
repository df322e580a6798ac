r"""What may be taken off a caption's reward, each term by a pure function: 0, down to -1.

A leak is an answer given away: the captioner has done the reasoner's work, and what it learns so is
to answer, not to describe. A value read off the image is no leak even where it is the answer, so a
caption that holds the expected answer leaks only where it offers it as one:

- it has a `\boxed{…}`, whatever stands in it;
- it announces the expected answer ("The answer is 5", "Correct option: (B)");
- it concludes with it in a sentence that opens with "therefore", "so" or the like; not an option's
  letter nor yes or no, which such a sentence may hold for other reasons.

Answers are found as whole tokens (5 is not in 15, 5.2 or -5), numbers also without their unit. What
is given away in other words, as in "3 + 2 = 5", is not seen: the leaks counted are a lower bound.
"""

import re
from collections.abc import Iterator

from racro.contracts.control_tokens import neutralise
from racro.cro.captioned import Captioned

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_ANNOUNCEMENT = re.compile(
    r"\b(?:answer|(?:correct|right|best)\s+(?:option|choice))\**\s*"
    r"(?::|=|(?:is|must\s+be|should\s+be|would\s+be|will\s+be)\b)(?!\s*not\b)"
    # What is announced stands close by: "The answer is option B", "is: $x = 5$".
    r"(?=(?P<said>[^\n]{0,60}))",
    re.IGNORECASE,
)
_NEARBY = 24
_CONCLUSION = re.compile(
    r"(?:^|(?<=[.!?]\s))[^\w\n]{0,8}(?:therefore|thus|hence|so|consequently|in conclusion)\b"
    r"(?P<said>.*?)(?=[.!?]\s|[.!?]?$)",
    re.IGNORECASE | re.MULTILINE,
)
_AMBIGUOUS = re.compile(r"[A-Za-z]|yes|no|true|false", re.IGNORECASE)
_WITH_UNIT = re.compile(r"([-−]?\d+(?:\.\d+)?)\s*[^\d\s.,/:^][^\d]*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")


def leak(row: Captioned) -> float:
    """-1 where the caption gives the answer away."""
    caption = _THOUSANDS.sub("", row.caption)
    is_leaked = _BOX.search(caption) or any(
        _announces(caption, form) or _concludes(caption, form) for form in _forms(row)
    )
    return -1.0 if is_leaked else 0.0


def length(row: Captioned, *, limit: int) -> float:
    """0 up to `limit` characters, from there on a straight line to -1 at twice as many."""
    return -min(1.0, max(0, len(row.caption) - limit) / limit)


def format(row: Captioned) -> float:  # noqa: A001  # the setting that weighs it has this name
    """-1 for a caption that is empty, or has a box or the shape of a control token in it."""
    caption = row.caption
    broken = not caption.strip() or _BOX.search(caption) or neutralise(caption) != caption
    return -1.0 if broken else 0.0


def _forms(row: Captioned) -> Iterator[str]:
    """How the expected answer may be said: as it is, without its unit, as the option's text."""
    for said in (row.answer, row.options.get(row.answer, "")):
        plain = _THOUSANDS.sub("", said.strip().strip("$").strip())
        if plain:
            yield plain
        if number := _WITH_UNIT.fullmatch(plain):
            yield number[1]


def _token(said: str) -> re.Pattern[str]:
    """`said` as a token of its own; a single letter in its case, for "a" is an article."""
    words = r"\s*".join(map(re.escape, said.split()))
    flags = re.NOFLAG if len(said) == 1 else re.IGNORECASE
    return re.compile(rf"(?<![\w.−-]){words}(?!\w|[.,/]\d)", flags)


def _announces(caption: str, said: str) -> bool:
    token = _token(said)
    matches = (token.search(match["said"]) for match in _ANNOUNCEMENT.finditer(caption))
    return any(match is not None and match.start() <= _NEARBY for match in matches)


def _concludes(caption: str, said: str) -> bool:
    if _AMBIGUOUS.fullmatch(said):
        return False
    token = _token(said)
    return any(token.search(match["said"]) for match in _CONCLUSION.finditer(caption))
