"""What was measured, as a table and as JSON."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

_STYLES = {"ok": "green", "over": "red", "": ""}


@dataclass(frozen=True)
class Row:
    """One figure. A row without a target is there to be read beside those that have one."""

    benchmark: str
    name: str
    measured: float
    unit: str
    target: float | None = None

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "ok" if self.measured <= self.target else "over"


def show(console: Console, rows: Sequence[Row]) -> None:
    table = Table("benchmark", "name", "measured", "unit", "target", "")
    for column in (2, 4):
        table.columns[column].justify = "right"
    for row in rows:
        target = "" if row.target is None else f"≤ {row.target:g}"
        table.add_row(
            row.benchmark,
            row.name,
            _readable(row.measured),
            row.unit,
            target,
            row.verdict,
            style=_STYLES[row.verdict],
        )
    console.print(table)


def save(path: Path, rows: Sequence[Row], failed: Sequence[str]) -> None:
    document = {
        "machine": machine(),
        "rows": [{**asdict(row), "verdict": row.verdict} for row in rows],
        "failed": list(failed),
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


def machine() -> dict[str, str | int]:
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def machine_line() -> str:
    about = machine()
    return "{cpu}, {cores} cores, Python {python}, {date}".format(**about)


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "unknown CPU")


def _readable(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
