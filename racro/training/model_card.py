"""What a training leaves to read: its curve and a model card."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

_Points = list[tuple[int, float]]

_CARD = """\
---
base_model: {base}
library_name: {library}
tags: [racro, {method}, trl]
---

# {name}

A captioner trained with RACRO's {title}, from `{base}` (`{digest}`). It takes the prompts of the
profile racro-v1 (arXiv 2506.04559): images and a question in, a caption for that question out.

- `final/`: {steps} steps{last}
- `best/`: {best}

![{metric} against steps]({metric}.png)

## Data

{data}
{rows}

## Settings

Processes: {processes}.

```json
{settings}
```

## Versions

{versions}
"""
_TITLES = {
    "sft": "supervised fine-tuning",
    "cro": "Caption Reward Optimization: GRPO on the success of a reasoner that sees captions only",
}


def write_report(
    folder: Path, record: Mapping[str, Any], history: Sequence[Mapping[str, Any]], *, metric: str
) -> None:
    """`<metric>.png` and README.md out of what was logged."""
    train, heldout = _points(history, metric), _points(history, f"eval_{metric}")
    _curve(train, heldout, metric).savefig(folder / f"{metric}.png", dpi=120)
    card = _card(folder, record, train, heldout, metric=metric)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _points(history: Sequence[Mapping[str, Any]], name: str) -> _Points:
    return [(entry["step"], entry[name]) for entry in history if entry.get(name) is not None]


def _curve(train: _Points, heldout: _Points, metric: str) -> Figure:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for label, points, style in (("train", train, "-"), ("held out", heldout, "o--")):
        if points:
            axes.plot(*zip(*points, strict=True), style, label=label)
    axes.set(xlabel="step", ylabel=metric)
    axes.legend()
    return figure


def _card(
    folder: Path, record: Mapping[str, Any], train: _Points, heldout: _Points, *, metric: str
) -> str:
    settings, rows = record["settings"], record["rows"]
    select = max if metric == "reward" else min
    best = select(heldout, key=lambda point: point[1], default=None)
    return _CARD.format(
        name=folder.resolve().name,
        base=record["base"]["path"],
        digest=record["base"]["digest"],
        library="peft" if settings["lora"] or settings["model"]["adapter"] else "transformers",
        method=record["method"],
        title=_TITLES[record["method"]],
        metric=metric,
        steps=train[-1][0] if train else 0,
        last=f", {metric} {train[-1][1]:.4g} on the last rows trained on" if train else "",
        best=f"step {best[0]}, held-out {metric} {best[1]:.4g}" if best else "nothing was held out",
        data="\n".join(_file(path, digest, settings) for path, digest in record["data"].items()),
        rows=f"\n{rows['train']} rows to train on, {rows['heldout']} held out.",
        processes=record["processes"],
        settings=json.dumps(settings, indent=2),
        versions=", ".join(f"{name} {version}" for name, version in record["versions"].items()),
    )


def _file(path: str, digest: str, settings: Mapping[str, Any]) -> str:
    is_evaluation = path in settings["data"]["against"]
    note = ": an evaluation, what it shows or asks was left out" if is_evaluation else ""
    return f"- `{path}`, sha256 {digest}{note}"
