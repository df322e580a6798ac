"""What is trained on and what is held out, read and checked before any model is loaded."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from racro.base.digests import file_digest
from racro.grading import Ungradable, is_right
from racro.problems import LeftOut, Problem, decontaminated, read_problems
from racro.problems.splits import split_of
from racro.training.captions import Example, read_captions
from racro.training.settings import Data
from racro.training.training_error import WrongData

T = TypeVar("T")
Rows = list[Example]
Reader = Callable[[Path], tuple[Rows, list[LeftOut]]]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """`left_out` names the file, too. `digests`: of each file by its path."""

    train: Rows
    heldout: Rows
    left_out: list[LeftOut]
    digests: Mapping[str, str]


def to_imitate(path: Path) -> tuple[Rows, list[LeftOut]]:
    return read_captions(path)


def to_explore(path: Path) -> tuple[Rows, list[LeftOut]]:
    """Problems, without a caption. What cannot be graded could never be rewarded."""
    reading = read_problems(path)
    rows: Rows = []
    left_out = list(reading.left_out)
    for problem in reading.problems:
        try:
            is_right(problem.answer, problem.answer, problem.options)
        except Ungradable as error:
            left_out.append(LeftOut(problem.id, str(error)))
        else:
            rows.append(Example(problem, None))
    return rows, left_out


def read_data(settings: Data, reader: Reader) -> TrainingData:
    """Raises WrongData."""
    left_out: list[LeftOut] = []
    asked = _evaluated(settings.against, left_out)
    train = _read("data.train", settings.train, reader, asked, left_out)
    heldout = _read("data.heldout", settings.heldout, reader, asked, left_out)
    if settings.heldout_share:
        train, heldout = _split(train, settings.heldout_share, settings.split_seed)
    if not train:
        raise WrongData(f"data.train: no row is left to train on{_examples(left_out)}")
    if not heldout and (settings.heldout or settings.heldout_share):
        raise WrongData("data.heldout: no row is held out")
    paths = (*settings.train, *settings.heldout, *settings.against)
    return TrainingData(
        train[: settings.limit],
        heldout[: settings.heldout_limit],
        left_out,
        {str(path): file_digest(path).hex() for path in paths},
    )


def _evaluated(paths: Sequence[Path], left_out: list[LeftOut]) -> list[Problem]:
    problems: list[Problem] = []
    for path in paths:
        reading = _named("data.against", path, read_problems)
        problems += reading.problems
        left_out += _of(path, reading.left_out)
    return problems


def _read(
    name: str,
    paths: Sequence[Path],
    reader: Reader,
    asked: Sequence[Problem],
    left_out: list[LeftOut],
) -> Rows:
    rows: Rows = []
    for path in paths:
        found, unfit = _named(name, path, reader)
        contaminated = _contaminated(found, asked)
        names = {row for row, _ in contaminated}
        rows += [row for row in found if row.problem.id not in names]
        left_out += _of(path, [*unfit, *contaminated])
    return rows


def _contaminated(rows: Rows, asked: Sequence[Problem]) -> list[LeftOut]:
    return decontaminated((row.problem for row in rows), asked).left_out if asked else []


def _named(name: str, path: Path, reader: Callable[[Path], T]) -> T:
    try:
        return reader(path)
    except (OSError, ValueError) as error:
        raise WrongData(f"{name}: {error}") from error


def _of(path: Path, left_out: Iterable[LeftOut]) -> list[LeftOut]:
    return [LeftOut(f"{path}: {row}", reason) for row, reason in left_out]


def _split(rows: Rows, heldout_share: float, seed: int) -> tuple[Rows, Rows]:
    """By their images: no image is on both sides."""
    shares = {"train": 1 - heldout_share, "heldout": heldout_share}
    parts: dict[str, Rows] = {name: [] for name in shares}
    for row in rows:
        parts[split_of(row.problem, shares, seed=seed)].append(row)
    return parts["train"], parts["heldout"]


def _examples(left_out: Sequence[LeftOut]) -> str:
    return "".join(f"; {row}: {reason}" for row, reason in left_out[:3])
