"""SDKs before the whole embedded default: captioner, gateway, reasoner and its model."""

import os
import sys
from pathlib import Path

import pytest

from support.processes import Service
from support.sdk_runs import RECEIPT, run_program

PROGRAM = Path(__file__).parent / "python/ask_by.py"
NEWEST = ["openai_chat", "openai_responses", "anthropic"]
OTHERS = ["langchain_openai", "litellm"]


def total_told(
    python: Path, names: list[str], gateway: Service, folder: Path, env: dict[str, str]
) -> list[bool]:
    local = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [python, PROGRAM, gateway.url, RECEIPT, *names]
    got = run_program(command, folder=folder, env=env | local)
    return ["13.95" in got[name] for name in names]


def test_the_newest_sdks_are_told_the_total(
    embedded_gateway: Service, home: Path, client_environment: dict[str, str]
) -> None:
    python = Path(sys.executable)
    assert all(total_told(python, NEWEST, embedded_gateway, home, client_environment))


@pytest.mark.long
def test_other_sdks_are_told_the_total(
    embedded_gateway: Service, home: Path, client_environment: dict[str, str]
) -> None:
    python = Path(os.environ["CLIENTS_VENV"]) / "bin/python"
    assert all(total_told(python, OTHERS, embedded_gateway, home, client_environment))
