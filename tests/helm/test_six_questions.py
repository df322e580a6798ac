"""The queries of docs/observability.md's six questions, as printed, find the trouble they are for.

A real Prometheus scrapes real gateways twice a second, over upstreams that are scripted to be slow,
or to break. Each query is asked until its answer is the expected one, while requests go on.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any, Self

import httpx2
import pytest

from gateway.tenancy.keys_file import KeysFile, TenantRecord
from racro import __version__
from racro.base.ports import free_port
from support import http
from support.collector import Collector
from support.markdown import ROOT, blocks
from support.processes import PATIENCE_S, Service, wait_until
from support.scripted import ScriptedServer

DOCUMENT = ROOT / "docs/observability.md"
FORMER = "0.1.9"
QUICK, SLOW_TO_BEGIN, SLOW_TO_END, BREAKING, HELD = "quick", "prefill", "decode", "breaking", "held"
FAST_TRACE, SLOW_TRACE = "1" * 32, "2" * 32


def queries(question: str) -> list[str]:
    """The PromQL under a heading that this test is named to run."""
    name = str(Path(__file__).relative_to(ROOT))
    return [
        block.text
        for block in blocks(DOCUMENT)
        if block.heading == question and block.language == "promql" and name in block.suites
    ]


class Prometheus:
    """Debian's, over the targets it is given, with exemplars."""

    def __init__(self, folder: Path, targets: Sequence[Service]) -> None:
        config = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
            "scrape_configs": [
                {
                    "job_name": "gateway",
                    "static_configs": [{"targets": [f"127.0.0.1:{one.port}" for one in targets]}],
                }
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--enable-feature=exemplar-storage",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._client = http.client(trust_env=False)

    def __enter__(self) -> Self:
        wait_until(self._is_ready, what="Prometheus")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._log.close()

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, Path(self._log.name).read_text()
        try:
            return self._client.get(f"{self.url}/-/ready").status_code == 200
        except httpx2.TransportError:
            return False

    def ask(self, query: str) -> list[tuple[dict[str, str], float]]:
        """The labels and the value of each series of an answer, in its order."""
        found = self._get("query", query=query)["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def exemplars(self, query: str) -> list[tuple[float, str]]:
        """The value of each exemplar and its trace."""
        now = time.time()
        found = self._get("query_exemplars", query=query, start=now - 3600, end=now + 60)
        return [
            (float(one["value"]), one["labels"]["trace_id"])
            for series in found
            for one in series["exemplars"]
        ]

    def _get(self, path: str, **parameters: Any) -> Any:
        answer = self._client.get(f"{self.url}/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


class Night:
    """Two releases of the gateway: the former, with every kind of reasoner, and one that fails."""

    def __init__(
        self, folder: Path, upstreams: dict[str, ScriptedServer], stack: ExitStack
    ) -> None:
        self.upstreams = upstreams
        file = KeysFile()
        self._keys = {}
        for tenant in ("modest", "greedy"):
            file, self._keys[tenant] = file.with_new_key(tenant, TenantRecord())
        file.write(folder / "keys.yaml")
        self.former = stack.enter_context(
            Service("gateway", self._config(folder), env=self._environment(folder, stack))
        )
        failing = stack.enter_context(ScriptedServer())
        config = self._config(folder)
        config["reasoners"] = {QUICK: {"url": f"{failing.url}/v1", "model": "scripted"}}
        self.current = stack.enter_context(Service("gateway", config))
        # It has not failed from its start on.
        assert [self.chat(QUICK, self.current) for _ in range(5)] == [200] * 5
        failing.script.status = 500
        failing.script.plain = {"error": {"message": "scripted"}}

    def _config(self, folder: Path) -> dict[str, Any]:
        return {
            "captioner": {"url": self.upstreams[QUICK].url},
            "reasoners": {
                name: {"url": f"{server.url}/v1", "model": "scripted"}
                | ({"max_in_flight": 1, "max_waiting": 100} if name == HELD else {})
                for name, server in self.upstreams.items()
            },
            "metrics": {"max_tenants": 10},
            "tenants": {"keys_file": str(folder / "keys.yaml")},
        }

    def _environment(self, folder: Path, stack: ExitStack) -> dict[str, str]:
        """Return that of the former release, which is this code under another version.

        Requests are traced that ask for it.
        """
        package = folder / "former" / "racro"
        package.mkdir(parents=True)
        for entry in (ROOT / "racro").iterdir():
            if entry.name not in {"__init__.py", "__pycache__"}:
                (package / entry.name).symlink_to(entry)
        (package / "__init__.py").write_text(f'__version__ = "{FORMER}"\n')
        collector = stack.enter_context(Collector())
        return collector.environment | {
            "PYTHONPATH": f"{package.parent}:{ROOT}",
            "PYTHONSAFEPATH": "1",  # or `-m` would put this folder first
            "OTEL_TRACES_SAMPLER": "parentbased_always_off",
        }

    def chat(
        self,
        reasoner: str,
        gateway: Service | None = None,
        *,
        tenant="modest",
        trace="",
        timeout_ms=0,
    ) -> int:
        """Ask for a stream, read it as far as it goes, and return its status."""
        headers = {"authorization": f"Bearer {self._keys[tenant]}"}
        if trace:
            headers["traceparent"] = f"00-{trace}-{'3' * 16}-01"
        if timeout_ms:
            headers["x-racro-timeout-ms"] = str(timeout_ms)
        body = {"model": reasoner, "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
        url = f"{(gateway or self.former).url}/v1/chat/completions"
        with http.client(trust_env=False) as client:
            try:
                return client.post(url, json=body, headers=headers).status_code
            except httpx2.TransportError:  # broken off
                return 0


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with ExitStack() as stack:
        names = (QUICK, SLOW_TO_BEGIN, SLOW_TO_END, BREAKING, HELD)
        upstreams = {name: stack.enter_context(ScriptedServer()) for name in names}
        upstreams[SLOW_TO_BEGIN].script.before_s = 0.4
        # Longer by two of the histogram's buckets.
        upstreams[SLOW_TO_END].script.between_s = 0.7
        upstreams[SLOW_TO_END].script.texts = ["a", "b", "c"]
        upstreams[BREAKING].script.die_after = 1
        upstreams[HELD].script.held_at = 0
        yield Night(tmp_path_factory.mktemp("night"), upstreams, stack)
        upstreams[HELD].script.held_at = None


@pytest.fixture(scope="module")
def traffic(night: Night) -> Iterator[None]:
    """Each reasoner is asked again and again, and so is the gateway that fails."""
    over = Event()

    def go_on(*asked: Any) -> None:
        while not over.wait(0.05):
            night.chat(*asked)

    names = (QUICK, SLOW_TO_BEGIN, SLOW_TO_END, BREAKING)
    with ThreadPoolExecutor(len(names) + 1) as pool:
        futures = [pool.submit(go_on, name) for name in names]
        futures.append(pool.submit(go_on, QUICK, night.current))
        try:
            yield
        finally:
            over.set()
    for future in futures:
        future.result()


@pytest.fixture(scope="module")
def prometheus(
    night: Night, traffic: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    with Prometheus(folder, [night.former, night.current]) as prometheus:
        yield prometheus


Answer = list[tuple[dict[str, str], float]]


def until(prometheus: Prometheus, query: str, holds: Callable[[Answer], bool]) -> Answer:
    """Ask until the answer is one that holds."""
    last: Answer = []

    def asked() -> bool:
        nonlocal last
        last = prometheus.ask(query)
        return holds(last)

    try:
        wait_until(asked, timeout_s=60, what="the answer")
    except AssertionError as error:
        raise AssertionError(f"{query} says {last}") from error
    return last


def test_a_slow_reasoner_is_first(prometheus: Prometheus) -> None:
    query, _ = queries("Which reasoner is slow?")
    asked = {QUICK, SLOW_TO_BEGIN, SLOW_TO_END}
    answer = until(
        prometheus, query, lambda answer: {labels["reasoner"] for labels, _ in answer} == asked
    )
    assert answer[0][0] == {"reasoner": SLOW_TO_END}


def test_a_reasoner_that_never_ends_is_told_by_its_timeouts(
    prometheus: Prometheus, night: Night
) -> None:
    _, query = queries("Which reasoner is slow?")

    def told(answer: Answer) -> bool:
        night.chat(HELD, timeout_ms=200)
        return [labels for labels, _ in answer] == [{"reasoner": HELD}]

    until(prometheus, query, told)


def test_broken_streams_are_those_of_the_reasoner_that_breaks(prometheus: Prometheus) -> None:
    [query] = queries("How many streams broke?")
    answer = until(prometheus, query, lambda answer: bool(answer) and answer[0][1] >= 3)
    assert [labels for labels, _ in answer] == [{"reasoner": BREAKING}]


def test_the_release_that_fails_is_told_and_when_it_began(
    prometheus: Prometheus, night: Night
) -> None:
    share, began = queries("Since which deploy?")
    answer = until(prometheus, share, lambda answer: bool(answer) and answer[0][1] == 1)
    assert answer == [
        ({"job": "gateway", "version": __version__}, 1),
        # It has timeouts, of the test above.
        ({"job": "gateway", "version": FORMER}, pytest.approx(0, abs=0.3)),
    ]
    started = {
        labels["version"]: value
        for labels, value in until(prometheus, began, lambda answer: len(answer) == 2)
    }
    assert started == {
        version: pytest.approx(gateway.metrics()["process_start_time_seconds"])
        for version, gateway in ((FORMER, night.former), (__version__, night.current))
    }


def test_prefill_is_told_from_decode(prometheus: Prometheus) -> None:
    [query] = queries("Is it prefill or decode?")

    def told(answer: Answer) -> bool:
        shares = {labels["reasoner"]: value for labels, value in answer}
        return shares.get(SLOW_TO_BEGIN, 0) > 0.5 > shares.get(SLOW_TO_END, 1)

    until(prometheus, query, told)


def test_the_slowest_requests_trace_is_found(prometheus: Prometheus, night: Night) -> None:
    [query] = queries("Which trace shows it?")
    for reasoner, trace in ((QUICK, FAST_TRACE), (SLOW_TO_END, SLOW_TRACE)):
        assert night.chat(reasoner, trace=trace) == 200
    found = wait_until(
        lambda: len(found := prometheus.exemplars(query)) >= 2 and found, what="the exemplars"
    )
    assert {trace for _, trace in found} == {FAST_TRACE, SLOW_TRACE}
    assert max(found)[1] == SLOW_TRACE


def test_the_tenant_that_fills_the_queue_is_first(prometheus: Prometheus, night: Night) -> None:
    [query] = queries("Whose requests fill the queue?")
    held = night.upstreams[HELD]
    tenants = ("greedy",) * 6 + ("modest",) * 2
    with ThreadPoolExecutor(len(tenants)) as pool:
        for tenant in tenants:
            pool.submit(night.chat, HELD, tenant=tenant)
        expected = [
            {"queue": f"reasoner {HELD}", "tenant": tenant} for tenant in ("greedy", "modest")
        ]
        try:
            until(prometheus, query, lambda answer: [labels for labels, _ in answer] == expected)
        finally:
            held.script.held_at = None
