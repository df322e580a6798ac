"""`racro up`: the embedded default on this machine, until Ctrl-C."""

import os
import time
from collections.abc import Sequence
from itertools import combinations
from typing import Annotated

import typer

from racro.cli.examples import EXAMPLES
from racro.cli.output import command_line, fail, say
from racro.cli.running import running
from racro.cli.stack import (
    EmbeddedCaptioner,
    Ports,
    PortTakenError,
    Service,
    StackError,
    embedded_default,
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
    port: Annotated[int, _port("gateway")] = 8000,
    captioner_port: Annotated[int, _port("captioner")] = 8001,
    reasoner_port: Annotated[int, _port("reasoner")] = 8002,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="Choose ports that are free.")
    ] = False,
    captioner: Annotated[
        EmbeddedCaptioner,
        typer.Option(help="What captions: OCR, or the small model that learnt from drawings."),
    ] = "ocr",
) -> None:
    """Run captioner, reasoner and gateway on this machine until Ctrl-C."""
    ports = Ports.free() if free_ports else _distinct(Ports(port, captioner_port, reasoner_port))
    try:
        _serve(embedded_default(ports, captioner))
    except PortTakenError as error:
        option = _OPTIONS[error.service]
        fail(f"{error}: give the {error.service} another one with {option}, or use --free-ports")
    except StackError as error:
        fail(error)
    except KeyboardInterrupt:
        say("ended")


def _distinct(ports: Ports) -> Ports:
    for one, other in combinations(_OPTIONS, 2):
        if (port := getattr(ports, one)) == getattr(ports, other):
            fail(f"{_OPTIONS[one]} and {_OPTIONS[other]} are both {port}: each needs its own")
    return ports


def _serve(services: Sequence[Service]) -> None:
    with running("up", services) as stack:
        say(f"\nRACRO serves at {stack.url}  (Ctrl-C ends it)\n", style="bold")
        image = os.path.relpath(EXAMPLES / "receipt.png")
        say(_SNIPPETS.format(url=stack.url, image=image))
        while True:
            time.sleep(1)
            stack.check()
