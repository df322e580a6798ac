"""The Helm chart, rendered as an installation would have it: no helm, no cluster."""

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/racro"
RELEASE, NAMESPACE = "eyes", "vision"

Values = Mapping[str, Any]
Object = dict[str, Any]


def merged(values: Values, more: Values) -> dict[str, Any]:
    """As Helm merges values files: mappings into one another, everything else replaced."""
    result = copy.deepcopy(dict(values))
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
PROFILES = {
    path.stem.removeprefix("values-"): yaml.safe_load(path.read_text())
    for path in sorted(CHART.glob("values-*.yaml"))
}
# Whatever the chart can make, at once.
PROFILES["everything"] = merged(
    PROFILES["gpus"],
    {
        "images": {"registry": "registry.example.com", "pullSecrets": [{"name": "registry"}]},
        "modelDefaults": {
            "runtimeClassName": "nvidia",
            "priorityClassName": "models",
            "affinity": {"nodeAffinity": {}},
            "podAnnotations": {"example.com/owner": "vision"},
            "env": [{"name": "HTTPS_PROXY", "value": "http://proxy.example.com:3128"}],
            "egress": [
                {
                    "to": [{"ipBlock": {"cidr": "10.20.0.6/32"}}],
                    "ports": [{"protocol": "TCP", "port": 3128}],
                }
            ],
        },
        "reasoners": [
            *PROFILES["gpus"]["reasoners"],
            {
                "name": "small",
                "settings": {"model": "qwen3-8b", "engine": {"kind": "vllm", "model": "q/q"}},
                "gpus": 1,
                "autoscaling": {"enabled": False},
                "modelCache": {"size": ""},
                "fromHub": False,
            },
            *PROFILES["elsewhere"]["reasoners"][1:],
        ],
        "redis": {"bundled": True, "url": "", "passwordSecret": {"name": ""}},
        "huggingFace": {"tokenSecret": {"name": "hub"}},
        "httpRoute": PROFILES["elsewhere"]["httpRoute"],
        "tracing": PROFILES["elsewhere"]["tracing"],
    },
)


class Release:
    """What one installation consists of."""

    def __init__(self, values: Values, *, name: str = RELEASE, namespace: str = NAMESPACE) -> None:
        made = _chart().render(dict(values), name=name, namespace=namespace)
        texts = {path.rpartition("/")[2]: text for path, text in made.items()}
        self.notes = texts.pop("NOTES.txt")
        self.objects: list[Object] = [
            found for text in texts.values() for found in yaml.safe_load_all(text) if found
        ]

    def of(self, kind: str) -> list[Object]:
        return [found for found in self.objects if found["kind"] == kind]

    def named(self, kind: str, component: str) -> Object:
        """`component`: gateway, captioner, redis, reasoner-<name>."""
        name = f"{RELEASE}-racro-{component}"
        [found] = [found for found in self.of(kind) if found["metadata"]["name"] == name]
        return found

    def container(self, component: str) -> Object:
        """The one of a component's pods."""
        [container] = self.named("Deployment", component)["spec"]["template"]["spec"]["containers"]
        return container

    def settings(self, component: str) -> dict[str, Any]:
        """Of a service, as its YAML."""
        [text] = self.named("ConfigMap", component)["data"].values()
        return yaml.safe_load(text)


@cache
def _chart() -> helm_python.Chart:
    return helm_python.Chart.load(CHART)
