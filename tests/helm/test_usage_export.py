"""`racro usage` out of a real Prometheus: over two gateways, and over a restart of one of them."""

import csv
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
import yaml

from racro.base.ports import free_port
from support import http
from support.command import invoke
from support.keyed import KeyedGateway
from support.processes import PATIENCE_S, wait_until


@contextmanager
def prometheus(folder: Path, targets: list[str]) -> Iterator[str]:
    """A Prometheus that scrapes every 0.2 seconds, by its URL."""
    job = {"job_name": "gateway", "static_configs": [{"targets": targets}]}
    config = {"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"}}
    (folder / "prometheus.yml").write_text(yaml.safe_dump({**config, "scrape_configs": [job]}))
    address = f"127.0.0.1:{free_port()}"
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: is_ready(f"http://{address}"), what="Prometheus")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def is_ready(url: str) -> bool:
    try:
        return http.get(f"{url}/-/ready").status_code == 200
    except httpx2.TransportError:
        return False


def scraped(url: str, instance: str, value: float) -> bool:
    """Whether it has seen so many answers to acme by that gateway's present process."""
    query = (
        f'racro_reasoner_answers_total{{tenant="acme",outcome="complete",instance="{instance}"}}'
    )
    answer = http.get(f"{url}/api/v1/query", params={"query": query})
    return [one["value"][1] for one in answer.json()["data"]["result"]] == [str(value)]


def usage(url: str, *options: str) -> list[dict[str, Any]]:
    told = invoke("usage", "--prometheus", url, "--since", "1h", "--format", "json", *options)
    assert told.returncode == 0, told.stderr
    rows: list[dict[str, Any]] = json.loads(told.stdout)["usage"]
    return rows


def test_it_adds_up_gateways_and_restarts(captioner, reasoner, tmp_path) -> None:
    folders = [tmp_path / "a", tmp_path / "b", tmp_path / "prometheus"]
    for folder in folders:
        folder.mkdir()
    with (
        KeyedGateway(folders[0], captioner, reasoner, ["acme", "bolt"], max_tenants=2) as one,
        KeyedGateway(folders[1], captioner, reasoner, ["acme", "bolt"], max_tenants=2) as other,
    ):
        instances = [gateway.url.removeprefix("http://") for gateway in (one, other)]
        with prometheus(folders[2], instances) as url:
            for instance in instances:
                wait_until(lambda of=instance: scraped(url, of, 0), what="the first scrape")
            for gateway in (one, other):
                for _ in range(5):
                    assert gateway.solve("acme").status_code == 200
            for instance in instances:
                wait_until(lambda of=instance: scraped(url, of, 5), what="the scrape")
            one.service.restart(one.config)
            wait_until(lambda: scraped(url, instances[0], 0), what="the restart")
            assert one.solve("acme").status_code == 200
            wait_until(lambda: scraped(url, instances[0], 1), what="the last scrape")

            rows = {(row["tenant"], row["stage"]): row for row in usage(url)}
            assert rows.keys() == {("acme", "reasoner"), ("acme", "captioner")}
            # Prometheus extrapolates to the edges of the time: of seconds, by some percent.
            assert 11 <= rows["acme", "reasoner"]["complete"] <= 14
            assert 77 <= rows["acme", "reasoner"]["prompt_tokens"] <= 98
            assert 11 <= rows["acme", "captioner"]["images"] <= 14

            matched = usage(url, "--match", "job=gateway")
            assert [row["tenant"] for row in matched] == ["acme", "acme"]
            nothing = invoke("usage", "--prometheus", url, "--match", 'job="other"')
            assert (nothing.returncode, nothing.stdout) == (1, "")
            assert "has to scrape /metrics of the gateways" in nothing.stderr
            as_csv = invoke("usage", "--prometheus", f"{url}/", "--format", "csv")
            assert [*csv.DictReader(StringIO(as_csv.stdout))][1]["model"] == "default"
            assert "in the last 30d, as far back as" in as_csv.stderr
