"""The README up to "docker compose", as printed, on `racro up`; and its settings, as printed."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import http
from support.markdown import ROOT, Block, blocks, code_spans, run_by
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service, wait_until
from support.scripted import ScriptedServer, read_events

PRINTED_URL = "http://127.0.0.1:8000"
TOTAL = "13.95"
# Whatever `make test` sets is not the reader's.
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("RACRO_", "MAKE", "MFLAGS"))
}


def asking() -> Iterator[Block]:
    """The blocks that ask the running stack something."""
    for block in blocks():
        if block.heading == "docker compose":
            return
        if block.language in {"console", "python"} and not block.suites:
            yield block


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a clone's root, whose `.venv` is the environment that runs the tests."""
    folder = tmp_path_factory.mktemp("clone")
    for entry in ROOT.iterdir():
        if entry.name != ".venv":
            (folder / entry.name).symlink_to(entry)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture(scope="module")
def url(clone: Path) -> Iterator[str]:
    """Where `make up` serves: on port 8000, or where that is taken on a free one."""
    assert "make up" in code_spans()
    # Its last command: what installs comes before.
    made = run(clone, ["make", "--dry-run", "up"]).splitlines()[-1]
    for options in ([], ["--free-ports"]):
        log = clone / f"log{len(options)}"
        with log.open("w") as output:
            # Whoever started the tests in the background had them ignore Ctrl-C.
            command = ["env", "--default-signal=INT", *shlex.split(made), *options]
            up = subprocess.Popen(command, cwd=clone, env=CLEAN, stdout=output, stderr=output)
        try:
            if found := _served(up, log):
                assert options or found == PRINTED_URL
                yield found
                return
        finally:
            up.terminate()
            up.wait(PATIENCE_S)
    raise AssertionError(log.read_text())


def _served(up: subprocess.Popen[bytes], log: Path) -> str | None:
    """The URL, once all services are ready; None where the command has ended: a port is taken."""
    wait_until(
        lambda: "RACRO serves at" in log.read_text() or up.poll() is not None,
        what="racro up",
    )
    found = re.search(r"RACRO serves at (\S+)", log.read_text())
    return found and found[1]


def run(folder: Path, command: list[str]) -> str:
    ended = subprocess.run(
        command,
        cwd=folder,
        env=CLEAN,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, f"{command}:\n{ended.stdout}{ended.stderr}"
    return ended.stdout


def run_block(block: Block, clone: Path, url: str) -> str:
    text = block.text.replace(PRINTED_URL, url)
    programs = {"console": ["bash", "-euo", "pipefail", "-c"], "python": [".venv/bin/python", "-c"]}
    return run(clone, [*programs[block.language], text])


def answer_in(output: str) -> str:
    """What the reader is shown as the answer: of a response object, a stream, or in plain words."""
    if output.startswith("{"):
        return json.loads(output)["answer"]
    if output.startswith(("event:", ":")):
        return read_events(output)[-1][1]["answer"]
    return output.rpartition("Answer:")[2]


def test_there_are_such_blocks() -> None:
    languages = [block.language for block in asking()]
    assert languages == ["console", "console", "console", "python", "python"]


@pytest.mark.parametrize("block", list(asking()), ids=str)
def test_a_block_answers_with_the_total(block: Block, clone: Path, url: str) -> None:
    """With the total and no other number: a model that recites the receipt tells it, too."""
    output = run_block(block, clone, url)
    assert set(re.findall(r"\d+(?:\.\d+)?", answer_in(output))) == {TOTAL}, output


def test_the_command_line_answers_with_the_total(clone: Path, url: str) -> None:
    [command] = [span for span in code_spans() if span.startswith(".venv/bin/racro solve")]
    elsewhere = "" if url == PRINTED_URL else f" --gateway {url}"
    output = run(clone, ["bash", "-c", command + elsewhere])
    assert answer_in(output).strip() == TOTAL


def test_the_stream_has_the_events_that_are_named(clone: Path, url: str) -> None:
    [block] = [block for block in asking() if "stream=true" in block.text]
    seen = list(dict.fromkeys(name for name, _ in read_events(run_block(block, clone, url))))
    named = [
        span for span in code_spans() if re.fullmatch(r"[a-z_]+\.delta|[a-z_]+\.done|done", span)
    ]
    # The embedded reasoner does not think aloud.
    assert seen == [name for name in dict.fromkeys(named) if name != "reasoning.delta"]


def settings(block: Block, **servers: str) -> dict[str, Any]:
    """The YAML, with these hosts' URLs in place of the printed ones."""
    text = block.text
    for host, there in servers.items():
        text, count = re.subn(rf"http://{host.replace('_', '-')}:\d+", there, text)
        assert count
    return yaml.safe_load(text)


def module(block: Block) -> str:
    """What the first line starts with these settings."""
    return block.lines[0].rpartition(".venv/bin/python -m ")[2]


def test_the_settings_for_your_own_models_serve(
    captioner: ScriptedServer, reasoner: ScriptedServer
) -> None:
    gateway_yaml, captioner_yaml = run_by(__file__)
    seeing = settings(captioner_yaml, vllm_vision=captioner.url)
    with Service(module(captioner_yaml), seeing) as eyes:
        answering = settings(gateway_yaml, captioner=eyes.url, vllm=reasoner.url)
        with Service(module(gateway_yaml), answering) as gateway:
            question = {"question": "How high?", "images": [data_url(png("own models"))]}
            solved = http.post(f"{gateway.url}/v1/solve", json=question)
    assert solved.json()["answer"] == "42", solved.text
    assert captioner.chats[-1].json["model"] == "KaiChen1998/RACRO-7B-CRO-GRPO"
    assert reasoner.chats[-1].json["model"] == "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"
