"""Training problems that an evaluation would ask again are dropped, by two rules: an image of the
problem is one of the evaluation's, or its question is, if it is long enough to be no template.
"""

import hashlib
import re
from collections.abc import Iterable

from racro.problems.perceptual_hash import PerceptualHash
from racro.problems.problem import InvalidProblem, LeftOut, Problem, Reading, image_bytes

# "What is the value of x in the triangle?" is asked of many triangles. Thirteen words in a row are
# what GPT-3's authors took for contamination (arXiv 2005.14165, appendix C).
_LEAST_WORDS = 13
# Chinese and Japanese put no spaces between words: each character counts as one.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
_REFERENCE = re.compile(r"\[image \d+\]")
_HEADINGS = {"question", "options", "choices"}


def decontaminated(problems: Iterable[Problem], against: Iterable[Problem]) -> Reading:
    """What of `problems` neither shows nor asks what `against` does; the others with the reason.

    Raises InvalidProblem, a ValueError, where an image of `against` cannot be decoded.
    """
    known = _EvaluationSet(against)
    reading = Reading()
    for problem in problems:
        if reason := known.reason(problem):
            reading.left_out.append(LeftOut(problem.id, reason))
        else:
            reading.problems.append(problem)
    return reading


class _EvaluationSet:
    """The evaluation's images and questions, and whose they are."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self._digests: dict[bytes, str] = {}
        self._hashes: list[tuple[PerceptualHash, str]] = []
        self._questions: dict[tuple[str, ...], str] = {}
        for problem in problems:
            self._questions.setdefault(_words(problem), problem.id)
            for data in map(image_bytes, problem.images):
                self._add_image(data, problem.id)

    def _add_image(self, data: bytes, name: str) -> None:
        if (digest := _digest(data)) in self._digests:
            return
        self._digests[digest] = name
        try:
            self._hashes.append((PerceptualHash.of(data), name))
        except InvalidProblem as error:
            raise InvalidProblem(f"an image of evaluation problem {name}: {error}") from error

    def reason(self, problem: Problem) -> str | None:
        words = _words(problem)
        if len(words) >= _LEAST_WORDS and (name := self._questions.get(words)):
            return f"its question is that of evaluation problem {name}"
        for number, data in enumerate(map(image_bytes, problem.images), 1):
            if reason := self._image_reason(data):
                return f"image {number}: {reason}"
        return None

    def _image_reason(self, data: bytes) -> str | None:
        if name := self._digests.get(_digest(data)):
            return f"it is that of evaluation problem {name}"
        try:
            found = PerceptualHash.of(data)
        except InvalidProblem as error:
            return str(error)
        alike = (name for other, name in self._hashes if found.matches(other))
        name = next(alike, None)
        return name and f"it looks like that of evaluation problem {name}"


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _words(problem: Problem) -> tuple[str, ...]:
    """Of the question and its options, wherever these are written."""
    words = _WORD.findall(_REFERENCE.sub(" ", problem.prompt).casefold())
    return tuple(word for word in words if word not in _HEADINGS)
