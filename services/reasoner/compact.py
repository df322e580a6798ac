r"""Makes the visible text of an answer under compact-v1, whose `\boxed{…}` is not shown.

The weights end an answer with a box that may hold a formula. What is shown instead is a line
"Answer: …" with its result, so that clients of every dialect get what `/v1/solve` answers.
"""

from racro.answers.extract import answer_line, compact_answer

_BOX = "\\boxed"


class CompactText:
    r"""Takes an answer piece by piece and holds it back from its first `\boxed` on."""

    def __init__(self) -> None:
        self._held: list[str] = []
        self._holds_only_space = True
        self._in_box = False
        self._said_something = False

    def add(self, piece: str) -> str:
        """Return what may be shown now: all but a box, or its beginning, and white space before."""
        if self._in_box or (piece.isspace() and self._holds_only_space):
            # Without a search: what is held may be long, and is held for many pieces.
            self._held.append(piece)
            return ""
        text = "".join([*self._held, piece])
        end = _end_of_visible(text)
        held = text[end:]
        self._held, self._holds_only_space = [held], not held or held.isspace()
        self._in_box = _BOX in held
        self._said_something = self._said_something or end > 0
        return text[:end]

    def end(self, *, broken_off: bool) -> str:
        """Return what remains to be shown: the line with what the box comes to.

        An answer that was `broken_off`, or ends within its box, is a refusal; one without a box
        stays what it is.
        """
        held = "".join(self._held)
        if not (broken_off or held.strip()):
            return held
        line = answer_line(compact_answer(held))
        return f"\n{line}" if self._said_something else line.lstrip()


def _end_of_visible(text: str) -> int:
    end = text.find(_BOX)
    if end < 0:
        end = len(text)
        # The last backslash may be the beginning of a box that has not come yet.
        last = text.rfind("\\")
        if last >= 0 and _BOX.startswith(text[last:]):
            end = last
    return len(text[:end].rstrip())
