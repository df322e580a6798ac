"""The commands of docs/clients.md, from `racro up` to an agent's answer about a picture."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.agent_runs import run_agent
from support.markdown import ROOT, Block, blocks
from support.processes import PATIENCE_S, wait_until
from support.scripted import Fixed, Script, ScriptedServer

DOCUMENT = ROOT / "docs/clients.md"
SUITE = str(Path(__file__).relative_to(ROOT))
[START, *AGENTS] = [block for block in blocks(DOCUMENT) if SUITE in block.suites]
API = {"Claude Code": "/v1/messages", "Codex": "/v1/responses"}


def reads_the_receipt(asked: dict[str, Any]) -> Script:
    """A reasoner that knows what it is told, and nothing else."""
    known = "TOTAL: 13.95" in json.dumps(asked)
    return Script(texts=["The total is 13.95." if known else "I see no receipt."])


@pytest.fixture(scope="module")
def ollama() -> Iterator[ScriptedServer]:
    """A server of models where the document's command expects it."""
    with ScriptedServer(port=11434) as server:
        listed = json.dumps({"data": [{"id": "qwen3"}]}).encode()
        server.script.fixed = {"/v1/models": Fixed(body=listed)}
        server.script.respond = reads_the_receipt
        yield server


@pytest.fixture(scope="module")
def _running(ollama: ScriptedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the document has running in the first terminal."""
    log = tmp_path_factory.mktemp("up") / "log"
    [command] = START.commands
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_until(
            lambda: process.poll() is not None or "RACRO serves at " in log.read_text(),
            what="racro up",
        )
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.mark.usefixtures("_running")
@pytest.mark.parametrize("block", AGENTS, ids=lambda block: block.heading)
def test_the_printed_commands_lead_to_an_agent_s_answer_about_a_picture(
    block: Block, ollama: ScriptedServer, client_environment: dict[str, str], clients_node: Path
) -> None:
    programs = f"{clients_node}/agents/node_modules/.bin:{os.environ['PATH']}"
    environment = {**client_environment, "PATH": programs}
    connect, agent = block.commands
    assert "13.95" in run_agent(connect, folder=ROOT, env=environment)
    ollama.asked.clear()
    assert "The total is 13.95." in run_agent(agent, folder=ROOT, env=environment)
    # Claude Code asks for a title, too, without tools.
    [asked] = [one for one in ollama.calls(API[block.heading]) if one.json.get("tools")]
    assert asked.json["model"] == "qwen3"
