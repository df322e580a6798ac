"""Cline's command line as it is installed, without its terminal interface: `cline --json`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from racro.base.ports import free_port
from support.agent_runs import exchanges, in_turns, run_agent
from support.client_table import Table
from support.recorder import Recorder
from support.scripted import Script, ScriptedServer
from support.tool_calls import chat_call, response_call

pytestmark = pytest.mark.long

CLIENT = "Cline CLI 3.0.65"
ANSWER = ("The total is ", "13.95, and the sign says 27.")


@dataclass(frozen=True)
class Provider:
    """One of those whose base URL can be set, and the API that Cline asks it by."""

    name: str
    path: str
    call: Callable[..., Script]


PROVIDERS = {
    "chat": Provider("openai", "/v1/chat/completions", chat_call),
    "responses": Provider("openai-native", "/v1/responses", response_call),
}


@pytest.fixture(params=PROVIDERS.values(), ids=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Provider:
    return request.param


@pytest.fixture
def cline(
    client_environment: dict[str, str], clients_node: Path, project: Path, recorder: Recorder,
    provider: Provider,
) -> Callable[..., str]:  # fmt: skip
    """Runs it, set up by its own command, and returns what it prints."""
    program = clients_node / "more-agents/node_modules/.bin/cline"
    # It leaves a server running for its next call, which may not be that of the next test.
    own = {"CLINE_HUB_PORT": str(free_port()), "CLINE_NO_AUTO_UPDATE": "1"}
    env = client_environment | own

    def run(*arguments: str) -> str:
        return run_agent([program, *arguments], folder=project, env=env)

    run(
        "auth", "--provider", provider.name, "--baseurl", f"{recorder.url}/v1",
        "--apikey", "none", "--modelid", "default",
    )  # fmt: skip
    return run


def test_a_picture_in_the_prompt_and_one_that_its_tool_reads(
    cline: Callable[..., str], provider: Provider, project: Path, recorder: Recorder,
    reasoner: ScriptedServer, table: Table,
) -> None:  # fmt: skip
    call = provider.call("read_files", {"files": [{"path": str(project / "sign.png")}]})
    reasoner.script.respond = in_turns(call, *ANSWER)
    said = cline("--json", "@./receipt.png What is the total?")
    result = json.loads(said.splitlines()[-1])
    assert (result["finishReason"], result["text"]) == ("completed", "".join(ANSWER))
    assert [(one.path, one.status) for one in recorder.asked] == [(provider.path, 200)] * 2
    first, second = exchanges(recorder, reasoner)
    [receipt] = first.captions()
    assert "TOTAL: 13.95" in receipt
    [again, sign] = second.captions()
    assert again == receipt
    assert "Gate 27" in sign
    assert first.told.json["stream"]
    assert len(first.told.json["tools"]) > 5
    cells = ("stream", "tools", "picture", "picture in tool result")
    table.record(f"{CLIENT}, {provider.name}", *cells)
