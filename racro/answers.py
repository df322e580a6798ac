r"""The final answer out of a reasoner's text: `\boxed{…}`, an option letter, else the last line."""

import re

_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_LATEX_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_ANSWER_LINE = re.compile(
    r"(?:final\s+answer|answer|choice|option)\s*(?:is|=|:)\s*:?\s*\**\s*(?P<value>[^\n]+)",
    re.IGNORECASE,
)
_OPTION = re.compile(r"^\(?([A-H])\)?(?:[.:)]|$)")
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


def _last_boxed(text: str) -> str | None:
    """Content of the last box that is closed, its braces balanced."""
    for match in reversed(list(_BOXED.finditer(text))):
        depth = 1
        for position in range(match.end(), len(text)):
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            if depth == 0:
                return text[match.end() : position]
    return None


def _tidy(value: str) -> str:
    value = _LATEX_TEXT.sub(r"\1", value).strip()
    value = value.strip("*`$ ").rstrip(".").strip("*`$ ")
    option = _OPTION.match(value)
    return option[1] if option and len(value) <= len("(A).") else value


def final_answer(text: str) -> str:
    r"""The short answer that `text` ends in; empty only if the text is.

    In order: the last closed `\boxed{…}`; what follows the last "answer is"; an option letter that
    opens the last line, or the value that closes it; else that line.
    """
    _, visible = split_reasoning(text)
    boxed = _last_boxed(visible)
    if boxed is not None and boxed.strip():
        return _tidy(boxed)
    lines = [line.strip() for line in visible.splitlines() if line.strip()]
    if not lines:
        return ""
    announced = list(_ANSWER_LINE.finditer(visible))
    last = announced[-1]["value"] if announced else lines[-1]
    if option := _OPTION.match(last.strip("* ")):
        return option[1]
    if value := _LAST_VALUE.search(last):
        return _tidy(value[1])
    return _tidy(last)
