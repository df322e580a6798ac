"""Prints the Grafana dashboard, as JSON, from the table of its panels.

`python deploy/grafana/dashboard.py > deploy/helm/racro/files/dashboard.json`
"""
# ruff: noqa: INP001 - a script, no package

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_CHOSEN = 'namespace=~"$namespace"'
_DOWN = 'state="down"'
_AWAKE = 'sleep_state="awake"'
_COLUMNS = 24
_HEIGHT = 8

_SERIES_OPTIONS = {
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
    "tooltip": {"mode": "multi", "sort": "desc"},
}
_STATES_OPTIONS = {
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
    "mergeValues": True,
    "rowHeight": 0.8,
    "showValue": "never",
    "tooltip": {"mode": "single"},
}


@dataclass(frozen=True)
class Panel:
    """Queries by their legends. `states` shows 1 as green and 0 as red, instead of a line."""

    title: str
    unit: str
    queries: Mapping[str, str]
    about: str = ""
    width: int = 8
    most: float | None = None
    stacked: bool = False
    states: bool = False


@dataclass(frozen=True)
class Row:
    title: str
    panels: Sequence[Panel]


def series(name: str, *matchers: str) -> str:
    """Those of the chosen namespaces; what has no such label matches All, which is `.*`."""
    return f"{name}{{{', '.join([_CHOSEN, *matchers])}}}"


def rate(name: str, *matchers: str, over: str = "$__rate_interval") -> str:
    return f"rate({series(name, *matchers)}[{over}])"


def of_gateways(vector: str, *, over: str = "$__rate_interval") -> str:
    """The services share metrics and routes; this one metric gateways alone have."""
    mark = f"present_over_time(racro_captioner_saved_seconds_total[{over}])"
    return f"{vector} and on (namespace, job, instance) {mark}"


def requests(*matchers: str, over: str = "$__rate_interval") -> str:
    counted = rate("racro_requests_total", 'route=~"/v1/.+"', *matchers, over=over)
    return of_gateways(counted, over=over)


def quantile(q: float, name: str, *matchers: str, by: str) -> str:
    return f"histogram_quantile({q}, sum by (le, {by}) ({rate(f'{name}_bucket', *matchers)}))"


def share(part: str, whole: str, by: str = "") -> str:
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} ({part}) / sum{grouping} ({whole})"


def burn(over: str) -> str:
    """How many times faster than allowed; no failure yet is 0, not a gap."""
    failed, all_of_them = requests('status=~"5.."', over=over), requests(over=over)
    return f"(sum ({failed}) or sum ({all_of_them}) * 0) / sum ({all_of_them}) / 0.005"


_ENGINE = "job, model_name"
_ENGINE_LEGEND = "{{job}} {{model_name}}"


def engine_quantile(title: str, name: str, about: str) -> Panel:
    return Panel(title, "s", {_ENGINE_LEGEND: quantile(0.95, name, by=_ENGINE)}, about)


def engine_rate(title: str, unit: str, name: str, about: str = "") -> Panel:
    return Panel(title, unit, {_ENGINE_LEGEND: f"sum by ({_ENGINE}) ({rate(name)})"}, about)


def engine_hits(title: str, name: str, about: str) -> Panel:
    hits = share(rate(f"{name}_hits_total"), rate(f"{name}_queries_total"), _ENGINE)
    return Panel(title, "percentunit", {_ENGINE_LEGEND: hits}, about, most=1)


ROWS = [
    Row(
        "State",
        [
            Panel(
                "What gateways find ready",
                "none",
                {
                    "{{component}}": f"min by (component) ("
                    f"{of_gateways(series('racro_component_ok'))})"
                },
                "Red where at least one gateway finds something wrong with it: "
                "/readyz of that gateway says what.",
                width=12,
                states=True,
            ),
            Panel(
                "Services that are ready",
                "none",
                {"{{job}} {{instance}}": series("racro_ready")},
                width=12,
                states=True,
            ),
            Panel(
                "Copies that are down",
                "short",
                {"{{component}}": f"max by (component) ({series('racro_replicas', _DOWN)})"},
                "Of the captioner and of each reasoner, as the gateway has it that finds most of "
                "them down. For a quarter of an hour it is a ticket.",
                width=12,
            ),
            Panel(
                "Processes by version",
                "short",
                {"{{job}} {{version}}": f"count by (job, version) ({series('racro_version')})"},
                "Gateways of two versions for an hour are a ticket.",
                width=12,
                stacked=True,
            ),
        ],
    ),
    Row(
        "Traffic",
        [
            Panel(
                "Requests by route",
                "reqps",
                {"{{route}}": f"sum by (route) ({requests()})"},
                "Of gateways, under /v1/.",
                stacked=True,
            ),
            Panel(
                "Requests being answered",
                "short",
                {"{{job}}": f"sum by (job) ({series('racro_in_flight_requests')})"},
            ),
            Panel(
                "Images",
                "ops",
                {"{{source}}": f"sum by (source) ({rate('racro_images_total')})"},
                "Accepted, by how they came.",
                stacked=True,
            ),
        ],
    ),
    Row(
        "Errors",
        [
            Panel(
                "Requests by status",
                "reqps",
                {"{{status}}": f"sum by (status) ({requests()})"},
                "499: the client left. A stream that breaks off keeps its 200; "
                "the errors by code count it.",
                width=6,
                stacked=True,
            ),
            Panel(
                "Errors by code",
                "ops",
                {"{{code}}": f"sum by (code) ({of_gateways(rate('racro_errors_total'))})"},
                "Shown to clients by gateways, in streams as well.",
                width=6,
            ),
            Panel(
                "Error budget burn",
                "short",
                {"1 hour": burn("1h"), "6 hours": burn("6h")},
                "1 uses a month's budget (0.5% of requests) up in a month; "
                "14.4 for an hour, or 6 for six, is a page.",
                width=6,
            ),
            Panel(
                "Clients that left",
                "ops",
                {"{{route}}": f"sum by (route) ({of_gateways(rate('racro_clients_gone_total'))})"},
                "Before their answer.",
                width=6,
            ),
            Panel(
                "Answers by how they ended",
                "ops",
                {
                    "{{reasoner}} {{outcome}}": "sum by (reasoner, outcome) "
                    f"({rate('racro_reasoner_answers_total')})"
                },
                "broken: after their first token, with status 200. One in twenty is a page.",
                width=12,
                stacked=True,
            ),
            Panel(
                "Refused by a full queue",
                "ops",
                {
                    "{{queue}} {{status}}": "sum by (queue, status) "
                    f"({rate('racro_queue_refusals_total')})"
                },
                "503: all room was taken; ten in ten minutes are a ticket. "
                "429: the tenant's share.",
                width=12,
            ),
        ],
    ),
    Row(
        "Stages",
        [
            *(
                Panel(
                    f"Stages, {name}",
                    "s",
                    {"{{stage}}": quantile(q, "racro_stage_seconds", by="stage")},
                    "perceive: what a request waited for captions. captioner: one call to the "
                    "captioner. first_token and reason count from asking the reasoner.",
                )
                for q, name in ((0.5, "median"), (0.95, "p95"), (0.99, "p99"))
            ),
            Panel(
                "First token",
                "s",
                {
                    name: quantile(q, "racro_stage_seconds", 'stage="first_token"', by="stage")
                    for q, name in ((0.5, "median"), (0.95, "p95"), (0.99, "p99"))
                },
                "p95 over 10 s for ten minutes is a ticket.",
                width=12,
            ),
            Panel(
                "Whole requests by route, p95",
                "s",
                {
                    "{{job}} {{route}}": quantile(
                        0.95, "racro_request_seconds", 'route=~"/v1/.+"', by="job, route"
                    )
                },
                "Of every service, from a request's first byte to its last.",
                width=12,
            ),
        ],
    ),
    Row(
        "Cache",
        [
            Panel(
                "Where visual contexts come from",
                "ops",
                {"{{result}}": f"sum by (result) ({rate('racro_cache_results_total')})"},
                "coalesced: another request's call was joined.",
                stacked=True,
            ),
            Panel(
                "Share that needs no captioner call",
                "percentunit",
                {
                    "hit or coalesced": share(
                        rate("racro_cache_results_total", 'result=~"hit|coalesced"'),
                        rate("racro_cache_results_total"),
                    )
                },
                most=1,
            ),
            Panel(
                "Parts found by tier",
                "ops",
                {"{{tier}}": f"sum by (tier) ({rate('racro_cache_hits_total')})"},
                "local: the process; redis: what another gateway, or this one earlier, has stored.",
                stacked=True,
            ),
            Panel(
                "Operations, p95",
                "s",
                {
                    "{{tier}} {{operation}}": quantile(
                        0.95, "racro_cache_seconds", by="tier, operation"
                    )
                },
                "A Redis that takes longer than cache.timeout_ms is left out.",
            ),
            Panel(
                "Redis in use",
                "none",
                {
                    "{{way}} {{instance}}": f"1 - max by (way, instance) "
                    f"({series('racro_cache_breaker_open')})"
                },
                "Red while a gateway leaves Redis out of reading or writing.",
                states=True,
            ),
            Panel(
                "Bytes",
                "Bps",
                {"{{way}}": f"sum by (way) ({rate('racro_cache_bytes_total')})"},
            ),
            Panel(
                "Captions that another gateway was getting",
                "ops",
                {"{{outcome}}": f"sum by (outcome) ({rate('racro_leases_total')})"},
                "taken_over: from one that died or gave up. alone: no Redis, too long a wait, "
                "or nothing there in the end.",
            ),
            Panel(
                "Captioner seconds saved a second",
                "short",
                {"seconds": f"sum ({rate('racro_captioner_saved_seconds_total')})"},
                "What cached parts once took: so many captioners more would be busy without a "
                "cache.",
            ),
            Panel(
                "Damaged entries",
                "ops",
                {"deleted": f"sum ({rate('racro_cache_damaged_total')})"},
            ),
        ],
    ),
    Row(
        "Tokens",
        [
            Panel(
                "Tokens",
                "suffix: tok/s",
                {
                    "{{stage}} {{direction}}": f"sum by (stage, direction) "
                    f"({rate('racro_tokens_total')})"
                },
                "As the services tell; cached captions cost none.",
                width=12,
            ),
            Panel(
                "Captioner tokens saved",
                "suffix: tok/s",
                {"saved": f"sum ({rate('racro_captioner_saved_tokens_total')})"},
                "What cached parts once took.",
                width=12,
            ),
        ],
    ),
    Row(
        "Engines (vLLM)",
        [
            Panel(
                "Requests running and waiting",
                "short",
                {
                    f"{_ENGINE_LEGEND} {state}": f"sum by ({_ENGINE}) "
                    f"({series(f'vllm:num_requests_{state}')})"
                    for state in ("running", "waiting")
                },
                "More than 10 that wait, and ever more of them, is a ticket.",
            ),
            engine_quantile("Time in the queue, p95", "vllm:request_queue_time_seconds", ""),
            Panel(
                "KV cache in use",
                "percentunit",
                {_ENGINE_LEGEND: f"max by ({_ENGINE}) ({series('vllm:kv_cache_usage_perc')})"},
                "Of the fullest engine. Full, requests wait or are preempted.",
                most=1,
            ),
            engine_quantile(
                "First token, p95",
                "vllm:time_to_first_token_seconds",
                "In the engine, its queue included.",
            ),
            engine_quantile(
                "Between tokens, p95",
                "vllm:inter_token_latency_seconds",
                "What a reader of a stream waits for the next piece.",
            ),
            engine_quantile("Whole requests, p95", "vllm:e2e_request_latency_seconds", ""),
            engine_rate("Tokens generated", "suffix: tok/s", "vllm:generation_tokens_total"),
            engine_rate(
                "Prompt tokens", "suffix: tok/s", "vllm:prompt_tokens_total", "Cached ones as well."
            ),
            engine_rate(
                "Prompt tokens from the cache", "suffix: tok/s", "vllm:prompt_tokens_cached_total"
            ),
            engine_hits(
                "Prefix cache hits",
                "vllm:prefix_cache",
                "Share of prompt tokens whose keys and values were there.",
            ),
            engine_hits(
                "Image cache hits",
                "vllm:mm_cache",
                "Share of images that were processed before.",
            ),
            engine_rate(
                "Preemptions",
                "ops",
                "vllm:num_preemptions_total",
                "Requests put back because the KV cache was full: their work is done twice.",
            ),
            Panel(
                "Finished requests",
                "reqps",
                {
                    "{{model_name}} {{finished_reason}}": f"sum by (model_name, finished_reason) "
                    f"({rate('vllm:request_success_total')})"
                },
                "By reason; length: cut by the token limit.",
                width=12,
            ),
            Panel(
                "Engines awake",
                "none",
                {
                    "{{job}} {{instance}}": "min by (job, instance) "
                    f"({series('vllm:engine_sleep_state', _AWAKE)})"
                },
                width=12,
                states=True,
            ),
        ],
    ),
    Row(
        "GPU",
        [
            Panel(
                "Busy",
                "percent",
                {"{{Hostname}} GPU {{gpu}}": "DCGM_FI_DEV_GPU_UTIL"},
                "From NVIDIA's dcgm-exporter, of every GPU that Prometheus knows.",
                width=12,
                most=100,
            ),
            Panel(
                "Memory in use",
                "percentunit",
                {
                    "{{Hostname}} GPU {{gpu}}": "DCGM_FI_DEV_FB_USED "
                    "/ (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE)"
                },
                "vLLM takes its share at its start; how full that is, the KV cache tells.",
                width=12,
                most=1,
            ),
        ],
    ),
    Row(
        "Processes",
        [
            Panel(
                "asyncio tasks",
                "short",
                {"{{job}} {{instance}}": series("racro_tasks")},
                "They come and go with requests. Ever more of them without requests is a leak.",
                width=8,
            ),
            Panel(
                "Engine restarts since the start",
                "short",
                {
                    "{{job}} {{instance}} {{cause}}": series("racro_engine_restarts_total"),
                },
                "ended: by themselves. unanswered: they hung. Three in an hour are a ticket.",
                width=8,
            ),
            Panel(
                "Changes of the settings since the start",
                "short",
                {"{{outcome}} {{instance}}": series("racro_reloads_total")},
                width=8,
            ),
        ],
    ),
]


def dashboard() -> dict[str, Any]:
    return {
        "uid": "racro",
        "title": "RACRO",
        "description": "docs/observability.md tells what each metric means.",
        "tags": ["racro"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_datasource_variable(), _namespace_variable()]},
        "panels": list(_placed(ROWS)),
    }


def _datasource_variable() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
    }


def _namespace_variable() -> dict[str, Any]:
    return {
        "name": "namespace",
        "label": "Namespace",
        "type": "query",
        "datasource": _DATASOURCE,
        "query": {"query": "label_values(racro_ready, namespace)", "refId": "namespaces"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def _placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Rows below one another, a row's panels from left to right."""
    number, top = 0, 0
    for row in rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": top, "w": _COLUMNS, "h": 1},
            "panels": [],
        }
        top, left = top + 1, 0
        for panel in row.panels:
            if left + panel.width > _COLUMNS:
                top, left = top + _HEIGHT, 0
            number += 1
            place = {"x": left, "y": top, "w": panel.width, "h": _HEIGHT}
            yield {"id": number, "gridPos": place, **_drawn(panel)}
            left += panel.width
        top += _HEIGHT


def _drawn(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.most is not None:
        defaults["max"] = panel.most
    if panel.states:
        defaults |= {
            "custom": {"fillOpacity": 80, "lineWidth": 0},
            "mappings": [
                {
                    "type": "value",
                    "options": {
                        "0": {"text": "no", "color": "red", "index": 0},
                        "1": {"text": "yes", "color": "green", "index": 1},
                    },
                }
            ],
        }
    else:
        stacking = {"mode": "normal" if panel.stacked else "none", "group": "A"}
        defaults["custom"] = {"fillOpacity": 30 if panel.stacked else 0, "stacking": stacking}
    return {
        "type": "state-timeline" if panel.states else "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": _DATASOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _STATES_OPTIONS if panel.states else _SERIES_OPTIONS,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _DATASOURCE,
                "expr": expression,
                "legendFormat": legend,
                "range": True,
            }
            for index, (legend, expression) in enumerate(panel.queries.items())
        ],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(dashboard(), indent=2) + "\n")
