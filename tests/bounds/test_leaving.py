"""Work that nobody waits for ends, and a worker that is killed takes no request with it."""

import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection

import httpx2
import psutil
import pytest
from pydantic import JsonValue

from racro.servekit.context import TIMEOUT_HEADER
from support import http
from support.bombs.drawings import words_apart
from support.pictures import data_url, encoded, text_picture
from support.process_tree import CpuTime, cpu_s, descendants, resident_mib, runs
from support.processes import PATIENCE_S, Service, wait_until

_AT_WORK_CPU_S = 0.3
_MOST_CPU_S = 1
# A worker that replaces another loads its models, with nobody's request.
_STARTING_CPU_S = 6
_QUIET_S = 1
_IDLE_CPU_S = 0.02
_DEADLINE_S = 2
_ENDING_S = 20
_NUMBER = "4827"
_SMALL_MIB = 50


@pytest.fixture(scope="module")
def captioner() -> Iterator[Service]:
    with Service("services.captioner") as service:
        yield service


def _body(picture: bytes) -> dict[str, JsonValue]:
    return {"question": "What is the number?", "images": [data_url(picture)]}


def _long_work() -> bytes:
    """Return a picture of some hundred words, which takes OCR many seconds."""
    return words_apart(1_000, font_size=16)


def _assert_answers(captioner: Service) -> None:
    picture = encoded(text_picture(_NUMBER))
    answer = http.post(f"{captioner.url}/v1/perceive", json=_body(picture))
    assert answer.status_code == 200, answer.text
    assert _NUMBER in answer.json()["caption"][0]["text"]


@contextmanager
def _in_mid_picture(captioner: Service) -> Iterator[None]:
    """Connect a client, whose picture is being read in the block; it leaves when the block ends."""
    before = cpu_s(captioner.pid)
    with closing(HTTPConnection("127.0.0.1", captioner.port)) as client:
        client.request("POST", "/v1/perceive", json.dumps(_body(_long_work())))
        wait_until(
            lambda: cpu_s(captioner.pid) > before + _AT_WORK_CPU_S, what="work on the picture"
        )
        yield


def _wait_for_quiet(captioner: Service) -> None:
    """Wait until the service and its workers have computed next to nothing for a second."""

    def is_quiet() -> bool:
        before = cpu_s(captioner.pid)
        time.sleep(_QUIET_S)
        return cpu_s(captioner.pid) <= before + _IDLE_CPU_S

    wait_until(is_quiet, what="the end of all work")


def test_a_client_that_leaves_ends_the_reading(captioner: Service) -> None:
    _assert_answers(captioner)
    with _in_mid_picture(captioner):
        at_work, before = CpuTime(captioner.pid), cpu_s(captioner.pid)
    _wait_for_quiet(captioner)
    assert at_work.spent_s() <= _MOST_CPU_S
    # Nor does a new worker begin the picture again.
    assert cpu_s(captioner.pid) - before <= _MOST_CPU_S + _STARTING_CPU_S
    _assert_answers(captioner)


def test_a_deadline_ends_the_reading(captioner: Service) -> None:
    _assert_answers(captioner)
    at_work, before = CpuTime(captioner.pid), cpu_s(captioner.pid)
    answer = http.post(
        f"{captioner.url}/v1/perceive",
        json=_body(_long_work()),
        headers={TIMEOUT_HEADER: f"{1000 * _DEADLINE_S}"},
    )
    assert answer.status_code == 504, answer.text
    assert TIMEOUT_HEADER in answer.json()["error"]["message"]
    _wait_for_quiet(captioner)
    # One worker reads one picture: until the deadline, no more than its seconds.
    assert at_work.spent_s() <= _DEADLINE_S + _MOST_CPU_S
    assert cpu_s(captioner.pid) - before <= _DEADLINE_S + _MOST_CPU_S + _STARTING_CPU_S
    _assert_answers(captioner)


def test_sigterm_ends_what_a_client_left() -> None:
    with Service("services.captioner") as captioner:
        with _in_mid_picture(captioner):
            processes = descendants(captioner.pid)
        _assert_ends(captioner, processes)


def test_sigterm_ends_what_a_client_waits_for() -> None:
    with (
        Service("services.captioner", {"shutdown_timeout_s": 1}) as captioner,
        _in_mid_picture(captioner),
    ):
        _assert_ends(captioner, descendants(captioner.pid))


def _assert_ends(captioner: Service, workers: Sequence[psutil.Process]) -> None:
    captioner.process.send_signal(signal.SIGTERM)
    try:
        assert captioner.process.wait(_ENDING_S) == 0
    except subprocess.TimeoutExpired:
        captioner.kill()
        raise
    wait_until(lambda: not any(map(runs, workers)), what="the end of the workers")


class _Client(threading.Thread):
    """Asks for one picture after another until it is told to stop, or one is not read."""

    def __init__(self, captioner: Service) -> None:
        super().__init__()
        self.answered = 0
        self.problem = ""
        self._url = f"{captioner.url}/v1/perceive"
        self._body = _body(encoded(text_picture(_NUMBER)))
        self._stopped = threading.Event()

    def run(self) -> None:
        with http.client() as client:
            while not self.problem and not self._stopped.is_set():
                self._ask(client)

    def _ask(self, client: httpx2.Client) -> None:
        try:
            answer = client.post(self._url, json=self._body)
        except httpx2.TransportError as error:
            self.problem = repr(error)
            return
        if answer.status_code != 200 or _NUMBER not in answer.text:
            self.problem = answer.text
        self.answered += 1

    def stop(self) -> None:
        self._stopped.set()
        self.join(PATIENCE_S)


@contextmanager
def _clients(captioner: Service) -> Iterator[list[_Client]]:
    clients = [_Client(captioner) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.stop()


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.long)])
def test_kills_in_a_row_lose_no_request(captioner: Service, kills: int) -> None:
    _assert_answers(captioner)
    assert _workers(captioner)
    pick = random.Random(1).choice
    with _clients(captioner) as clients:
        for _ in range(kills):
            worker = pick(wait_until(partial(_workers, captioner), what="a worker"))
            before = [client.answered for client in clients]
            worker.kill()
            # Of each: a request whose worker is killed twice may be lost.
            wait_until(partial(_answered_since, clients, before), what="an answer for each client")
    assert [client.problem for client in clients] == ["", ""]
    _assert_answers(captioner)


def _workers(captioner: Service) -> list[psutil.Process]:
    """Return the processes with a model: not the small one that counts what the others share."""
    return [one for one in descendants(captioner.pid) if resident_mib(one) > _SMALL_MIB]


def _answered_since(clients: Sequence[_Client], before: Sequence[int]) -> bool:
    """Tell whether each client has had an answer since; also once one has a problem."""
    if any(client.problem for client in clients):
        return True
    return all(client.answered > earlier for client, earlier in zip(clients, before, strict=True))
