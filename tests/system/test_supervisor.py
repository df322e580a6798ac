"""An engine that dies, a service that dies, and what becomes of the other."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import yaml

from support import http
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service, wait_until
from support.scripted import ScriptedServer


@pytest.fixture(scope="module")
def llama() -> Iterator[Service]:
    """A reasoner service of our own, whose engine may be killed."""
    with Service("services.reasoner") as service:
        yield service


@pytest.fixture(scope="module")
def gateway(llama: Service, _scripted_captioner: ScriptedServer) -> Iterator[Service]:
    reasoner = {
        "url": f"{llama.url}/v1",
        "model": "smollm2-135m",
        "sampling": {"temperature": 0, "max_tokens": 32},
    }
    config = {
        "captioner": {"url": _scripted_captioner.url},
        "reasoners": {"default": reasoner},
    }
    with Service("gateway", config) as service:
        yield service


@pytest.fixture
def doomed() -> Iterator[Service]:
    """A reasoner service that will not live to the end of its test."""
    with Service("services.reasoner") as service:
        yield service


def engine_of(service: Service) -> psutil.Process:
    [engine] = psutil.Process(service.pid).children(recursive=True)
    assert "racro.engines.llama_server" in engine.cmdline()
    return engine


def ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def readiness(service: Service) -> tuple[int, str]:
    answer = http.get(f"{service.url}/readyz")
    return answer.status_code, answer.json()["checks"]["engine"]


def seen_down(service: Service) -> tuple[str, httpx2.Response] | None:
    """What /readyz says of a dead engine, and what a request is answered.

    It is killed once more if it was up again before anybody could look.
    """
    status, problem = readiness(service)
    answer = http.post(f"{service.url}/v1/chat/completions", json={"messages": [{}]})
    if status == answer.status_code == 503 and "ended with code" in problem:
        return problem, answer
    for engine in psutil.Process(service.pid).children(recursive=True):
        engine.kill()
    return None


def ends_of_engine(service: Service) -> list[float]:
    """Seconds for which each end of the engine was waited before its next start."""
    ends = [r["message"] for r in service.log_records() if r["level"] == "ERROR"]
    waits = [re.search(r"the engine ended with code -9, restart in ([\d.]+) s", e) for e in ends]
    return [float(wait[1]) for wait in waits if wait]


def solve_body(**more: Any) -> dict[str, Any]:
    return {"question": "How high is the bar?", "images": [data_url(png())], **more}


@contextmanager
def chat_mid_answer(gateway: Service) -> Iterator[Iterator[str]]:
    """A chat stream that has begun to answer and would go on for long; its further lines."""
    body = {
        "messages": [{"role": "user", "content": "Tell a long story."}],
        "stream": True,
        "max_tokens": 2000,
        "ignore_eos": True,
    }
    url = f"{gateway.url}/v1/chat/completions"
    with http.stream("POST", url, json=body) as response:
        lines = response.iter_lines()
        next(line for line in lines if '"content":"' in line)
        yield lines


@contextmanager
def solve_mid_answer(gateway: Service) -> Iterator[Iterator[str]]:
    """A solve stream whose image was seen and whose reasoner is at work."""
    url, body = f"{gateway.url}/v1/solve", solve_body(stream=True)
    with http.stream("POST", url, json=body) as response:
        lines = response.iter_lines()
        next(line for line in lines if line == "event: visual_context.done")
        next(lines)
        next(lines)
        yield lines


class TestEngineKilled:
    def test_all_hear_of_it_and_it_comes_back(
        self, llama: Service, gateway: Service, captioner: ScriptedServer
    ) -> None:
        engine = engine_of(llama)
        with chat_mid_answer(gateway) as chat_lines:
            # Held, so that the solve is sure to be under way when its engine is killed.
            engine.suspend()
            with solve_mid_answer(gateway) as solve_lines:
                engine.kill()
                chat, solve = (
                    [line for line in lines if line] for lines in (chat_lines, solve_lines)
                )
        assert json.loads(chat[-1].removeprefix("data: "))["error"]["code"] == (
            "upstream_unavailable"
        )
        assert "data: [DONE]" not in chat
        assert solve[-2] == "event: error"
        assert json.loads(solve[-1].removeprefix("data: "))["error"]["code"] == (
            "upstream_unavailable"
        )
        assert "event: done" not in solve

        problem, answer = wait_until(lambda: seen_down(llama), what="an engine that is down")
        assert "its last words: " in problem
        assert "listening on http://127.0.0.1" in problem
        assert answer.headers["retry-after"]
        assert answer.json()["error"]["code"] == "upstream_unavailable"
        # The last words are for the operator; they carry addresses.
        assert "last words" not in answer.text
        assert http.get(f"{llama.url}/healthz").status_code == 200

        wait_until(lambda: readiness(llama) == (200, "ok"), what="recovery")
        assert engine_of(llama).pid != engine.pid
        answer = http.post(f"{gateway.url}/v1/solve", json=solve_body())
        assert answer.status_code == 200, answer.text
        assert answer.json()["text"]

    def test_each_time_it_waits_longer(self, llama: Service) -> None:
        """Unless it served for a minute in between, as on a busy machine it may have."""
        before = len(ends_of_engine(llama))
        for number in range(1, 4):
            engine_of(llama).kill()
            wait_until(lambda n=number: len(ends_of_engine(llama)) >= before + n, what="its end")
            wait_until(lambda: readiness(llama)[0] == 200, what="recovery")
        waits = ends_of_engine(llama)
        assert waits[0] == 0.5
        assert all(later in {2 * earlier, 0.5} for earlier, later in pairwise(waits))
        assert waits[-1] > 0.5


def api_key_of(engine: psutil.Process) -> str:
    return engine.environ()["LLAMA_API_KEY"]


def asked(engine: psutil.Process, path: str, key: str | None) -> int:
    """The status of an answer of the engine's own server."""
    [port] = [one.laddr.port for one in engine.net_connections() if one.status == "LISTEN"]
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return http.get(f"http://127.0.0.1:{port}{path}", headers=headers).status_code


class TestEngineKey:
    """Other users of the machine reach loopback, too."""

    @pytest.mark.parametrize("path", ["/v1/models", "/models", "/props", "/slots", "/metrics"])
    def test_the_engine_asks_for_it(self, llama: Service, path: str) -> None:
        engine = engine_of(llama)
        key = api_key_of(engine)
        assert len(key) >= 32
        assert [asked(engine, path, one) for one in (None, key[:-1])] == [401] * 2
        assert asked(engine, path, key) != 401

    def test_no_command_line_and_no_log_shows_it(self, llama: Service) -> None:
        engine = engine_of(llama)
        key = api_key_of(engine)
        assert key not in " ".join(engine.cmdline())
        assert key not in llama.log()

    def test_each_start_has_another_one(self, llama: Service) -> None:
        """And the service follows: it is ready, and answers."""
        before = engine_of(llama)
        old = api_key_of(before)
        before.kill()
        children = psutil.Process(llama.pid).children
        wait_until(
            lambda: [one.pid for one in children()] not in ([before.pid], []), what="a start"
        )
        wait_until(lambda: readiness(llama)[0] == 200, what="recovery")
        after = engine_of(llama)
        assert api_key_of(after) != old
        assert asked(after, "/v1/models", old) == 401
        body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2}
        answered = http.post(f"{llama.url}/v1/chat/completions", json=body)
        assert answered.status_code == 200, answered.text


RESTARTS = 'racro_engine_restarts_total{cause="%s"}'
SILENT_S = "racro_engine_unanswered_seconds"


def told_in_log(service: Service, level: str, words: str) -> bool:
    """Whether it was logged. Nobody has asked /readyz for it."""
    return any(r["level"] == level and words in r["message"] for r in service.log_records())


@pytest.fixture(scope="module")
def impatient() -> Iterator[Service]:
    """A reasoner service that soon restarts an engine that hangs."""
    engine = {"kind": "llama", "restart_unanswered_after_s": 10}
    with Service("services.reasoner", {"engine": engine}) as service:
        yield service


class TestEngineHung:
    def test_it_is_told_and_asked_nothing_until_it_goes_on(self, llama: Service) -> None:
        wait_until(lambda: readiness(llama) == (200, "ok"), what="an engine that is well")
        engine = engine_of(llama)
        engine.suspend()
        try:
            told = "the engine has not answered for"
            wait_until(lambda: told_in_log(llama, "ERROR", told), what="that it is told")
            assert llama.metrics()[SILENT_S] >= 10
            status, problem = readiness(llama)
            assert status == 503
            assert re.fullmatch(rf"{told} \d+ s", problem)
            body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2}
            for answer in (
                http.get(f"{llama.url}/v1/models"),
                http.post(f"{llama.url}/v1/chat/completions", json=body),
            ):
                assert answer.status_code == 503
                assert "x-racro-begun" not in answer.headers
        finally:
            engine.resume()
        wait_until(lambda: readiness(llama) == (200, "ok"), what="an engine that goes on")
        assert engine_of(llama).pid == engine.pid
        assert llama.metrics()[SILENT_S] == 0
        assert told_in_log(llama, "WARNING", "the engine answers again after")

    def test_it_is_restarted_once_the_limit_is_over(self, impatient: Service) -> None:
        """Though nobody asks anything of the service meanwhile."""
        before = impatient.metrics()
        assert [before[RESTARTS % cause] for cause in ("ended", "unanswered")] == [0, 0]
        engine = engine_of(impatient)
        engine.suspend()
        wait_until(lambda: ended(engine), what="the end of the engine that hangs")
        wait_until(
            lambda: told_in_log(impatient, "ERROR", "without an answer, restart in 0.5 s"),
            what="that it is told",
        )
        impatient.wait_for("/readyz")
        assert engine_of(impatient).pid != engine.pid
        after = impatient.metrics()
        assert [after[RESTARTS % cause] for cause in ("ended", "unanswered")] == [0, 1]
        assert after[SILENT_S] == 0
        body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2}
        answer = http.post(f"{impatient.url}/v1/chat/completions", json=body)
        assert answer.status_code == 200, answer.text


class TestServiceEnded:
    def test_killed_it_takes_its_engine_along(self, doomed: Service) -> None:
        engine = engine_of(doomed)
        doomed.kill()
        wait_until(lambda: ended(engine), what="the engine's end")

    def test_killed_while_its_engine_starts_it_takes_it_along(self) -> None:
        with Service("services.reasoner", wait_for="/healthz") as service:
            engine = wait_until(lambda: psutil.Process(service.pid).children())[0]
            service.kill()
            wait_until(lambda: ended(engine), what="the engine's end")

    def test_asked_to_end_it_ends_in_order(self, doomed: Service) -> None:
        engine = engine_of(doomed)
        assert doomed.stop() == 0
        assert ended(engine)
        assert "Application shutdown complete." in doomed.log()


@pytest.mark.parametrize("setting", ["model_path", "adapter_path"])
def test_a_wrong_path_stops_the_boot(tmp_path: Path, setting: str) -> None:
    config = tmp_path / "config.yaml"
    engine = {"kind": "llama", setting: str(tmp_path / "none.gguf")}
    config.write_text(yaml.safe_dump({"engine": engine}))
    boot = subprocess.run(
        [sys.executable, "-m", "services.reasoner"],
        env={"RACRO_CONFIG": str(config)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert boot.returncode == 1
    assert f"engine.{setting}: no GGUF file there" in boot.stderr
    assert "Traceback" not in boot.stderr


class TestAnEngineThatDoesNotStart:
    """In the words of `vllm serve`, which a shell script plays here."""

    @staticmethod
    def config(tmp_path: Path, last_words: str) -> dict[str, Any]:
        script = f"echo start >> {tmp_path}/starts; echo '{last_words}'; exit 1"
        engine = {"kind": "vllm", "model": "some/model", "command": ["sh", "-c", script]}
        return {"model": "m", "engine": engine}

    @staticmethod
    def starts(tmp_path: Path) -> int:
        path = tmp_path / "starts"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def test_a_process_that_outlives_it_and_holds_its_pipe_does_not_stop_a_restart(
        self, tmp_path: Path
    ) -> None:
        """In a session of its own, where the end of the group does not reach it."""
        config = self.config(tmp_path, "no GPU")
        script = config["engine"]["command"][2]
        left = tmp_path / "left"
        outlives = f"setsid sh -c 'touch {left}; exec sleep 120' & "
        has_left = f"until [ -e {left} ]; do sleep 0.01; done; "
        config["engine"]["command"][2] = outlives + has_left + script
        with Service("services.reasoner", config, wait_for="/healthz") as service:
            wait_until(lambda: self.starts(tmp_path) >= 2, what="the second start")
            wait_until(lambda: "no GPU" in readiness(service)[1], what="its last words")

    def test_a_wrong_argument_is_named_and_not_tried_again(self, tmp_path: Path) -> None:
        config = self.config(tmp_path, "vllm: error: unrecognized arguments: --no-such-flag")
        with Service("services.reasoner", config, wait_for="/healthz") as service:
            named = "wrong settings of vLLM: unrecognized arguments: --no-such-flag"
            wait_until(lambda: named in readiness(service)[1], what="the reason")
            assert readiness(service)[0] == 503
            assert "the engine does not start" in readiness(service)[1]
            refused = http.post(f"{service.url}/v1/chat/completions", json={})
            assert refused.status_code == 503
            assert self.starts(tmp_path) == 1

    def test_a_model_that_is_not_found_is_told_once_and_tried_again(self, tmp_path: Path) -> None:
        """Its volume may not be mounted yet, or its hub be away."""
        words = "OSError: m is not a local folder and is not a valid model identifier listed"
        config = self.config(tmp_path, words)
        with Service("services.reasoner", config, wait_for="/healthz") as service:
            wait_until(lambda: self.starts(tmp_path) >= 3, what="the third start")
            told = [r for r in service.log_records() if "there is no such model" in r["message"]]
            assert len(told) == 1
            named = "there is no such model"
            wait_until(lambda: named in readiness(service)[1], what="the reason")

    def test_too_little_memory_is_told_once_and_tried_again(self, tmp_path: Path) -> None:
        config = self.config(tmp_path, "ValueError: No available memory for the cache blocks.")
        with Service("services.reasoner", config, wait_for="/healthz") as service:
            wait_until(lambda: self.starts(tmp_path) >= 3, what="the third start")
            told = [r for r in service.log_records() if "too little memory" in r["message"]]
            assert len(told) == 1
