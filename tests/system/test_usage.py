"""Who uses how much: the label `tenant` of metrics, the GenAI metrics, and `racro usage`."""

import csv
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from io import StringIO

import pytest
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

from racro.servekit import gen_ai_metrics as ours
from support import http
from support.command import invoke
from support.keyed import KeyedGateway
from support.pictures import data_url, png
from support.processes import Service, wait_until
from support.scripted import Fixed

ANSWERS, TOKENS = "racro_reasoner_answers_total", "racro_tokens_total"
OUTCOMES = ("complete", "broken", "refused", "failed", "timeout", "left")


@pytest.fixture(scope="module")
def used(_scripted_captioner, _scripted_reasoner, tmp_path_factory) -> Iterator[KeyedGateway]:
    """A gateway that two named tenants used, and two that share a label."""
    folder = tmp_path_factory.mktemp("keys")
    tenants = ["acme", "bolt", "cave", "dune"]
    _scripted_captioner.reset()
    _scripted_reasoner.reset()
    with KeyedGateway(
        folder, _scripted_captioner, _scripted_reasoner, tenants, max_tenants=2
    ) as gateway:
        for stream in (False, True):
            assert gateway.chat("acme", stream=stream).status_code == 200
            assert gateway.solve("acme", stream=stream).status_code == 200
        assert gateway.solve("bolt").status_code == 200
        assert gateway.chat("cave").status_code == 200
        assert gateway.chat("dune").status_code == 200
        yield gateway


class TestLabels:
    def test_the_first_tenants_are_named_and_the_others_are_one(self, used) -> None:
        answers = used.by_tenant(ANSWERS, outcome="complete", reasoner="default")
        assert answers == {"acme": 4, "bolt": 1, "(other)": 2}

    def test_tokens_images_captions_and_pages(self, used) -> None:
        usage = {"acme": 2, "bolt": 1, "(other)": 0}
        assert used.by_tenant("racro_images_total", source="data_url") == usage
        assert used.by_tenant("racro_cache_results_total", result="bypass") == usage
        assert used.by_tenant("racro_pages_total") == dict.fromkeys(usage, 0)
        # A streamed chat tells its tokens where its client asks for them.
        prompt = used.by_tenant(TOKENS, stage="reasoner", direction="prompt")
        assert (prompt["bolt"], prompt["(other)"], prompt["acme"] % 7) == (7, 14, 0)
        captioned = used.by_tenant(TOKENS, stage="captioner", direction="completion")
        assert captioned["acme"] == 2 * captioned["bolt"] > 0

    def test_all_outcomes_of_a_tenant_begin_together(self, used) -> None:
        for outcome in OUTCOMES[1:]:
            expected = {"acme": 0, "bolt": 0, "(other)": 0}
            assert used.by_tenant(ANSWERS, outcome=outcome) == expected

    def test_models_are_counted_as_the_conventions_say(self, used) -> None:
        labels = (
            'gen_ai_operation_name="chat",gen_ai_provider_name="openai",'
            'gen_ai_request_model="scripted"'
        )
        metrics = used.service.metrics()
        calls = metrics[f'gen_ai_client_operation_duration_seconds_count{{error_type="",{labels}}}']
        tokens = metrics[f'gen_ai_client_token_usage_sum{{{labels},gen_ai_token_type="input"}}']
        assert calls == 7
        assert tokens == sum(used.by_tenant(TOKENS, stage="reasoner", direction="prompt").values())

    def test_the_names_are_those_of_the_conventions(self) -> None:
        duration = gen_ai_metrics.GEN_AI_CLIENT_OPERATION_DURATION.replace(".", "_") + "_seconds"
        usage = gen_ai_metrics.GEN_AI_CLIENT_TOKEN_USAGE.replace(".", "_")
        [told] = ours.OPERATION_SECONDS.collect()
        [tokens] = ours.TOKEN_USAGE.collect()
        assert (told.name, tokens.name) == (duration, usage)
        labels = [
            gen_ai_attributes.GEN_AI_OPERATION_NAME,
            gen_ai_attributes.GEN_AI_PROVIDER_NAME,
            gen_ai_attributes.GEN_AI_REQUEST_MODEL,
            gen_ai_attributes.GEN_AI_TOKEN_TYPE,
        ]
        assert list(ours.TOKEN_USAGE._labelnames) == [one.replace(".", "_") for one in labels]


def test_it_is_seen_whose_requests_fill_the_queue(captioner, reasoner, tmp_path) -> None:
    reasoner.script.held_at = 0
    with (
        KeyedGateway(
            tmp_path, captioner, reasoner, ["acme", "bolt"],
            max_tenants=2, max_in_flight=2, max_waiting=6,
        ) as gateway,
        ThreadPoolExecutor(8) as pool,
        ExitStack() as stack,
    ):  # fmt: skip
        # Also where the test fails: the pool would wait for ever.
        stack.callback(setattr, reasoner.script, "held_at", None)

        def counts() -> tuple[dict[str, float], dict[str, float]]:
            queue = "reasoner default"
            return (
                gateway.by_tenant("racro_queue_in_flight", queue=queue),
                gateway.by_tenant("racro_queue_waiting", queue=queue),
            )

        none = {"acme": 0, "bolt": 0, "(other)": 0}
        assert counts() == (none, none)
        asked = [pool.submit(gateway.chat, "acme") for _ in range(2)]
        wait_until(lambda: counts() == ({**none, "acme": 2}, none), what="two in flight")
        asked += [pool.submit(gateway.chat, "acme") for _ in range(3)]
        asked.append(pool.submit(gateway.chat, "bolt"))
        full = {**none, "acme": 2}, {**none, "acme": 3, "bolt": 1}
        wait_until(lambda: counts() == full, what="who waits")
        assert gateway.chat("acme").status_code == 429
        refused = gateway.by_tenant("racro_queue_refusals_total", status="429")
        assert refused["acme"] >= 1
        assert refused["bolt"] == 0
        reasoner.script.held_at = None
        assert {one.result().status_code for one in asked} == {200}
        wait_until(lambda: counts() == (none, none), what="the end")


def test_a_removed_tenant_is_forgotten_when_its_place_is_needed(
    captioner, reasoner, tmp_path
) -> None:
    with KeyedGateway(tmp_path, captioner, reasoner, ["acme", "bolt"], max_tenants=2) as gateway:
        assert gateway.chat("acme").status_code == 200
        gateway.remove("acme")
        wait_until(lambda: not gateway.knows("acme"), what="the key is refused")
        # What it used is still told.
        assert gateway.by_tenant(ANSWERS, outcome="complete")["acme"] == 1
        gateway.add("cave")
        wait_until(lambda: gateway.knows("cave"), what="the key works")
        answers = gateway.by_tenant(ANSWERS, outcome="complete")
        assert answers == {"bolt": 0, "cave": 0, "(other)": 0}
        assert not any("acme" in series for series in gateway.service.metrics())


def test_without_the_setting_the_label_is_empty(captioner, reasoner, tmp_path) -> None:
    with KeyedGateway(tmp_path, captioner, reasoner, ["acme"], max_tenants=0) as gateway:
        assert gateway.chat("acme").status_code == 200
        assert gateway.by_tenant(ANSWERS, outcome="complete") == {"": 1}
        assert gateway.by_tenant("racro_queue_waiting", queue="captioner") == {"": 0}
        told = invoke("usage", "--gateway", gateway.url)
        assert (told.returncode, told.stdout) == (1, "")
        assert "metrics.max_tenants" in told.stderr
        assert "tenants.keys_file" in told.stderr


def test_calls_of_the_captioner_s_engine_are_counted(reasoner) -> None:
    engine = {"kind": "url", "url": f"{reasoner.url}/v1", "model": "eyes", "revision": "r1"}
    with Service(
        "services.captioner", {"captioner": {"kind": "vlm", "engine": engine}}
    ) as captioner:
        body = {"images": [data_url(png())], "parts": ["caption"]}
        assert http.post(f"{captioner.url}/v1/perceive", json=body).status_code == 200
        reasoner.script.fixed = {"/v1/chat/completions": Fixed(500, b"{}")}
        assert http.post(f"{captioner.url}/v1/perceive", json=body).status_code >= 500
        metrics = captioner.metrics()
    calls = {
        name.split('error_type="')[1].split('"')[0]: value
        for name, value in metrics.items()
        if name.startswith("gen_ai_client_operation_duration_seconds_count")
    }
    assert calls == {"": 1, "upstream_unavailable": 1}
    tokens = [
        value for name, value in metrics.items() if name.startswith("gen_ai_client_token_usage_sum")
    ]
    assert sorted(tokens) == [3, 7]


class TestCommand:
    def test_a_table_for_people(self, used) -> None:
        told = invoke("usage", "--gateway", used.url)
        assert told.returncode == 0, told.stderr
        assert "(other)" in told.stdout
        assert f"by {used.url}" in told.stdout
        assert "since 20" in told.stdout
        assert "metrics.max_tenants" in told.stderr

    def test_json_for_programs(self, used) -> None:
        told = json.loads(invoke("usage", "--gateway", used.url, "--format", "json").stdout)
        [since] = told["since"].values()
        assert since.startswith("20")
        rows = {(row["tenant"], row["stage"]): row for row in told["usage"]}
        answered = rows["acme", "reasoner"]
        assert (answered["model"], answered["requests"], answered["complete"]) == ("default", 4, 4)
        assert rows["acme", "captioner"]["images"] == 2
        assert rows["bolt", "reasoner"]["prompt_tokens"] == 7
        assert ("(other)", "captioner") not in rows

    def test_csv_of_two_gateways_is_their_sum(self, used, captioner, reasoner, tmp_path) -> None:
        with KeyedGateway(tmp_path, captioner, reasoner, ["bolt"], max_tenants=1) as other:
            assert other.solve("bolt").status_code == 200
            both = ("--gateway", used.url, "--gateway", f"{other.url}/v1/")
            told = invoke("usage", *both, "--format", "csv")
        rows = [*csv.DictReader(StringIO(told.stdout))]
        [bolt] = [row for row in rows if row["tenant"] == "bolt" and row["stage"] == "reasoner"]
        assert bolt["requests"] == "2"
        assert "since" in told.stderr

    def test_a_gateway_that_is_given_twice_is_not_counted_twice(self, used) -> None:
        told = invoke("usage", "--gateway", used.url, "--gateway", f"{used.url}/v1/")
        assert (told.returncode, told.stdout) == (1, "")
        assert "given twice" in told.stderr

    def test_what_is_no_gateway_is_told(self, used, captioner, reasoner) -> None:
        for url, said in [
            ("http://127.0.0.1:9", "nothing listens"),
            (captioner.url, "not served"),
            ("ftp://here", "no gateway's URL"),
        ]:
            told = invoke("usage", "--gateway", url)
            assert (told.returncode, told.stdout) == (1, "")
            assert said in told.stderr

    def test_what_is_no_prometheus_is_told(self, used) -> None:
        told = invoke("usage", "--prometheus", used.url)
        assert (told.returncode, told.stdout) == (1, "")
        assert "is not a Prometheus" in told.stderr

    @pytest.mark.parametrize(
        "options",
        [
            ("--prometheus", "p", "--since", "30"),
            ("--prometheus", "p", "--match", "namespace"),
            ("--prometheus", "p", "--gateway", "g"),
            ("--format", "xml"),
        ],
        ids=" ".join,
    )
    def test_what_cannot_be_a_command(self, options) -> None:
        assert invoke("usage", *options).returncode == 2
