"""Options that several commands have."""

from typing import Annotated

import typer

from racro.contracts.client import KEY_VARIABLE

GatewayUrl = Annotated[str, typer.Option(help="The gateway's URL, with or without /v1.")]
GatewayKey = Annotated[
    str | None,
    typer.Option(envvar=KEY_VARIABLE, help="API key, where the gateway has tenants."),
]
