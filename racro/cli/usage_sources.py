"""Where the counters of gateways are read: in gateways themselves, or in a Prometheus."""

import json
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from racro.cli.probing import Answer, NotServed, Probe, Problem, WrongAnswer, shown
from racro.cli.usage_counts import ANSWERS, COUNTERS, Sample
from racro.contracts.client import ClientError, gateway_url, split_url
from racro.servekit.tasks import all_of

_TIMEOUT_S = 60.0
_STARTED = "process_start_time_seconds"
_NO_PROMETHEUS = "name the URL of a Prometheus, such as http://prometheus:9090"
_NO_GATEWAY = "`racro up` prints the gateway's URL; captioners and reasoners count no tenants"


class Counted(NamedTuple):
    """The samples of counters, and since when they were counted, by gateway or for all."""

    samples: Sequence[Sample]
    since: dict[str, str]


async def read_gateways(urls: Sequence[str]) -> Counted:
    """Read the counters of gateways, each since its process started.

    Raises Problem, also where a gateway is given twice: it would count twice.
    """
    different = _different(urls)
    async with Probe(_TIMEOUT_S) as probe:
        read = await all_of(_read_gateway(probe, url) for url in different)
    samples = [sample for one in read for sample in one.samples]
    return Counted(samples, {url: since for one in read for url, since in one.since.items()})


def _different(given: Sequence[str]) -> list[str]:
    """Return the URLs of gateways as they are asked. Raises WrongAnswer where two are the same."""
    try:
        urls = [gateway_url(one) for one in given]
    except ClientError as error:
        raise WrongAnswer(str(error)) from error
    # Names of hosts are the same in any case.
    by_host: dict[tuple[str, str, str], str] = {}
    for url in urls:
        parts = split_url(url)
        key = parts.scheme, parts.netloc.lower(), parts.path
        if key in by_host:
            raise WrongAnswer(f"--gateway {url} is given twice, and would be counted twice")
        by_host[key] = url
    return urls


async def _read_gateway(probe: Probe, url: str) -> Counted:
    answer = await probe.request("GET", f"{url}/metrics")
    answer.check_status()
    families = {family.name: family for family in _families(answer)}
    if ANSWERS.removesuffix("_total") not in families:
        raise WrongAnswer(f"{url} is not a RACRO gateway: it counts no {ANSWERS}", _NO_GATEWAY)
    samples = [
        Sample(sample.name, sample.labels, sample.value)
        for family in families.values()
        for sample in family.samples
        if sample.name in COUNTERS
    ]
    return Counted(samples, {url: _started(families)})


def _families(answer: Answer) -> list[Metric]:
    try:
        return [*text_string_to_metric_families(answer.body.decode())]
    except (ValueError, IndexError, KeyError) as error:
        raise WrongAnswer(f"{answer.url} answers with no metrics", _NO_GATEWAY) from error


def _started(families: dict[str, Metric]) -> str:
    values = [sample.value for sample in families[_STARTED].samples] if _STARTED in families else []
    if not values:
        return "its start"
    return datetime.fromtimestamp(values[0], UTC).isoformat(timespec="seconds")


async def read_prometheus(given: str, since: str, match: dict[str, str]) -> Counted:
    """Read by how much counters grew in the last `since` ("30d"), over all gateways and restarts.

    Only series that have all labels of `match` count. Raises Problem.
    """
    try:
        parts = split_url(given)
    except ValueError as error:
        raise WrongAnswer(f"--prometheus {given}: no URL, {error}") from error
    url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    async with Probe(_TIMEOUT_S) as probe:
        found = await all_of(_grown(probe, url, counter, since, match) for counter in COUNTERS)
    samples = [sample for one in found for sample in one]
    if not samples:
        raise WrongAnswer(
            f"{url} knows no {ANSWERS} of the last {since}",
            "it has to scrape /metrics of the gateways",
        )
    return Counted(samples, {url: since})


async def _grown(
    probe: Probe, url: str, counter: str, since: str, match: dict[str, str]
) -> list[Sample]:
    selector = ", ".join(f"{label}={json.dumps(value)}" for label, value in match.items())
    increase = f"increase({counter}{{{selector}}}[{since}])"
    query = f"sum by ({', '.join(COUNTERS[counter])}) ({increase})"
    try:
        answer = await probe.request("GET", f"{url}/api/v1/query?{urlencode({'query': query})}")
        return [*_samples(counter, _result(url, answer))]
    except NotServed as error:
        raise WrongAnswer(f"{url} is not a Prometheus", _NO_PROMETHEUS) from error


def _result(url: str, answer: Answer) -> Any:
    """Return the result of a query. Raises Problem, with what Prometheus says."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    match body:
        case {"status": "error", "error": str(reason)}:
            raise WrongAnswer(f"{url} cannot tell: {shown(reason)}")
        case {"status": "success", "data": {"resultType": "vector", "result": list(result)}}:
            return result
    if answer.status < 300:  # noqa: PLR2004
        raise WrongAnswer(f"{url} is not a Prometheus", _NO_PROMETHEUS)
    answer.check_status()
    raise Problem(f"{url} is not a Prometheus", _NO_PROMETHEUS)


def _samples(counter: str, result: list[Any]) -> Iterator[Sample]:
    for one in result:
        match one:
            case {"metric": dict(labels), "value": [_, str(text)]}:
                value = float(text)
                if math.isfinite(value):
                    yield Sample(counter, labels, value)
