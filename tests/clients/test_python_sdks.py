"""SDKs of Python as they are installed, each with a short program in tests/clients/python."""

import os
import sys
from pathlib import Path

import pytest

from support.client_table import Table
from support.recorder import Recorder
from support.scripted import ScriptedServer
from support.sdk_runs import Trial

PROGRAMS = Path(__file__).parent / "python"
CHAT = "chat/completions"
# By the names of their programs, with what these are told and the API that is asked.
NEWEST = [("openai_chat", CHAT), ("openai_responses", "responses"), ("anthropic", "messages")]
OTHERS = [
    ("llm", "chat", CHAT),
    ("llm", "responses", "responses"),
    ("langchain", "chat", CHAT),
    ("langchain", "responses", "responses"),
    ("langchain", "messages", "messages"),
    ("openai_agents", "chat", CHAT),
    ("openai_agents", "responses", "responses"),
    ("pydantic_ai", "chat", CHAT),
    ("pydantic_ai", "responses", "responses"),
    ("pydantic_ai", "messages", "messages"),
    ("instructor", "chat", CHAT),
    ("litellm", "chat", CHAT),
    ("litellm", "responses", "responses"),
    ("litellm", "messages", "messages"),
]
# openai-agents sends no picture of a tool by chat.
LACKS = {("openai_agents", "chat"): {"picture_in_tool_result"}}


@pytest.fixture
def trial(
    recorder: Recorder, reasoner: ScriptedServer, table: Table, home: Path, project: Path,
    client_environment: dict[str, str],
) -> Trial:  # fmt: skip
    ours = {
        "LLM_USER_PATH": str(home),
        # Or it looks for a list of prices, for seconds.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Trial(recorder, reasoner, table, folder=project, env=client_environment | ours)


@pytest.mark.parametrize(("name", "api"), NEWEST)
def test_the_newest_of_openai_and_anthropic(trial: Trial, name: str, api: str) -> None:
    """Those of our own environment, as others hold them back."""
    trial.run([sys.executable, PROGRAMS / f"with_{name}.py"], api)


@pytest.mark.long
@pytest.mark.parametrize(("name", "how", "api"), OTHERS)
def test_answers_about_a_picture(trial: Trial, name: str, how: str, api: str) -> None:
    python = Path(os.environ["CLIENTS_VENV"]) / "bin/python"
    lacks = LACKS.get((name, how), ())
    trial.run([python, PROGRAMS / f"with_{name}.py"], api, [how], lacks=lacks)
