"""`racro up`: the embedded default, or models of one's own behind it, until Ctrl-C."""

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import combinations
from typing import Annotated

import typer

from racro.cli.examples import EXAMPLES
from racro.cli.output import command_line, fail, say, working
from racro.cli.own import BadOptionError, NotUsableError, OwnModels, own_services
from racro.cli.running import running
from racro.cli.stack import (
    EmbeddedCaptioner,
    Ports,
    PortTakenError,
    Service,
    StackError,
)

app = command_line()

_OPTIONS = {"gateway": "--port", "captioner": "--captioner-port", "reasoner": "--reasoner-port"}
_SNIPPETS = """\
# From a shell:
curl -s {url}/v1/solve -F image=@{image} -F question='What is the total on the receipt?'

# From Python, with the OpenAI SDK (pip install openai):
import base64
from openai import OpenAI

client = OpenAI(base_url="{url}/v1", api_key="none")
receipt = base64.b64encode(open("{image}", "rb").read()).decode()

answer = client.chat.completions.create(
    model="default",
    messages=[
        {{
            "role": "user",
            "content": [
                {{"type": "text", "text": "What is the total?"}},
                {{"type": "image_url", "image_url": {{"url": f"data:image/png;base64,{{receipt}}"}}}},
            ],
        }}
    ],
)
print(answer.choices[0].message.content)
"""  # noqa: E501 - as in README.md


def _port(whose: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(min=1, max=65535, help=f"Port of the {whose}.")
    return option


@app.command()
def up(
    *,
    port: Annotated[int, _port("gateway")] = 8000,
    captioner_port: Annotated[int, _port("captioner")] = 8001,
    reasoner_port: Annotated[int, _port("reasoner")] = 8002,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="Choose ports that are free.")
    ] = False,
    captioner: Annotated[
        EmbeddedCaptioner | None,
        typer.Option(
            help="What captions: OCR (the default), or the small model that learnt from drawings."
        ),
    ] = None,
    reasoner_url: Annotated[
        str | None, typer.Option(help="A server of your own to reason: vLLM, Ollama, a cloud …")
    ] = None,
    reasoner_model: Annotated[
        str | None, typer.Option(help="Its model, where it lists several.")
    ] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds its API key.")
    ] = None,
    captioner_url: Annotated[
        str | None,
        typer.Option(help="A server of a vision-language model, or a RACRO captioner."),
    ] = None,
    captioner_model: Annotated[
        str | None, typer.Option(help="Its model; without its URL one of the reasoner's server.")
    ] = None,
    captioner_api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the captioner's API key.")
    ] = None,
) -> None:
    """Run captioner, reasoner and gateway on this machine until Ctrl-C."""
    own = OwnModels(
        reasoner_url, reasoner_model, api_key_env,
        captioner_url, captioner_model, captioner_api_key_env,
    )  # fmt: skip
    _check(own, captioner)
    ports = Ports.free() if free_ports else _distinct(Ports(port, captioner_port, reasoner_port))
    try:
        _serve(_services(ports, own, captioner or "ocr"))
    except PortTakenError as error:
        option = _OPTIONS[error.service]
        fail(f"{error}: give the {error.service} another one with {option}, or use --free-ports")
    except (StackError, NotUsableError) as error:
        fail(error)
    except KeyboardInterrupt:
        say("ended")


def _check(own: OwnModels, captioner: EmbeddedCaptioner | None) -> None:
    """Leave with 2 for options that cannot be together."""
    if own.captions and captioner:
        raise typer.BadParameter("--captioner is in place of --captioner-url, --captioner-model")
    try:
        own.check()
    except BadOptionError as error:
        raise typer.BadParameter(str(error)) from error


def _services(ports: Ports, own: OwnModels, captioner: EmbeddedCaptioner) -> Sequence[Service]:
    servers = [url for url in (own.reasoner_url, own.captioner_url) if url]
    with working(f"asking {', '.join(servers)}") if servers else nullcontext():
        services, found = asyncio.run(own_services(ports, own, captioner))
    for line in found:
        say(f"✓ {line}", style="green")
    return services


def _distinct(ports: Ports) -> Ports:
    for one, other in combinations(_OPTIONS, 2):
        if (port := getattr(ports, one)) == getattr(ports, other):
            fail(f"{_OPTIONS[one]} and {_OPTIONS[other]} are both {port}: each needs its own")
    return ports


def _serve(services: Sequence[Service]) -> None:
    with running("up", services) as stack:
        say(f"\nOpen {stack.url}/", style="bold")
        say(f"RACRO serves at {stack.url}  (Ctrl-C ends it)\n")
        image = os.path.relpath(EXAMPLES / "receipt.png")
        say(_SNIPPETS.format(url=stack.url, image=image))
        while True:
            time.sleep(1)
            stack.check()
