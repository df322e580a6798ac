r"""The final answer out of a reasoner's text: `\boxed{…}`, an option letter, else the last line."""

import re
from collections.abc import Iterator

from racro.answers.formulas import worked_out
from racro.contracts.prompts import NOT_TOLD, PROFILES, SolveProfile

# An answer stands at the end of a text; reading so many characters takes milliseconds of CPU.
_LONGEST_END = 8 * 2**10
_BOX = "\\boxed"
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BRACE = re.compile(r"[{}]")
_ANSWER_LINE = "\nAnswer: "
_LATEX_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_LATEX_ESCAPE = re.compile(r"\\([%$#&])")
_LATEX_MATH = re.compile(r"^\$(.*)\$$", re.DOTALL)
# Without the possessive quantifiers the time for a run of white space is cubic in its length.
_ANNOUNCED = re.compile(
    r"\b(?:answer|choice|option)\s*(?:is|=|:|(?:must|should|would|will)\s+be)\s*+:?+\s*+\**+\s*+"
    r"(?P<value>.+?)(?=\.\s+[A-Z]|$)",
    re.IGNORECASE | re.MULTILINE,
)
_OPTION = re.compile(
    r"^(?:(?i:option|choice)\s+)?\(?([A-H])\)?(?:[.:),]|$|\s+(?:because|since|as|for)\b)"
)
_NUMBER = r"[-+]?\$?\d[\d,]*(?:\.\d+)?(?:/\d+)?%?"
_LAST_VALUE = re.compile(rf"(?:=|\bis|\bare|\bwas|:)\s*\**({_NUMBER})\**\s*[.!]?$")


def split_reasoning(text: str) -> tuple[str | None, str]:
    """(reasoning, visible text) of a model that thinks aloud between `<think>` tags.

    Some chat templates open the tag in the prompt, so only its end is certain to appear.
    """
    head, end, tail = text.rpartition("</think>")
    if not end:
        return None, text
    return head.replace("<think>", "", 1).strip(), tail.strip()


def boxes(text: str) -> list[str]:
    """Contents of the boxes that are closed, their braces balanced."""
    return [text[start:end] for start, end in _box_spans(text)]


def _box_spans(text: str) -> list[tuple[int, int]]:
    """Where those contents begin and end, in order, found in one pass over `text`."""
    starts = {match.end() - 1 for match in _BOXED.finditer(text)}
    open_braces: list[int] = []
    found: list[tuple[int, int]] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            open_braces.append(brace.start())
        elif open_braces and (start := open_braces.pop()) in starts:
            found.append((start + 1, brace.start()))
    return sorted(found)


def _tidy(value: str) -> str:
    """Without the LaTeX and Markdown around it; an option by its letter alone."""
    value = _LATEX_TEXT.sub(r"\1", value).strip()
    value = value.strip("*` ").rstrip(".").strip("*` ")
    value = _LATEX_ESCAPE.sub(r"\1", _LATEX_MATH.sub(r"\1", value)).strip()
    option = _OPTION.match(value)
    return option[1] if option and option.end() == len(value) else value


def _value(line: str) -> str:
    """The option letter that opens a line, or the value that closes it, or all of it."""
    if option := _OPTION.match(line.strip("* ")):
        return option[1]
    closing = _LAST_VALUE.search(line)
    return _tidy(closing[1] if closing else line)


def solve_answer(profile: SolveProfile, text: str) -> str:
    """The short answer of a reasoner that was asked in `profile`.

    Where the profile boxes formulas, our reasoner service ends the text with a line "Answer: …".
    Another server of those weights leaves the box that they write, with the formula in it.
    """
    if not PROFILES[profile].boxes_formulas:
        return final_answer(text)
    _, announced, answer = f"\n{text}".rpartition(_ANSWER_LINE)
    if announced and _BOX not in text:
        return answer
    return worked_out(final_answer(text))


def compact_answer(boxed: str) -> str:
    """What the box at the end of a reasoner's text comes to under compact-v1: the result of its
    formula, or a refusal where it is missing or not closed.
    """
    boxed = boxed[-_LONGEST_END:]
    spans = _box_spans(boxed)
    if len(spans) < boxed.count(_BOX):
        return NOT_TOLD
    innermost = (
        boxed[start:end] for start, end in reversed(spans) if boxed.find(_BOX, start, end) < 0
    )
    answer = next(filter(None, map(_tidy, innermost)), NOT_TOLD)
    return " ".join(worked_out(answer).split())


def answer_line(answer: str) -> str:
    """How the text of a compact-v1 answer ends: `solve_answer` finds `answer` in it again."""
    return f"{_ANSWER_LINE}{answer}"


def final_answer(text: str) -> str:
    r"""The short answer that `text` ends in; empty only if there is nothing to read in it.

    The last of these that says something: a closed `\boxed{…}`; what follows an "answer is", up to
    the end of its sentence; a line. Of a long text its last 8 KiB are read.
    """
    _, visible = split_reasoning(text)
    visible = visible[-_LONGEST_END:]
    return next(filter(None, _candidates(visible)), visible.strip())


def _candidates(text: str) -> Iterator[str]:
    """What may be the answer, the likeliest first."""
    # From the last one on, so that of boxes within boxes only one is copied.
    for start, end in reversed(_box_spans(text)):
        yield _tidy(text[start:end])
    announced = [match["value"] for match in _ANNOUNCED.finditer(text)]
    for values in (announced, text.splitlines()):
        yield from map(_value, filter(_has_words, reversed(values)))


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)
