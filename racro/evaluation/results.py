"""The folder of a run: run.json says what was asked of whom, results.jsonl has a line an item.

A line is written when its item is done and never changed, so whatever kills the run loses the
items on their way and no other. A line without its end is one of those.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar, get_args

import msgspec

from racro.evaluation.failures import EvaluationError
from racro.evaluation.output_files import append_line, write_json

Condition = Literal["joint", "caption_only", "tentative_alone"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)

_RUN = "run.json"
_RESULTS = "results.jsonl"
# What makes two runs the same run; gateway, limit and labels may change between them. Another
# version of racro may grade otherwise.
_IDENTITY = ("sha256", "model", "racro")

T = TypeVar("T")


class System(msgspec.Struct, frozen=True):
    """A captioner or a reasoner, as the gateway names it."""

    model: str
    revision: str | None = None
    prompt_profile: str | None = None

    def __str__(self) -> str:
        details = filter(None, (self.revision, self.prompt_profile))
        return " ".join([self.model, *details])


class Graded(msgspec.Struct, frozen=True):
    answer: str
    right: bool


class Solved(Graded, frozen=True):
    """What a reasoner answered. Tokens by part (captioner, reasoner), milliseconds by stage."""

    text: str
    finish_reason: str | None
    usage: dict[str, dict[str, int]]
    timing_ms: dict[str, float]


class Result(msgspec.Struct, frozen=True):
    """Of one item. Without a tentative response, `joint` and `caption_only` are one answer.

    Where the reasoner saw the images itself there is no `captioner`, caption and cache are empty,
    and both are its answer, which counts as `joint`.
    """

    id: str
    category: str
    expected: str
    caption: str
    tentative: str | None
    truncated: tuple[str, ...]
    cache: str
    captioner: System | None
    reasoner: System
    joint: Solved
    caption_only: Solved
    tentative_alone: Graded | None

    def right(self, condition: Condition) -> bool | None:
        """None: it was not answered under that condition."""
        if self.captioner is None and condition == "caption_only":
            return None
        graded: Graded | None = getattr(self, condition)
        return None if graded is None else graded.right


class Run(msgspec.Struct, frozen=True):
    """`problems` is how many were asked for, at most; `left_out` are those that cannot be, as
    (row, reason); `failed` those without an answer yet, by id the code of why.

    `captioner` and `reasoner` are known with the first answer; there is no captioner where the
    reasoner saw the images itself. Labels stand for their names in a
    matrix.
    """

    data: str
    sha256: str
    gateway: str
    model: str
    problems: int
    left_out: tuple[tuple[str, str], ...]
    racro: str
    benchmark: str | None = None
    label_captioner: str | None = None
    label_reasoner: str | None = None
    captioner: System | None = None
    reasoner: System | None = None
    failed: dict[str, str] = {}


class RunFolder:
    """One that is being written; `results` are those that it has, by id."""

    def __init__(self, path: Path, run: Run, results: dict[str, Result], lines: int) -> None:
        self.path = path
        self.run = run
        self.results = results
        self._lines = lines

    @classmethod
    @contextmanager
    def opened(cls, path: Path, run: Run) -> Iterator["RunFolder"]:
        """New, or going on where the same run stopped. Raises EvaluationError for another run's."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            lines = os.open(path / _RESULTS, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise EvaluationError(f"{path} cannot be written: {error.strerror}") from error
        try:
            _lock(lines, path)
            run = _continued(path, run)
            _drop_half_a_line(lines, path / _RESULTS)
            folder = cls(path, run, _read_results(path), lines)
            folder._write_run()
            yield folder
        finally:
            os.close(lines)

    def add(self, result: Result) -> None:
        """Raises EvaluationError if another captioner or reasoner answered than before."""
        self._check_systems(result)
        line = msgspec.json.encode(result) + b"\n"
        try:
            append_line(self._lines, line)
        except OSError as error:
            raise EvaluationError(
                f"{self.path / _RESULTS} cannot be written: {error.strerror}; what is in it stays"
            ) from error
        self.results[result.id] = result

    def note_failed(self, codes: Mapping[str, str]) -> None:
        """Beside those of before that still have no answer. Raises EvaluationError."""
        failed = {**self.run.failed, **codes}
        without_answer = {item: code for item, code in failed.items() if item not in self.results}
        self.run = msgspec.structs.replace(self.run, failed=without_answer)
        self._write_run()

    def _check_systems(self, result: Result) -> None:
        if self.run.reasoner is None:
            self.run = msgspec.structs.replace(
                self.run, captioner=result.captioner, reasoner=result.reasoner
            )
            self._write_run()
        for name in ("captioner", "reasoner"):
            known, now = getattr(self.run, name), getattr(result, name)
            if known != now:
                before, after = known or "none", now or "none"
                raise EvaluationError(
                    f"{self.path} holds answers of the {name} {before}, and now {after} answers: "
                    "one run is of one system; give another --output"
                )

    def _write_run(self) -> None:
        write_json(self.path / _RUN, self.run)


def read_folder(path: Path) -> tuple[Run, dict[str, Result]]:
    """A run's folder, to be looked at. Raises EvaluationError."""
    if not (path / _RUN).is_file():
        raise EvaluationError(f"{path} holds no run: there is no {_RUN} in it")
    return _read_run(path), _read_results(path)


def _read_run(path: Path) -> Run:
    return _decoded((path / _RUN).read_bytes(), Run, str(path / _RUN))


def _read_results(path: Path) -> dict[str, Result]:
    whole_lines = (path / _RESULTS).read_bytes().split(b"\n")[:-1]
    results = (
        _decoded(line, Result, f"{path / _RESULTS}, line {number}")
        for number, line in enumerate(whole_lines, 1)
    )
    return {result.id: result for result in results}


def _decoded(data: bytes, wanted: type[T], place: str) -> T:
    try:
        return msgspec.json.decode(data, type=wanted)
    except msgspec.MsgspecError as error:
        raise EvaluationError(f"{place} is not of this version or damaged: {error}") from error


def refuse_another_run(path: Path, run: Run) -> None:
    """Raises EvaluationError where `path` holds answers to anything but `run`."""
    if (path / _RUN).is_file():
        _refuse_another_identity(path, _read_run(path), run)
    elif (path / _RESULTS).is_file() and (path / _RESULTS).stat().st_size:
        raise EvaluationError(
            f"{path} holds a {_RESULTS} without a {_RUN}, which no run of `racro eval` leaves; "
            "give another --output"
        )


def _refuse_another_identity(path: Path, before: Run, run: Run) -> None:
    known = {name: getattr(before, name) for name in _IDENTITY}
    asked = {name: getattr(run, name) for name in _IDENTITY}
    if known != asked:
        raise EvaluationError(
            f"{path} holds another run: {_told(before.data, known)}, not {_told(run.data, asked)}; "
            "give another --output"
        )


def _continued(path: Path, run: Run) -> Run:
    """`run`, with what the one in `path` knows: the systems it met, more problems than these."""
    refuse_another_run(path, run)
    if not (path / _RUN).is_file():
        return run
    before = _read_run(path)
    wider = max(run, before, key=lambda one: one.problems)
    return msgspec.structs.replace(
        run,
        problems=wider.problems,
        left_out=wider.left_out,
        captioner=before.captioner,
        reasoner=before.reasoner,
        failed=before.failed,
    )


def _told(data: str, identity: Mapping[str, str]) -> str:
    return (
        f"{data} (SHA-256 {identity['sha256'][:12]}…) with model {identity['model']}, "
        f"racro {identity['racro']}"
    )


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise EvaluationError(f"another run is writing to {path}") from error
    except OSError as error:
        raise EvaluationError(f"{path} cannot be locked: {error.strerror}") from error


def _drop_half_a_line(file: int, path: Path) -> None:
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    os.ftruncate(file, len(whole) + 1 if whole else 0)
