"""What a scraper gets in each of the two formats."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from conftest import gateway_config
from racro import __version__
from support import http
from support.processes import Service

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
# What Prometheus 3 sends.
PROMETHEUS = f"{OPENMETRICS}; escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.2"


@pytest.fixture
def gateway(captioner, reasoner):
    with Service("gateway", gateway_config(captioner.url, reasoner.url)) as service:
        body = {"messages": [{"role": "user", "content": "2 + 2?"}]}
        assert http.post(f"{service.url}/v1/chat/completions", json=body).status_code == 200
        yield service


def test_requests_and_errors_are_counted_from_0_on(gateway) -> None:
    """A rate sees nothing of the first failure where its series begins with that."""
    metrics = gateway.metrics()
    counts = {
        status: metrics[f'racro_requests_total{{route="/v1/chat/completions",status="{status}"}}']
        for status in (200, 500, 502, 503, 504)
    }
    assert counts == {200: 1, 500: 0, 502: 0, 503: 0, 504: 0}
    assert metrics['racro_errors_total{code="upstream_unavailable"}'] == 0


def scraped(gateway: Service, accept: str):
    answer = http.get(f"{gateway.url}/metrics", headers={"accept": accept})
    openmetrics = answer.headers["content-type"].startswith("application/openmetrics-text")
    read = read_openmetrics if openmetrics else read_text
    families = list(read(answer.text))
    return openmetrics, {sample.name: sample for family in families for sample in family.samples}


@pytest.mark.parametrize(
    ("accept", "is_openmetrics"),
    [
        (PROMETHEUS, True),
        (OPENMETRICS, True),
        ("text/plain", False),
        ("*/*", False),
        ("application/openmetrics-text;version=x.y", False),
        ("application/openmetrics-text;version=1.0.0;escaping=x", True),
        (f"{OPENMETRICS};q=0, text/plain", False),
        (f"{OPENMETRICS};q=0.0", False),
        (f"{OPENMETRICS};q=0.01", True),
        (";;,=,q=0", False),
    ],
)
def test_both_formats_have_the_same_series(gateway, accept, is_openmetrics) -> None:
    openmetrics, samples = scraped(gateway, accept)
    assert openmetrics == is_openmetrics
    assert {"racro_requests_total", "racro_request_seconds_bucket", "racro_ready"} <= samples.keys()
    assert not [name for name in samples if name.endswith("_created")]
    assert samples["racro_version"].labels == {"version": __version__}
    assert samples["process_start_time_seconds"].value > 0
