"""What checks find, and how it is told."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, NoReturn

import typer

from racro.cli.output import say
from racro.cli.probing import Problem

Status = Literal["ok", "failed", "skipped"]
_MARKS: dict[Status, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("–", "dim"),
}


@dataclass(frozen=True)
class Finding:
    """What one check found. `advice` is what to do about it; a check that could not be made, or
    need not be, is `skipped`, and no fault.
    """

    check: str
    status: Status
    message: str
    advice: str = ""


def good(check: str, message: str) -> Finding:
    return Finding(check, "ok", message)


def bad(check: str, message: str, advice: str = "") -> Finding:
    return Finding(check, "failed", message, advice)


def skipped(check: str, message: str, advice: str = "") -> Finding:
    return Finding(check, "skipped", message, advice)


def bad_because(check: str, problem: Problem, advice: str = "") -> Finding:
    """A problem as a finding; `advice` where it has none of its own."""
    return bad(check, problem.message, problem.advice or advice)


class Report:
    """Prints findings as they come or, as JSON, at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._findings: list[Finding] = []

    @property
    def is_good(self) -> bool:
        return all(finding.status != "failed" for finding in self._findings)

    def add(self, findings: Iterable[Finding]) -> bool:
        """Whether none of these is a fault."""
        new = list(findings)
        self._findings += new
        if not self._as_json:
            for finding in new:
                _print(finding)
        return all(finding.status != "failed" for finding in new)

    def end(self) -> NoReturn:
        """Leave with 0 if everything is good, else with 1."""
        faults = sum(finding.status == "failed" for finding in self._findings)
        if self._as_json:
            told = {"ok": self.is_good, "checks": [asdict(one) for one in self._findings]}
            sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        else:
            say(f"{faults} finding{'s' * (faults != 1)}" if faults else "all good", style="bold")
        raise typer.Exit(int(faults > 0))


def _print(finding: Finding) -> None:
    mark, style = _MARKS[finding.status]
    say(f"{mark} {finding.check}: {finding.message}", style=style)
    if finding.advice:
        say(f"    → {finding.advice}")
