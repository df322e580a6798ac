"""opencode as it is installed, without a terminal: `opencode run`, in each of three APIs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.agent_runs import exchanges, in_turns, run_agent
from support.client_table import Table
from support.pictures import png
from support.processes import Service
from support.recorder import Recorder
from support.scripted import Script, ScriptedServer
from support.tool_calls import chat_call, message_call, response_call

pytestmark = pytest.mark.long

CLIENT = "opencode 1.18.33"
ANSWER = ("The total is ", "71.30, and the sign says 27.")
MODEL = {
    "name": "RACRO",
    "attachment": True,
    "tool_call": True,
    # Without this it says itself that the model cannot see.
    "modalities": {"input": ["text", "image"], "output": ["text"]},
    "limit": {"context": 32768, "output": 4096},
}


@dataclass(frozen=True)
class Provider:
    """A package of the AI SDK that opencode has within, and the API that it speaks."""

    package: str
    path: str
    call: Callable[..., Script]
    total: str


PROVIDERS = {
    "chat": Provider("@ai-sdk/openai-compatible", "/v1/chat/completions", chat_call, "71.30"),
    "responses": Provider("@ai-sdk/openai", "/v1/responses", response_call, "72.60"),
    "messages": Provider("@ai-sdk/anthropic", "/v1/messages", message_call, "73.90"),
}


@pytest.fixture(params=PROVIDERS.values(), ids=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Provider:
    return request.param


@pytest.fixture
def opencode(
    client_environment: dict[str, str], clients_node: Path, home: Path, project: Path,
    recorder: Recorder, provider: Provider,
) -> Callable[..., str]:  # fmt: skip
    """Runs it and returns what it prints."""
    folder = clients_node / "more-agents/node_modules/opencode-linux-x64-baseline/bin"
    options = {"baseURL": f"{recorder.url}/v1", "apiKey": "{env:RACRO_API_KEY}"}
    racro = {"npm": provider.package, "options": options, "models": {"default": MODEL}}
    settings = {"model": "racro/default", "provider": {"racro": racro}}
    file = home / ".config/opencode/opencode.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(settings | {"autoupdate": False, "share": "disabled"}))
    names = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD")
    quiet = {f"OPENCODE_DISABLE_{name}": "1" for name in names}
    env = client_environment | quiet | {"RACRO_API_KEY": "none"}

    def run(*arguments: str) -> str:
        command = [folder / "opencode", "run", *arguments]
        return run_agent(command, folder=project, env=env)

    return run


def perceived(captioner: Service) -> float:
    samples = captioner.metrics().items()
    return sum(n for name, n in samples if "requests_total" in name and "/v1/perceive" in name)


def test_a_file_and_a_picture_that_its_tool_reads(
    opencode: Callable[..., str], provider: Provider, project: Path, recorder: Recorder,
    reasoner: ScriptedServer, ocr_captioner: Service, table: Table,
) -> None:  # fmt: skip
    """It sends the picture twice, for a title too; one call to the captioner does for both."""
    (project / "bill.png").write_bytes(png(f"Total {provider.total}"))
    (project / "sign.png").write_bytes(png(f"Gate {provider.total}"))
    call = provider.call("read", {"filePath": str(project / "sign.png")})
    reasoner.script.respond = in_turns(call, *ANSWER)
    before = perceived(ocr_captioner)
    said = opencode("--auto", "--file", "bill.png", "--", "What is the total?")
    assert said.strip() == "".join(ANSWER)
    assert [(one.path, one.status) for one in recorder.asked] == [(provider.path, 200)] * 3
    told = exchanges(recorder, reasoner)
    [bill], [again], [once_more, sign] = (one.captions() for one in told)
    assert {again, once_more} == {bill}
    assert f"Total {provider.total}" in bill
    assert f"Gate {provider.total}" in sign
    assert perceived(ocr_captioner) - before == 2
    assert {"bash", "edit", "read"} <= set(_tools(told[-1].told.json["tools"]))
    assert told[-1].told.json["stream"]
    cells = ("stream", "tools", "picture", "picture in tool result")
    table.record(f"{CLIENT}, {provider.package}", *cells)


def _tools(tools: list[dict]) -> list[str]:
    return [tool.get("function", tool)["name"] for tool in tools]
