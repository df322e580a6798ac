"""Values: what is there is documented, what is wrong is refused with its path."""

import re
from collections.abc import Iterator
from typing import Any

import helm_python
import pytest

from support.chart import CHART, DEFAULTS, PROFILES, Release, Values, merged

OPEN = {"gateway": {"tenants": {"open": True}}}
KEYS = {"keysSecret": {"name": "keys"}}
ELSEWHERE = {"name": "a", "urls": ["http://llm:8000/v1"], "model": "m"}
# Names that mean what they mean in Kubernetes; values.yaml need not say it again.
KUBERNETES_OWN = {
    "accessModes",
    "affinity",
    "annotations",
    "className",
    "enabled",
    "limits",
    "maxReplicas",
    "minReplicas",
    "nodeSelector",
    "podAnnotations",
    "port",
    "priorityClassName",
    "pullPolicy",
    "replicas",
    "requests",
    "resources",
    "runtimeClassName",
    "storageClassName",
    "tolerations",
    "type",
}


@pytest.mark.parametrize("values", PROFILES.values(), ids=PROFILES)
def test_lint_has_nothing_to_say(values: Values) -> None:
    found = helm_python.lint(CHART, dict(values), strict=True)
    assert found["errors"] == []
    assert [message["error"] for message in found["messages"]] == ["icon is recommended"]


def test_the_defaults_want_to_know_who_may_ask() -> None:
    with pytest.raises(helm_python.HelmRenderError, match=r"gateway\.tenants: name keysSecret"):
        Release({})


def leaves(values: Values, above: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def schema_at(path: str) -> Any:
    """What the schema says of the value at `path`; None: nothing."""
    schema = helm_python.Chart.load(CHART).schema
    node = schema
    for key in path.split("."):
        node = _resolved(schema, node).get("properties", {}).get(key)
        if node is None:
            return None
    return node


def _resolved(schema: Any, node: Any) -> Any:
    if "$ref" not in node:
        return node
    definition = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return merged(_resolved(schema, definition), {k: v for k, v in node.items() if k != "$ref"})


def test_the_schema_knows_every_value() -> None:
    free = {"resources", "labels", "nodeSelector", "annotations", "rollout"}
    known = [path for path in leaves(DEFAULTS) if not free & set(path.split("."))]
    assert len(known) > 60
    assert [path for path in known if schema_at(path) is None] == []


def test_every_value_is_explained() -> None:
    """By a comment beside it, above it and its neighbours, or above the group that it is in."""
    silent, groups, run = [], {}, None
    for line in (CHART / "values.yaml").read_text().splitlines():
        indent = len(line) - len(line.lstrip())
        key = re.match(r" *(?:- )?([A-Za-z]\w*):(?: |$)(.*)", line)
        if key is None:
            run = indent if line.lstrip().startswith("#") else None
            continue
        name, rest = key.groups()
        groups = {above: is_explained for above, is_explained in groups.items() if above < indent}
        is_explained = run == indent or "#" in rest or name in KUBERNETES_OWN
        if not rest:
            groups[indent] = is_explained
        elif not is_explained and not any(groups.values()):
            silent.append(line.strip())
    assert silent == []


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"gatway": {}}, "gatway"),
        ({"gateway": {"replicas": 0}}, "/gateway/replicas"),
        ({"gateway": {"replica": 2}}, "replica"),
        ({"gateway": {"service": {"port": 70000}}}, "/gateway/service/port"),
        ({"gateway": {"service": {"type": "Loadbalancer"}}}, "/gateway/service/type"),
        ({"gateway": {"autoscaling": {"targetCPU": 0}}}, "/gateway/autoscaling/targetCPU"),
        ({"gateway": {"settings": {"port": 9}}}, "/gateway/settings/port"),
        ({"gateway": {"settings": {"cache": {"url": "x"}}}}, "/gateway/settings/cache/url"),
        (
            {"gateway": {"settings": {"limits": {"max_timeout_s": 9}}}},
            "/gateway/settings/limits/max_timeout_s",
        ),
        ({"gateway": {"tenants": {"key": "sk-1"}}}, "key"),
        ({"longestRequestSeconds": "ten"}, "/longestRequestSeconds"),
        ({"modelDefaults": {"gpus": -1}}, "/modelDefaults/gpus"),
        ({"modelDefaults": {"gpu": 1}}, "gpu"),
        ({"captioner": {"sharedMemory": "lots"}}, "/captioner/sharedMemory"),
        ({"captioner": {"modelCache": {"size": "100GB"}}}, "/captioner/modelCache/size"),
        ({"captioner": {"settings": {"host": "::"}}}, "/captioner/settings/host"),
        ({"captioner": {"url": "captioner:8001"}}, "/captioner/url"),
        ({"captioner": None}, "captioner"),
        ({"reasoners": []}, "/reasoners"),
        ({"reasoners": [{"settings": {"model": "m"}}]}, "name"),
        ({"reasoners": [ELSEWHERE | {"name": "Big_One"}]}, "/reasoners/0/name"),
        ({"reasoners": [ELSEWHERE | {"urls": ["llm:8000"]}]}, "/reasoners/0/urls/0"),
        ({"reasoners": [ELSEWHERE | {"urls": ["https://me:pw@llm/v1"]}]}, "/reasoners/0/urls/0"),
        (
            {"reasoners": [ELSEWHERE | {"apiKeySecret": {"name": "llm"}}]},
            "/reasoners/0/apiKeySecret",
        ),
        ({"reasoners": [ELSEWHERE | {"gateway": {"url": "x"}}]}, "/reasoners/0/gateway/url"),
        ({"redis": {"url": "localhost:6379"}}, "/redis/url"),
        ({"redis": {"url": "redis://:secret@cache:6379/0"}}, "/redis/url"),
        ({"redis": {"password": "secret"}}, "password"),
        ({"networkPolicy": {"dnsTo": []}}, "/networkPolicy/dnsTo"),
        ({"tracing": {"sampleRatio": 2}}, "/tracing/sampleRatio"),
        ({"tracing": {"to": []}}, "/tracing/to"),
        ({"metrics": {"serviceMonitor": {"interval": 15}}}, "/metrics/serviceMonitor/interval"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_schema_refuses_a_wrong_value_with_its_path(wrong: Values, path: str) -> None:
    with pytest.raises(helm_python.HelmError, match=re.escape(path)):
        Release(merged(OPEN, wrong))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gateway": {"tenants": {**KEYS, "open": True}}}, "open and keysSecret.name exclude"),
        ({"gateway": {"tenants": {**KEYS, "open": False}}}, "gateway.tenants.cacheSecret.name"),
        ({"reasoners": [ELSEWHERE, ELSEWHERE]}, "reasoners: two are named a"),
        ({"reasoners": [{"name": "a", "settings": {}}]}, "a needs settings.model"),
        ({"reasoners": [{"name": "a"}]}, "a needs settings.model"),
        (
            {"reasoners": [{"name": "a", "urls": ["http://llm:8000/v1"]}]},
            "a has urls and needs model",
        ),
        (
            {"reasoners": [ELSEWHERE | {"settings": {"model": "m"}}]},
            "a: urls and settings exclude",
        ),
        (
            {"captioner": {"url": "http://eyes:8001", "settings": {"log_level": "debug"}}},
            "captioner: url and settings exclude",
        ),
        ({"redis": {"url": "redis://cache:6379/0"}}, "set bundled: false"),
        ({"redis": {"passwordSecret": {"name": "redis"}}}, "redis.passwordSecret: for the Redis"),
        ({"httpRoute": {"enabled": True}}, "httpRoute.parentRefs"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_go_together_is_refused_with_a_reason(wrong: Values, message: str) -> None:
    with pytest.raises(helm_python.HelmRenderError, match=re.escape(message)):
        Release(merged(OPEN, wrong))


@pytest.mark.parametrize(
    "right",
    [
        {},
        {"gateway": {"tenants": {**KEYS, "open": False}}, "redis": {"bundled": False}},
        {"gateway": {"tenants": {**KEYS, "open": False}, "settings": {"cache": {"share": True}}}},
        {"captioner": {"url": "https://eyes.example.com/racro"}},
        {"reasoners": [ELSEWHERE | {"apiKeySecret": {"name": "llm", "key": "key"}}]},
        {"redis": {"bundled": False, "url": "rediss://cache.example.com:6380/1"}},
        {"networkPolicy": {"ingressFrom": [], "prometheusFrom": []}},
        {"networkPolicy": {"enabled": False}},
        {"fullnameOverride": "eyes"},
        {"global": {"anything": 1}},
    ],
    ids=str,
)
def test_right_values_are_taken(right: Values) -> None:
    assert Release(merged(OPEN, right)).of("Deployment")
