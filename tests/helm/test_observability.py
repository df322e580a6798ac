"""Alert rules and dashboard: they hold, and ask only for what the running services tell."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from racro.engines.vllm.vitals import RELAYED
from support import http
from support.processes import PATIENCE_S, Service

ROOT = Path(__file__).parents[2]
FILES = ROOT / "deploy/helm/racro/files"
RULES = FILES / "alerts.yaml"
RUNBOOKS = ROOT / "docs/runbooks"
RECEIPT = ROOT / "examples/receipt.png"

# The only ones that neither our services nor vLLM tell.
DCGM_EXPORTER = {"DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"}

GROUPS = yaml.safe_load(RULES.read_text())["groups"]
ALERTS = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]
RECORDED = {rule["record"] for group in GROUPS for rule in group["rules"] if "record" in rule}
DASHBOARD = json.loads((FILES / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}
TOKEN = re.compile(r'"[^"]*"|\d[\w.]*|[A-Za-z_:][\w:]*|[^\s\w]')
OPERATORS = {"and", "or", "unless", "offset", "bool", "inf", "nan"}
GROUPINGS = {"by", "without", "on", "ignoring", "group_left", "group_right"}


class Selector(NamedTuple):
    metric: str
    matchers: dict[str, str]
    """Only those that ask for a value as it is."""


def selectors(promql: str) -> Iterator[Selector]:
    tokens = iter([*TOKEN.findall(re.sub(r"\[[^]]*\]", "", promql)), ""])
    token = next(tokens)
    while token:
        name, token = token, next(tokens)
        if name in GROUPINGS:
            while token != ")":
                token = next(tokens)
        elif not re.match(r"[A-Za-z_:]", name) or name in OPERATORS | GROUPINGS:
            continue
        # An aggregation's labels may stand before its argument.
        elif token != "(" and token not in GROUPINGS:
            inside = []
            while token == "{" or (inside and token != "}"):
                inside.append(token)
                token = next(tokens)
            matchers = re.findall(r'([A-Za-z_]\w*)="([^"]*)"', "".join(inside))
            yield Selector(name, dict(matchers))


@pytest.mark.parametrize(
    ("promql", "found"),
    [
        ("up", [("up", {})]),
        ("sum(rate(a_total[5m])) / 2.5e3 > 1", [("a_total", {})]),
        ("sum by (job) (a) or sum without (b) (c)", [("a", {}), ("c", {})]),
        ("sum(a) by (b)", [("a", {})]),
        ("a * on (b) group_left (c) d offset 10m", [("a", {}), ("d", {})]),
        ('vllm:a{b="c", d=~"e and f", g!="h"} unless i', [("vllm:a", {"b": "c"}), ("i", {})]),
        ("max_over_time(a[$__rate_interval]) == bool 1", [("a", {})]),
        ('a{b="(c)"} + d', [("a", {"b": "(c)"}), ("d", {})]),
    ],
)
def test_selectors_are_found_in_promql(promql: str, found: list[tuple[str, dict]]) -> None:
    assert list(selectors(promql)) == found


def rule_expressions() -> Iterator[str]:
    return (rule["expr"] for group in GROUPS for rule in group["rules"])


def panel_expressions() -> Iterator[str]:
    return (target["expr"] for panel in PANELS for target in panel["targets"])


def asked() -> list[Selector]:
    """Of all rules, panels and variables, without what the rules record themselves."""
    queries = [variable["query"] for variable in DASHBOARD["templating"]["list"]]
    variables = [query["query"] for query in queries if isinstance(query, dict)]
    in_variables = [re.fullmatch(r"label_values\((\w+), \w+\)", query)[1] for query in variables]
    expressions = [*rule_expressions(), *panel_expressions(), *in_variables]
    every = [selector for expression in expressions for selector in selectors(expression)]
    return [selector for selector in every if selector.metric not in RECORDED]


def promtool(*arguments: str | Path) -> str:
    ran = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


class TestRules:
    def test_promtool_takes_them(self) -> None:
        found = sum(len(group["rules"]) for group in GROUPS)
        assert f"{found} rules found" in promtool("check", "rules", RULES)

    def test_promtools_unit_tests_hold(self) -> None:
        assert "SUCCESS" in promtool("test", "rules", ROOT / "tests/helm/alerts.test.yaml")

    def test_every_alert_has_a_unit_test_that_fires_it_and_one_that_does_not(self) -> None:
        tests = yaml.safe_load((ROOT / "tests/helm/alerts.test.yaml").read_text())["tests"]
        cases = [case for test in tests for case in test.get("alert_rule_test", [])]
        fires = {case["alertname"] for case in cases if case.get("exp_alerts")}
        stays_quiet = {case["alertname"] for case in cases if not case.get("exp_alerts")}
        assert fires == stays_quiet == {alert["alert"] for alert in ALERTS}

    @pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
    def test_an_alert_says_how_urgent_it_is_and_leads_to_its_runbook(self, alert) -> None:
        kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", alert["alert"]).lower()
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert alert["annotations"]["runbook_url"] == f"docs/runbooks/{kebab}.md"
        assert alert["annotations"]["summary"]
        assert alert["annotations"]["description"]

    def test_every_alert_has_a_runbook_and_every_runbook_an_alert(self) -> None:
        named = {ROOT / alert["annotations"]["runbook_url"] for alert in ALERTS}
        assert named == set(RUNBOOKS.iterdir())


class TestDashboard:
    def test_the_committed_one_is_what_the_script_makes(self) -> None:
        script = ROOT / "deploy/grafana/dashboard.py"
        made = subprocess.run(
            [sys.executable, script], capture_output=True, text=True, check=True, timeout=PATIENCE_S
        )
        assert made.stdout == (FILES / "dashboard.json").read_text()

    @pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
    def test_a_panel_has_a_title_a_unit_and_the_chosen_data_source(self, panel) -> None:
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert len(sources) > 1
        assert {source["uid"] for source in sources} == {"${datasource}"}

    def test_the_data_source_can_be_chosen(self) -> None:
        kinds = {variable["name"]: variable["type"] for variable in DASHBOARD["templating"]["list"]}
        assert kinds["datasource"] == "datasource"

    def test_no_panel_covers_another(self) -> None:
        taken = [
            (x, y)
            for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(taken) == len(set(taken))
        assert max(x for x, _ in taken) < 24

    def test_promtool_takes_every_query(self, tmp_path: Path) -> None:
        queries = [
            expression.replace("$__rate_interval", "5m").replace("$namespace", ".*")
            for expression in panel_expressions()
        ]
        rules = [{"record": f"panel:{n}", "expr": query} for n, query in enumerate(queries)]
        path = tmp_path / "panels.yaml"
        path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
        assert f"{len(queries)} rules found" in promtool("check", "rules", path)

    def test_the_gpu_row_alone_asks_dcgm_exporter(self) -> None:
        rows: dict[str, list[dict[str, Any]]] = {}
        for panel in DASHBOARD["panels"]:
            if panel["type"] == "row":
                panels = rows[panel["title"]] = []
            else:
                panels.append(panel)
        asking = {
            row
            for row, panels in rows.items()
            for panel in panels
            for target in panel["targets"]
            for selector in selectors(target["expr"])
            if selector.metric in DCGM_EXPORTER
        }
        assert asking == {"GPU"}


@pytest.fixture(scope="module")
def told(
    embedded_gateway: Service, ocr_captioner: Service, llama_reasoner: Service
) -> list[Metric]:
    """What the running services' /metrics have after one solve."""
    with http.client(trust_env=False) as client:
        with RECEIPT.open("rb") as image:
            solved = client.post(
                f"{embedded_gateway.url}/v1/solve",
                files={"image": ("receipt.png", image, "image/png")},
                data={"question": "What is the total?"},
            )
        assert solved.status_code == 200, solved.text
        families = []
        for service in (embedded_gateway, ocr_captioner, llama_reasoner):
            assert client.get(f"{service.url}/readyz").status_code == 200
            exposed = client.get(f"{service.url}/metrics")
            families += text_string_to_metric_families(exposed.text)
        return families


def names(families: list[Metric]) -> set[str]:
    return {family.name + suffix for family in families for suffix in SUFFIXES.get(family.type, [])}


def relayed_from_vllm(name: str) -> bool:
    """tests/vllm finds those in a real vLLM."""
    return re.sub(r"_(total|bucket|count|sum)$", "", name) in RELAYED


class TestRunningServices:
    def test_they_tell_every_metric_that_a_rule_or_a_panel_names(self, told: list[Metric]) -> None:
        own = {selector.metric for selector in asked()} - DCGM_EXPORTER
        assert {"racro_requests_total", "vllm:num_requests_waiting"} <= own
        unknown = {name for name in own - names(told) if not relayed_from_vllm(name)}
        assert unknown == set()

    def test_they_have_every_label_value_that_a_rule_or_a_panel_asks_for(
        self, told: list[Metric]
    ) -> None:
        samples = [sample for family in told for sample in family.samples]
        exact = [
            selector
            for selector in asked()
            if selector.matchers and selector.metric.startswith("racro_")
        ]
        assert Selector("racro_component_ok", {"component": "captioner"}) in exact
        unknown = [
            selector
            for selector in exact
            if not any(
                sample.name == selector.metric
                and selector.matchers.items() <= sample.labels.items()
                for sample in samples
            )
        ]
        assert unknown == []

    def test_they_say_that_they_are_ready_and_what_of(self, told: list[Metric]) -> None:
        states = [
            (sample.labels.get("component", "itself"), sample.value)
            for family in told
            if family.name in {"racro_ready", "racro_component_ok"}
            for sample in family.samples
        ]
        assert {value for _, value in states} == {1}
        assert [component for component, _ in states].count("itself") == 3
        assert {
            "captioner",
            "reasoner default",
            "cache",
            "keys",
            "settings",
            "engine",
        } <= dict(states).keys()

    def test_gateways_alone_have_the_metric_that_tells_them_apart(
        self, told: list[Metric], ocr_captioner: Service, llama_reasoner: Service
    ) -> None:
        mark = "racro_captioner_saved_seconds_total"
        assert mark in names(told)
        assert mark not in ocr_captioner.metrics().keys() | llama_reasoner.metrics().keys()
