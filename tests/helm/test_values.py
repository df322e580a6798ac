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
ON_VLLM = {"kind": "vllm", "model": "a/b"}
ON_TWO_GPUS = {
    "captioner": {"settings": {"captioner": {"engine": {"tensor_parallel": 2}}}},
    "reasoners": [ELSEWHERE],
}
ELSEWHERE_REDIS = {
    "redis": {
        "bundled": False,
        "url": "rediss://cache:6379/0",
        "passwordSecret": {"name": "other"},
    }
}
ON_CPUS = {"gateway.replicas", "images.captioner", "images.reasoner"}
ALL = merged(PROFILES["everything"], {"gateway": {"autoscaling": {"enabled": True}}})
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
        if isinstance(value, dict) and value and key != "annotations":
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


# Where another value is not simply one more, longer or the opposite.
ANOTHER: dict[str, Any] = {
    "fullnameOverride": "eyes",
    "images.pullPolicy": "Always",
    "images.pullSecrets": [],
    "gateway.tenants.open": {"gateway": {"tenants": {"open": True, "keysSecret": {"name": ""}}}},
    "gateway.service.type": "NodePort",
    "gateway.settings": {"gateway": {"settings": {"follow_up": False}}},
    "gateway.egress": [{"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}],
    "modelDefaults.egress": [{"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}],
    "modelDefaults.gpus": {"modelDefaults": {"gpus": 2}, **ON_TWO_GPUS},
    "modelDefaults.sharedMemory": "2Gi",
    "modelDefaults.modelCache.size": "9Gi",
    "modelDefaults.modelCache.accessModes": ["ReadOnlyMany"],
    "modelDefaults.tolerations": [],
    "modelDefaults.env": [],
    "gateway.tolerations": [{"key": "a"}],
    "captioner.url": {"captioner": {"url": "http://eyes:8001", "settings": None}},
    "captioner.settings": {"captioner": {"settings": {"log_level": "debug"}}},
    "reasoners": {"reasoners": [ELSEWHERE]},
    "redis.bundled": False,
    "redis.url": {"redis": {"bundled": False, "url": "redis://cache:6379/0"}},
    "redis.passwordSecret.name": ELSEWHERE_REDIS,
    "redis.passwordSecret.key": merged(
        ELSEWHERE_REDIS, {"redis": {"passwordSecret": {"key": "other"}}}
    ),
    "networkPolicy.ingressFrom": [],
    "networkPolicy.prometheusFrom": [],
    "networkPolicy.dnsTo": [{"podSelector": {}}],
    "networkPolicy.notPublic": ["10.0.0.0/8"],
    "networkPolicy.notPublicV6": ["2002::/16"],
    "httpRoute.parentRefs": [{"name": "other"}],
    "httpRoute.hostnames": ["other.example.com"],
    "metrics.serviceMonitor.interval": "30s",
    "tracing.endpoint": "http://collector:4318",
    "tracing.sampleRatio": 0.5,
    "tracing.to": [{"podSelector": {}}],
}


def another(path: str, value: Any) -> dict[str, Any]:
    """Values with something else at `path`."""
    new = ANOTHER.get(path)
    if isinstance(new, dict):
        return new
    if new is None:
        kinds = {bool: lambda: not value, int: lambda: value + 1, str: lambda: f"{value}x"}
        new = kinds.get(type(value), lambda: {"example.com/a": "b"})()
    for key in reversed(path.split(".")):
        new = {key: new}
    return new


@pytest.mark.parametrize("path", list(leaves(DEFAULTS)))
def test_every_value_changes_something(path: str) -> None:
    """Of what everything together makes, or of what a trial on CPUs makes."""
    base = PROFILES["cpu"] if path in ON_CPUS else ALL
    node: Any = merged(DEFAULTS, base)
    for key in path.split("."):
        node = node[key]
    before, after = Release(base), Release(merged(base, another(path, node)))
    assert (after.objects, after.notes) != (before.objects, before.notes)


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
        ({"gateway": {"settings": {"keep_alive": 5}}}, "'keep_alive'"),
        (
            {"gateway": {"settings": {"limits": {"max_images": "many"}}}},
            "/gateway/settings/limits/max_images",
        ),
        ({"captioner": {"settings": {"captioner": {"workerz": 2}}}}, "'workerz'"),
        (
            {"reasoners": [{"name": "a", "settings": {"engine": {**ON_VLLM, "gpu_memory": 2}}}]},
            "/reasoners/0/settings/engine/gpu_memory",
        ),
        (
            {"reasoners": [ELSEWHERE | {"gateway": {"context_token": 4096}}]},
            "'context_token'",
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
        ({"captioner": {"nodeSelector": {"gpu": True}}}, "/captioner/nodeSelector/gpu"),
        ({"captioner": {"rollout": {"deadlineSeconds": 9**9}}}, "/captioner/rollout"),
        ({"ingress": {"host": ""}}, "/ingress/host"),
        ({"reasoners": []}, "/reasoners"),
        ({"reasoners": [{"settings": {"model": "m"}}]}, "name"),
        ({"reasoners": [ELSEWHERE | {"name": "Big_One"}]}, "/reasoners/0/name"),
        ({"reasoners": [ELSEWHERE | {"urls": ["llm:8000"]}]}, "/reasoners/0/urls/0"),
        ({"reasoners": [ELSEWHERE | {"urls": ["https://me:pw@llm/v1"]}]}, "/reasoners/0/urls/0"),
        (
            {"reasoners": [ELSEWHERE | {"apiKeySecret": {"name": "llm"}}]},
            "/reasoners/0/apiKeySecret",
        ),
        (
            {"reasoners": [ELSEWHERE | {"apiKeySecret": {"name": "", "key": "key"}}]},
            "/reasoners/0/apiKeySecret/name",
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
        (
            {"reasoners": [ELSEWHERE | {"name": "a.b"}, ELSEWHERE | {"name": "a-b"}]},
            "reasoners: two are named a-b, or differ by . and - only",
        ),
        ({"reasoners": [{"name": "a", "model": "m"}]}, "a: model and apiKeySecret are for one"),
        (
            {"reasoners": [{"name": "a", "apiKeySecret": {"name": "s", "key": "k"}}]},
            "a: model and apiKeySecret are for one",
        ),
        (
            {"captioner": {"rollout": {"maxSurge": 0}}},
            "captioner.rollout: maxUnavailable must be 1 or more",
        ),
        (
            {"gateway": {"autoscaling": {"minReplicas": 11}}},
            "gateway.autoscaling: minReplicas is more",
        ),
        (
            {"reasoners": [{"name": "a", "autoscaling": {"minReplicas": 5}}]},
            "reasoners: a.autoscaling: minReplicas is more",
        ),
        (
            {"captioner": {"autoscaling": {"enabled": True}}},
            "captioner.autoscaling: only vLLM engines tell",
        ),
        (
            {"reasoners": [{"name": "a", "settings": {"engine": ON_VLLM}}]},
            "reasoners: a.gpus: is 0, its engine takes 1",
        ),
        (
            {
                "captioner": {
                    "gpus": 2,
                    "settings": {
                        "captioner": {"kind": "vlm", "engine": {**ON_VLLM, "tensor_parallel": 4}}
                    },
                }
            },
            "captioner.gpus: is 2, its engine takes 4",
        ),
        (
            {"captioner": {"modelCache": {"size": "9Gi", "accessModes": ["ReadWriteOnce"]}}},
            "captioner.modelCache: ReadWriteOnce is for one pod at a time",
        ),
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


@pytest.mark.parametrize("name", ["1eyes", "eyes.eu"])
def test_a_release_whose_name_is_no_name_for_a_service(name: str) -> None:
    with pytest.raises(helm_python.HelmRenderError, match=f"{name}-racro is no name|{name} is no"):
        Release(OPEN, name=name)
    assert Release(OPEN | {"fullnameOverride": "eyes"}, name=name).of("Service")


def test_releases_with_long_names_do_not_share_objects() -> None:
    one, other = (
        {
            found["metadata"]["name"]
            for found in Release(OPEN, name=f"production-vision-eyes-eu-west-{number}").objects
        }
        for number in (1, 2)
    )
    assert not one & other
    assert max(map(len, one)) <= 63


@pytest.mark.parametrize(
    "right",
    [
        {},
        {"reasoners": [{"name": "qwen2.5-7b"}]},
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


def test_a_null_reaches_the_services() -> None:
    """It says "do not send", and Helm's own functions leave nulls out."""
    unsent = {"sampling": {"temperature": None}, "stream_options": None}
    engine = {"url": "https://eyes.example.com/v1", "model": "m"}
    captioner = {"kind": "vlm", "temperature": None, "engine": engine}
    values = {
        "reasoners": [ELSEWHERE | {"name": "r1", "gateway": unsent}],
        "captioner": {"settings": {"captioner": captioner}},
        "gateway": {"settings": {"captioner": {"max_tokens": None}}},
    }
    release = Release(merged(OPEN, values))
    gateway = release.settings("gateway")
    assert gateway["captioner"]["max_tokens"] is None
    assert unsent.items() <= gateway["reasoners"]["r1"].items()
    assert release.settings("captioner")["captioner"]["temperature"] is None
