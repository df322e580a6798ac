r"""The final answer out of a reasoner's text: `\boxed{…}`, an option letter, else the last line."""

import re

_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BRACE = re.compile(r"[{}]")
_LATEX_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_ANSWER_LINE = re.compile(
    r"\b(?:answer|choice|option)\s*(?:is|=|:|(?:must|should|would|will)\s+be)\s*:?\s*\**\s*"
    r"(?P<value>[^\n]+)",
    re.IGNORECASE,
)
_OPTION = re.compile(r"^(?:(?i:option|choice)\s+)?\(?([A-H])\)?(?:[.:)]|$)")
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
    """Content of the last box that is closed, its braces balanced; in one pass over `text`."""
    boxes = {match.end() - 1 for match in _BOXED.finditer(text)}
    open_braces: list[int] = []
    last: tuple[int, int] | None = None
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            open_braces.append(brace.start())
        elif open_braces:
            start = open_braces.pop()
            if start in boxes and (last is None or start > last[0]):
                last = start, brace.start()
    return text[last[0] + 1 : last[1]] if last else None


def _tidy(value: str) -> str:
    value = _LATEX_TEXT.sub(r"\1", value).strip()
    value = value.strip("*`$ ").rstrip(".").strip("*`$ ")
    option = _OPTION.match(value)
    return option[1] if option and option.end() == len(value) else value


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
