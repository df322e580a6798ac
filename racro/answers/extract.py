r"""The final answer out of a reasoner's text: `\boxed{…}`, an announced one, else the last line."""

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from racro.answers.boxes import BOX, box_spans, has_words, last_element
from racro.answers.formulas import worked_out
from racro.answers.phrases import Announced, announcements
from racro.answers.thought import split_reasoning
from racro.answers.values import is_figure, is_remark, line_value, sentence, tidy, value
from racro.contracts.prompts import NOT_TOLD, PROFILES, SolveProfile

# An answer stands at the end of a text; reading so many characters takes milliseconds of CPU.
_LONGEST_END = 8 * 2**10
# Reading the value of each costs up to a millisecond.
_MOST_ANNOUNCED = 16
_ANSWER_LINE = "\nAnswer: "
# Control tokens of chat templates, which some servers leave in the text.
_CONTROL_TOKEN = re.compile(r"<\|[^<>|\s]{1,40}\|>|<｜[^<>｜\s]{1,40}｜>|</?s>|<end_of_turn>")
_EMPHASIS = re.compile(r"(?<![A-Za-z0-9)}])\*\*|\*\*(?![A-Za-z0-9({\\-])")
# What came before may be wrong; what is announced after it counts, even against a box.
_RETRACTION = re.compile(
    r"\b(?:wait(?=\s*+[,.!:—–-])|correction\s*+:|scratch\s+that|on\s+second\s+thoughts?"
    r"|I\s+made\s+an?\s+(?:mistake|error))|(?:^|[.!?,;:—–])[ \t*]*+actually\b"
    r"|不对|等等|更正",
    re.IGNORECASE | re.MULTILINE,
)
# Without the word "answer", only where a figure and nothing else follows a retraction.
_SHOULD_BE = re.compile(r"\b(?:it|this|that)\s+should\s+(?:be|have\s+been)\s+", re.IGNORECASE)


def solve_answer(profile: SolveProfile, text: str) -> str:
    """The short answer of a reasoner that was asked in `profile`.

    Where the profile boxes formulas, our reasoner service ends the text with a line "Answer: …".
    Another server of those weights leaves the box that they write, with the formula in it.
    """
    if not PROFILES[profile].boxes_formulas:
        return final_answer(text)
    _, announced, answer = f"\n{text}".rpartition(_ANSWER_LINE)
    if announced and BOX not in text:
        return answer
    return worked_out(final_answer(text))


def compact_answer(boxed: str) -> str:
    """Return what the box at the end of a reasoner's text comes to under compact-v1: the result of
    its formula, or a refusal where it is missing or not closed.
    """
    boxed = boxed[-_LONGEST_END:]
    spans = box_spans(boxed)
    if len(spans) < boxed.count(BOX):
        return NOT_TOLD
    innermost = (
        boxed[start:end] for start, end in reversed(spans) if boxed.find(BOX, start, end) < 0
    )
    answer = next(filter(None, map(tidy, innermost)), NOT_TOLD)
    return " ".join(worked_out(answer).split())


def answer_line(answer: str) -> str:
    """Return how the text of a compact-v1 answer ends; `solve_answer` finds `answer` in it."""
    return f"{_ANSWER_LINE}{answer}"


def final_answer(text: str) -> str:
    r"""Return the short answer that `text` ends in; empty where there is none to read.

    The last of these that says something: a closed `\boxed{…}` or an `<answer>`; what follows an
    "answer is" or its like in other languages, up to the end of its sentence; a line. Of a long
    text its last 8 KiB are read. A text that was cut within the model's thoughts has no answer.
    """
    _, visible = split_reasoning(text)
    visible = visible[-_LONGEST_END:]
    return next(filter(None, _candidates(_narrowed(visible))), visible.strip())


class _Said(NamedTuple):
    """An announced value; how many retractions come before it; how surely it is the answer."""

    value: str
    retractions: int
    rank: int


def _narrowed(text: str) -> str:
    """Return the content of the last `<answer>`, unless a box comes behind it."""
    element, boxes = last_element(text), box_spans(text)
    if element and not (boxes and boxes[-1][0] > element[1]):
        text = text[slice(*element)]
    return _EMPHASIS.sub("", _CONTROL_TOKEN.sub("\n", text))


def _candidates(text: str) -> Iterator[str]:
    """Yield what may be the answer, the likeliest first."""
    boxes, retractions = box_spans(text), [found.end() for found in _RETRACTION.finditer(text)]
    said = _said(text, retractions)
    if boxes:
        # Words behind a box are spoken about it.
        boxed = bisect(retractions, boxes[-1][1])
        yield from (one.value for one in said if one.retractions > boxed and is_figure(one.value))
    # From the last one on, so that of boxes within boxes only one is copied.
    for start, end in reversed(boxes):
        yield tidy(text[start:end])
    yield from (one.value for one in said)
    yield from map(line_value, filter(has_words, reversed(text.splitlines())))


def _said(text: str, retractions: Sequence[int]) -> list[_Said]:
    """Return what is announced, the likeliest first: the last figure behind the last retraction.

    What comes behind an answer explains it, in words: "Option A is too small".
    """
    said = []
    for found in announcements(text)[-_MOST_ANNOUNCED:]:
        end = found.end or found.start + len(sentence(text, found.start))
        if has_words(text[found.start : end]):
            short = value(text[found.start : end])
            said.append(_Said(short, bisect(retractions, found.start), _rank(found, short)))
    said += _corrected(text, retractions)
    # Of those that are as likely, the last first.
    said.reverse()
    said.sort(key=lambda one: (one.rank > 0, one.retractions, one.rank), reverse=True)
    return said


def _rank(found: Announced, short: str) -> int:
    if found.is_field:
        return 3
    if is_remark(short):
        return 0
    return 2 if found.is_final or is_figure(short) else 1


def _corrected(text: str, retractions: Sequence[int]) -> Iterator[_Said]:
    """Yield the figures that something "should be", behind a retraction."""
    behind = _SHOULD_BE.finditer(text, retractions[0] if retractions else len(text))
    for found in list(behind)[-_MOST_ANNOUNCED:]:
        short = tidy(sentence(text, found.end()))
        if is_figure(short):
            yield _Said(short, bisect(retractions, found.start()), 2)
