"""`racro models`: what reasoners a gateway has."""

import json
import sys
from typing import Annotated

import typer

from racro.cli.options import GatewayKey, GatewayUrl
from racro.cli.output import add_row, command_line, fail, new_table, show
from racro.cli.solve_client import Gateway, SolveError
from racro.contracts.client import DEFAULT_URL

app = command_line()


@app.command()
def models(
    gateway: GatewayUrl = DEFAULT_URL,
    key: GatewayKey = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the gateway's answer and nothing else.")
    ] = False,
) -> None:
    """List the reasoners of a gateway, by the names to use as --model."""
    try:
        found = Gateway(gateway, key).models()
    except SolveError as error:
        fail(error)
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    table = new_table("model", "context tokens")
    for card in found["data"]:
        add_row(table, card["id"], card.get("context_tokens") or "–")
    show(table)
