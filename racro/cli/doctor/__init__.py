"""`racro doctor`: whether everything that an answer needs is there, and what to do where not."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gateway.settings import GatewaySettings
from racro.cli.doctor.all_checks import Checks
from racro.cli.doctor.check_report import Report
from racro.cli.doctor.example import Example
from racro.cli.doctor.settings import read_settings
from racro.cli.options import GatewayKey
from racro.cli.output import command_line, spinner
from racro.cli.probing import Probe
from racro.contracts.client import DEFAULT_URL, ClientError, gateway_url
from racro.servekit.settings import CONFIG_VARIABLE

app = command_line()

_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


@app.command()
def doctor(
    *,
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG",
            help="The gateway's YAML; without, a running gateway is asked.",
            envvar=CONFIG_VARIABLE,
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    gateway: Annotated[
        str | None, typer.Option(help="The running gateway's URL, with or without /v1.")
    ] = None,
    key: GatewayKey = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Longest time of a check, in seconds.")
    ] = 10,
    answer_timeout: Annotated[
        float, typer.Option(min=0.1, help="Longest time of a caption or an answer, in seconds.")
    ] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Check a gateway and all that is behind it, and say what to do."""
    report = Report(as_json=as_json)
    settings = None
    if config is not None:
        settings, findings = read_settings(config)
        report.add(findings)
        if settings is None:
            report.end()
    url = _gateway_url(gateway, settings)
    with spinner("checking"):
        asyncio.run(_run(report, settings, url, key, timeout, answer_timeout))
    report.end()


def _gateway_url(given: str | None, settings: GatewaySettings | None) -> str:
    """Where the gateway is, or would be."""
    if given is None and settings is not None:
        host = _EVERY_ADDRESS.get(settings.host, settings.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    try:
        return gateway_url(given or DEFAULT_URL)
    except ClientError as error:
        raise typer.BadParameter(str(error)) from error


async def _run(
    report: Report,
    settings: GatewaySettings | None,
    url: str,
    key: str | None,
    timeout_s: float,
    answer_timeout_s: float,
) -> None:
    async with Probe(timeout_s) as probe:
        checks = Checks(report, probe, Example(probe, answer_timeout_s), url, key)
        if settings is None:
            await checks.of_gateway()
        else:
            await checks.of_settings(settings)
