"""Codex as it is installed, without a terminal: `codex exec`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support.agent_runs import ONCE_MORE, exchanges, in_turns, run_agent
from support.client_table import Table
from support.recorder import Recorder
from support.scripted import ScriptedServer
from support.tool_calls import response_call

CLIENT = "Codex 0.169.0"
API = "/v1/responses"
ANSWER = ("The total is ", "13.95, and the sign says 27.")
# The first two keep it to itself; a person writes the others.
SETTINGS = """
check_for_update_on_startup = false
analytics = {{enabled = false}}
model = "default"
model_provider = "racro"
[model_providers.racro]
name = "RACRO"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "RACRO_API_KEY"
"""


@pytest.fixture
def codex(
    client_environment: dict[str, str], clients_node: Path, home: Path, project: Path,
    recorder: Recorder,
) -> Callable[..., list[dict]]:  # fmt: skip
    """Runs it and returns the events that it prints."""
    program = clients_node / "agents/node_modules/.bin/codex"
    folder = home / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(SETTINGS.format(url=recorder.url))
    env = client_environment | {"RACRO_API_KEY": "none"}

    def run(*arguments: str) -> list[dict]:
        command = [program, "exec", "--json", "--skip-git-repo-check", *arguments]
        lines = run_agent(command, folder=project, env=env).splitlines()
        return [json.loads(line) for line in lines]

    return run


def said(events: list[dict]) -> list[str]:
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return [item["text"] for item in items if item["type"] == "agent_message"]


def test_a_picture_in_the_prompt_and_one_that_its_tool_reads(
    codex: Callable[..., list[dict]], project: Path, recorder: Recorder, reasoner: ScriptedServer,
    table: Table,
) -> None:  # fmt: skip
    call = response_call("view_image", {"path": str(project / "sign.png")})
    reasoner.script.respond = in_turns(call, *ANSWER)
    events = codex("--image", "receipt.png", "--", "What is the total?")
    assert said(events) == ["".join(ANSWER)]
    assert events[-1]["type"] == "turn.completed"
    assert events[-1]["usage"]["input_tokens"] == 2 * reasoner.script.usage["prompt_tokens"]
    asked = [one for one in recorder.asked if one.method == "POST"]
    assert [(one.path, one.status) for one in asked] == [(API, 200)] * 2
    first, second = exchanges(recorder, reasoner)
    [receipt] = first.captions()
    assert "TOTAL: 13.95" in receipt
    [again, sign] = second.captions()
    assert again == receipt
    assert "Gate 27" in sign
    told = first.told.json
    assert told["stream"]
    assert {tool["type"] for tool in told["tools"]} >= {"function", "namespace", "web_search"}
    assert told["input"][0]["role"] == "developer"
    assert len(str(told["input"][0]["content"])) > 5000
    table.record(CLIENT, "stream", "tools", "picture", "picture in tool result")


def test_a_second_turn_of_the_same_session(
    codex: Callable[..., list[dict]], recorder: Recorder, reasoner: ScriptedServer
) -> None:
    """The picture of the first turn is told of in the same words, and looked at once more."""
    codex("--image", "receipt.png", "--", "What is the total?")
    codex("resume", "--last", "And what does bread cost?")
    first, second = exchanges(recorder, reasoner)
    assert second.captions() == first.captions()
    look, question = second.told.json["input"][-1]["content"]
    assert look["text"].startswith(ONCE_MORE)
    assert "Bread: 2.80" in look["text"]
    assert question["text"] == "And what does bread cost?"
