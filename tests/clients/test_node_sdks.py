"""SDKs of Node as they are installed: OpenAI's, and the AI SDK over three of its providers."""

import shutil
from pathlib import Path

import pytest

from support.client_table import Table
from support.recorder import Recorder
from support.scripted import ScriptedServer
from support.sdk_runs import Trial

PROGRAMS = Path(__file__).parent / "node/sdks"
APIS = {
    ("with-openai.mjs", "chat"): "chat/completions",
    ("with-openai.mjs", "responses"): "responses",
    ("with-ai-sdk.mjs", "@ai-sdk/openai"): "responses",
    ("with-ai-sdk.mjs", "@ai-sdk/openai-compatible"): "chat/completions",
    ("with-ai-sdk.mjs", "@ai-sdk/anthropic"): "messages",
}


@pytest.fixture
def trial(
    recorder: Recorder, reasoner: ScriptedServer, table: Table, clients_node: Path, project: Path,
    client_environment: dict[str, str],
) -> Trial:  # fmt: skip
    """In a folder with the programs, beside the packages that they import."""
    (project / "node_modules").symlink_to(clients_node / "sdks/node_modules")
    for program in PROGRAMS.glob("*.mjs"):
        shutil.copy(program, project)
    return Trial(recorder, reasoner, table, folder=project, env=client_environment)


@pytest.mark.parametrize(("program", "how"), APIS)
def test_answers_about_a_picture(trial: Trial, program: str, how: str) -> None:
    trial.run(["node", program], APIS[program, how], [how])
