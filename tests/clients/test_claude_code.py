"""Claude Code as it is installed, without a terminal: `claude -p`."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from support.agent_runs import exchanges, has_result, in_turns, run_agent
from support.client_table import Table
from support.pdfs import text_document
from support.processes import Service
from support.recorder import Recorder
from support.scripted import Script, ScriptedServer
from support.tool_calls import message_call

Json = dict[str, Any]

CLIENT = "Claude Code 2.1.197"
API = "/v1/messages"
MODELS = ("MODEL", *(f"DEFAULT_{name}_MODEL" for name in ("HAIKU", "SONNET", "OPUS")))
ANSWER = ("The total is ", "13.95, and the sign says 27.")


@pytest.fixture
def environment(client_environment: dict[str, str], recorder: Recorder) -> dict[str, str]:
    """What a person sets, but for the names of models, and that it is to keep to itself."""
    ours = {"ANTHROPIC_BASE_URL": recorder.url, "ANTHROPIC_AUTH_TOKEN": "none"}
    names = ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_AUTOUPDATER")
    names += ("DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING")
    return client_environment | ours | dict.fromkeys(names, "1")


@pytest.fixture
def claude(environment: dict[str, str], clients_node: Path, project: Path) -> Callable[..., str]:
    """Runs it and returns what it prints."""
    program = clients_node / "agents/node_modules/.bin/claude"

    def run(
        *arguments: str, stdin: str = "", models: bool = True, code: int = 0, **more: str
    ) -> str:
        named = {f"ANTHROPIC_{name}": "default" for name in MODELS} if models else {}
        env = environment | named | more
        command = [program, "--print", *arguments]
        return run_agent(command, folder=project, env=env, stdin=stdin, code=code)

    return run


def line(text: str, picture: bytes) -> str:
    """A user's message for `--input-format stream-json`."""
    data = base64.b64encode(picture).decode()
    source = {"type": "base64", "media_type": "image/png", "data": data}
    content = [{"type": "text", "text": text}, {"type": "image", "source": source}]
    return json.dumps({"type": "user", "message": {"role": "user", "content": content}}) + "\n"


def test_a_picture_in_the_prompt_and_one_that_its_tool_reads(
    claude: Callable[..., str], project: Path, recorder: Recorder, reasoner: ScriptedServer,
    table: Table,
) -> None:  # fmt: skip
    call = message_call("Read", {"file_path": str(project / "sign.png")})
    reasoner.script.respond = in_turns(call, *ANSWER)
    said = claude(
        "--input-format", "stream-json", "--output-format", "stream-json", "--verbose",
        stdin=line("What is the total?", (project / "receipt.png").read_bytes()),
    )  # fmt: skip
    result = json.loads(said.splitlines()[-1])
    assert (result["result"], result["num_turns"]) == ("".join(ANSWER), 2)
    begun, *asked = recorder.asked
    assert (begun.method, begun.path, begun.status) == ("HEAD", "/", 200)
    assert {(one.path, one.status) for one in asked} == {(API, 200)}
    first, second = exchanges(recorder, reasoner)
    [receipt] = first.captions()
    assert "TOTAL: 13.95" in receipt
    [again, sign] = second.captions()
    assert again == receipt
    assert "Gate 27" in sign
    assert first.told.json["stream"]
    assert {"Bash", "Edit", "Read"} <= {tool["name"] for tool in first.told.json["tools"]}
    assert len(str(first.told.json["system"])) > 5000
    table.record(CLIENT, "stream", "tools", "picture", "picture in tool result")


def test_a_stream_that_breaks_is_asked_for_again_without_streaming(
    claude: Callable[..., str], recorder: Recorder, reasoner: ScriptedServer, table: Table
) -> None:
    reasoner.script.respond = lambda asked: Script(die_after=2) if asked.get("stream") else None
    assert claude("Hello!") == "The answer is \\boxed{42}.\n"
    streams = [asked.json.get("stream", False) for asked in reasoner.calls(API)]
    assert streams == [True, False]
    assert [exchange.captions() for exchange in exchanges(recorder, reasoner)] == [[], []]
    table.record(CLIENT, "chat")


def test_the_models_that_it_asks_for_by_itself(
    claude: Callable[..., str], recorder: Recorder, reasoner: ScriptedServer
) -> None:
    """`also_known_as: [claude-*]` answers for all of them, the small one of its helpers too."""
    task = "Find the file."
    explore = {"subagent_type": "Explore", "description": "look", "prompt": task}

    def respond(asked: Json) -> Script | None:
        if has_result(asked):
            return Script(texts=["It is there."])
        return None if task in str(asked["messages"]) else message_call("Agent", explore)

    reasoner.script.respond = respond
    assert claude("Where is the file?", models=False) == "It is there.\n"
    asked = [one.json["model"] for one in recorder.asked if one.path == API]
    assert ["haiku" in name for name in asked] == [False, True, False]
    assert all(name.startswith("claude-") for name in asked)
    assert {one.json["model"] for one in reasoner.calls(API)} == {"scripted"}
    assert {one.status for one in recorder.asked} == {200}


def test_the_tokens_that_it_has_counted(
    claude: Callable[..., str], recorder: Recorder, reasoner: ScriptedServer
) -> None:
    assert "Context Usage" in claude("/context")
    begun, *counts = recorder.asked
    assert begun.method == "HEAD"
    assert {(one.path, one.status) for one in counts} == {(f"{API}/count_tokens", 200)}
    assert any("tools" in one.json for one in counts)
    for exchange in exchanges(recorder, reasoner):
        assert exchange.captions() == []


def test_a_pdf_that_its_tool_reads(
    claude: Callable[..., str], project: Path, recorder: Recorder, reasoner: ScriptedServer
) -> None:
    (project / "bill.pdf").write_bytes(text_document("The bill of June: 52.40 in all"))
    call = message_call("Read", {"file_path": str(project / "bill.pdf")})
    reasoner.script.respond = in_turns(call, "It is 52.40.")
    assert claude("What is in bill.pdf?") == "It is 52.40.\n"
    [], [bill] = (exchange.captions() for exchange in exchanges(recorder, reasoner))
    assert "52.40" in bill


def test_a_wrong_key_is_told_at_once(
    claude: Callable[..., str], reasoner: ScriptedServer, tmp_path: Path
) -> None:
    """It asks again after a 401 for minutes, unless the answer says not to."""
    path = tmp_path / "keys.yaml"
    file, key = KeysFile().with_new_key("first", TenantRecord(requests_per_minute=100))
    file.write(path)
    config = gateway_config(reasoner.url, reasoner.url, tenants={"keys_file": str(path)})
    with Service("gateway", config) as keyed, Recorder(keyed.url) as asked:
        told = claude("Hi!", code=1, ANTHROPIC_BASE_URL=asked.url, ANTHROPIC_AUTH_TOKEN="wrong")
        assert "401 no such API key" in told
        assert [one.status for one in asked.asked if one.path == API] == [401]
        keys = {"ANTHROPIC_AUTH_TOKEN": "", "ANTHROPIC_API_KEY": key}
        assert "42" in claude("Hi!", ANTHROPIC_BASE_URL=asked.url, **keys)
        assert "42" in claude("Hi!", ANTHROPIC_BASE_URL=asked.url, ANTHROPIC_AUTH_TOKEN=key)
