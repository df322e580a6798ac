"""Captioners by reasoners: a matrix for each set of problems, over the items its runs share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import Struct

from racro.evaluation.failures import EvaluationError
from racro.evaluation.markdown import table
from racro.evaluation.output_files import write_json, write_text
from racro.evaluation.results import Condition, Result, Run, System, read_folder
from racro.evaluation.scores import percent, score
from racro.evaluation.statistics import Estimate

ALONE = "captioner alone"
# The row of reasoners that saw the images themselves.
NO_CAPTIONER = System("none")


@dataclass(frozen=True)
class Entry:
    """A run that has answers; `folder` names it in messages."""

    folder: Path
    run: Run
    results: dict[str, Result]

    @property
    def captioner(self) -> System:
        return self._any().captioner or NO_CAPTIONER

    @property
    def reasoner(self) -> System:
        return self._any().reasoner

    def _any(self) -> Result:
        return next(iter(self.results.values()))


class Matrix(Struct, frozen=True, rename={"condition": "way"}):  # as in matrix.json since 0.1
    """`cells` by captioner and reasoner, `alone` by captioner; `n` items that all runs have,
    `left_out` others.
    """

    data: str
    sha256: str
    condition: Condition
    n: int
    left_out: int
    cells: dict[str, dict[str, Estimate | None]]
    alone: dict[str, Estimate | None]

    @property
    def reasoners(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.cells.values() for name in row))

    def estimates(self) -> list[list[Estimate | None]]:
        """A row for each captioner: alone, then with each reasoner."""
        return [
            [self.alone[captioner], *(row.get(reasoner) for reasoner in self.reasoners)]
            for captioner, row in self.cells.items()
        ]

    def markdown(self) -> str:
        rows = zip(self.cells, self.estimates(), strict=True)
        grid = table(
            ["captioner", ALONE, *self.reasoners],
            [[captioner, *map(percent, row)] for captioner, row in rows],
        )
        return (
            f"## {self.data}, {self.condition.replace('_', ' ')}\n\n{grid}\n\n"
            f"Accuracy in percent (95% interval) over the {self.n} items that all runs have; "
            f"{self.left_out} left out. SHA-256 of the data: {self.sha256}.\n"
        )


def write_matrices(folders: Sequence[Path], output: Path, condition: Condition) -> list[Matrix]:
    """matrix.md, matrix.json, and a picture for each set of problems. Raises EvaluationError."""
    entries = [read_entry(folder) for folder in folders]
    matrices = matrices_of(entries, condition)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvaluationError(f"{output} cannot be written: {error.strerror}") from error
    write_text(output / "matrix.md", "\n".join(matrix.markdown() for matrix in matrices))
    write_json(output / "matrix.json", matrices)
    for matrix in matrices:
        name = f"matrix-{Path(matrix.data).stem}-{matrix.sha256[:8]}.png"
        _draw(matrix, output / name)
    return matrices


def matrices_of(entries: Iterable[Entry], condition: Condition) -> list[Matrix]:
    """Raises EvaluationError where two runs want the same cell, or runs share no item."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.run.sha256, []).append(entry)
    return [_matrix(group, condition) for group in groups.values()]


def read_entry(folder: Path) -> Entry:
    """Raises EvaluationError."""
    run, results = read_folder(folder)
    if not results:
        raise EvaluationError(f"{folder} has no answers yet")
    return Entry(folder, run, results)


def _matrix(entries: Sequence[Entry], condition: Condition) -> Matrix:
    held = [set(entry.results) for entry in entries]
    common = set.intersection(*held)
    if not common:
        folders = ", ".join(str(entry.folder) for entry in entries)
        raise EvaluationError(f"{folders}: no item is in all of them")
    captioners = _names([(one.captioner, one.run.label_captioner) for one in entries])
    reasoners = _names([(one.reasoner, one.run.label_reasoner) for one in entries])
    cells: dict[str, dict[str, Estimate | None]] = {}
    alone: dict[str, Estimate | None] = {}
    for entry, captioner, reasoner in zip(entries, captioners, reasoners, strict=True):
        results = [entry.results[item] for item in common]
        row = cells.setdefault(captioner, {})
        if reasoner in row:
            raise EvaluationError(
                f"{entry.folder}: another run is {captioner} with {reasoner} too; give one of them "
                "--label-captioner or --label-reasoner"
            )
        row[reasoner] = score(results, condition)
        alone[captioner] = alone.get(captioner) or score(results, "tentative_alone")
    return Matrix(
        data=entries[0].run.data,
        sha256=entries[0].run.sha256,
        condition=condition,
        n=len(common),
        left_out=len(set.union(*held) - common),
        cells=cells,
        alone=alone,
    )


def _names(systems: Sequence[tuple[System, str | None]]) -> list[str]:
    """Labels, else models; with their revision where a model has several among these."""
    models = [system.model for system in {system for system, label in systems if label is None}]

    def name(system: System) -> str:
        several = models.count(system.model) > 1
        return f"{system.model}@{system.revision}" if several and system.revision else system.model

    return [label or name(system) for system, label in systems]


def _draw(matrix: Matrix, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - half a second
    from matplotlib.figure import Figure  # noqa: PLC0415

    columns, rows = [ALONE, *matrix.reasoners], list(matrix.cells)
    estimates = matrix.estimates()
    shares = [[100 * one.value if one else float("nan") for one in row] for row in estimates]
    figure = Figure(figsize=(2.5 + 1.9 * len(columns), 1.6 + 0.8 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot()
    picture = axes.imshow(shares, vmin=0, vmax=100, cmap="Blues", aspect="auto")
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    for y, row in enumerate(estimates):
        for x, estimate in enumerate(row):
            dark = estimate is not None and estimate.value > 0.6  # noqa: PLR2004 - of Blues
            text = percent(estimate).replace(" (", "\n(")
            axes.text(x, y, text, ha="center", va="center", color="white" if dark else "black")
    axes.set_title(f"{matrix.data}, {matrix.condition.replace('_', ' ')}, n = {matrix.n}")
    figure.colorbar(picture, label="right, %")
    figure.savefig(path, dpi=120)
