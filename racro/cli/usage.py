"""`racro usage`: what each tenant used, as the counters of gateways tell."""

import asyncio
import csv
import json
import re
import sys
from collections.abc import Coroutine, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from racro.cli.output import add_row, command_line, fail, new_table, note, say, show
from racro.cli.probing import Problem
from racro.cli.usage_counts import FIELDS, OTHERS, OUTCOMES, add_up, names_tenants
from racro.cli.usage_sources import Counted, read_gateways, read_prometheus
from racro.contracts.client import DEFAULT_URL

app = command_line()

_DURATION = re.compile(r"[1-9][0-9]{0,5}[smhdwy]")
_MATCHER = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]{0,99})=(.{0,200})")
_COUNTS = ("prompt_tokens", "completion_tokens", "images", "pages")


class Format(StrEnum):
    """How usage is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command()
def usage(
    *,
    gateway: Annotated[
        list[str] | None,
        typer.Option(help=f"A gateway's URL, may be given again; without, {DEFAULT_URL}."),
    ] = None,
    prometheus: Annotated[
        str | None, typer.Option(help="URL of a Prometheus that scrapes all gateways.")
    ] = None,
    since: Annotated[
        str, typer.Option(help="With --prometheus: the time up to now, such as 12h, 30d, 4w.")
    ] = "30d",
    match: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL=VALUE",
            help="With --prometheus: only series with this label; may be given again.",
        ),
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="table for people, csv or json for programs.")
    ] = Format.TABLE,
) -> None:
    """Show what each tenant used: requests, tokens, images."""
    if prometheus is None:
        counted = _run(read_gateways(gateway or [DEFAULT_URL]))
    elif gateway:
        raise typer.BadParameter("give --gateway or --prometheus")
    else:
        counted = _run(read_prometheus(prometheus, _duration(since), _matchers(match or [])))
    if not names_tenants(counted.samples):
        fail(
            f"{', '.join(counted.since)} tells no tenants apart: set metrics.max_tenants in the "
            "gateway's settings, beside tenants.keys_file"
        )
    rows = add_up(counted.samples)
    _PRINT[output](rows, counted.since)
    if any(row["tenant"] == OTHERS for row in rows):
        note(
            f"{OTHERS}: tenants over metrics.max_tenants; each gateway names those that came to it "
            "first, so what is told of a tenant may be less than it used"
        )


def _run(work: Coroutine[Any, Any, Counted]) -> Counted:
    try:
        return asyncio.run(work)
    except Problem as problem:
        fail(problem)


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise typer.BadParameter(f"--since {text}: a number and s, m, h, d, w or y, such as 30d")
    return text


def _matchers(texts: Sequence[str]) -> dict[str, str]:
    found = [(_MATCHER.fullmatch(text), text) for text in texts]
    for matched, text in found:
        if matched is None:
            raise typer.BadParameter(f"--match {text}: LABEL=VALUE, such as namespace=racro")
    return {matched[1]: matched[2] for matched, _ in found if matched is not None}


def _since_lines(since: dict[str, str]) -> list[str]:
    """Return in words since when was counted."""
    return [
        f"in the last {when}, as far back as {url} keeps samples"
        if _DURATION.fullmatch(when)
        else f"since {when}, by {url}"
        for url, when in since.items()
    ]


def _print_table(rows: list[dict[str, Any]], since: dict[str, str]) -> None:
    outcomes = [name for name in OUTCOMES if any(row[name] for row in rows)]
    table = new_table(
        "tenant", "model", "requests", *outcomes, *(name.replace("_", " ") for name in _COUNTS)
    )
    for row in rows:
        is_captioner = row["stage"] == "captioner"
        requests = ["–" if is_captioner else row[name] for name in ("requests", *outcomes)]
        of_captioner = [row[name] if is_captioner else "–" for name in ("images", "pages")]
        model = "captioner" if is_captioner else row["model"]
        tokens = row["prompt_tokens"], row["completion_tokens"]
        add_row(table, row["tenant"] or "–", model, *requests, *tokens, *of_captioner)
    if rows:
        show(table)
    else:
        say("nothing was used")
    for line in _since_lines(since):
        say(line)


def _print_csv(rows: list[dict[str, Any]], since: dict[str, str]) -> None:
    writer = csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    for line in _since_lines(since):
        note(line)


def _print_json(rows: list[dict[str, Any]], since: dict[str, str]) -> None:
    sys.stdout.write(json.dumps({"since": since, "usage": rows}, indent=2) + "\n")


_PRINT = {Format.TABLE: _print_table, Format.CSV: _print_csv, Format.JSON: _print_json}
