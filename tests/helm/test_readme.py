"""The README's `helm install`: the chart, the values and the namespace that it names."""

import argparse

import pytest
import yaml

from support.chart import CHART, Release, merged
from support.markdown import ROOT, run_by


@pytest.fixture
def commands() -> list[list[str]]:
    [block] = run_by(__file__)
    return block.commands


def installed(words: list[str]) -> argparse.Namespace:
    """Helm's arguments; an unknown one is an error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("chart")
    parser.add_argument("-n", dest="namespace")
    parser.add_argument("-f", dest="values")
    parser.add_argument("--set", dest="set")
    return parser.parse_args(words)


def nested(assignment: str) -> dict:
    """`images.registry=YOURS` as Helm reads it."""
    names, value = assignment.split("=")
    for name in reversed(names.split(".")):
        value = {name: value}
    return value


def test_it_installs_everything_into_the_namespace_that_was_made(commands) -> None:
    create, (helm, install, *words) = commands
    asked = installed(words)
    assert (helm, install) == ("helm", "install")
    assert create == ["kubectl", "create", "namespace", asked.namespace]
    assert (ROOT / asked.chart).samefile(CHART)
    values = merged(yaml.safe_load((ROOT / asked.values).read_text()), nested(asked.set))
    release = Release(values, name=asked.name, namespace=asked.namespace)
    assert {found["metadata"]["namespace"] for found in release.of("Deployment")} <= {
        asked.namespace
    }
    pods = [found["spec"]["template"]["spec"] for found in release.of("Deployment")]
    images = [container["image"] for pod in pods for container in pod["containers"]]
    ours = {image.partition(":")[0] for image in images if image.startswith("YOURS/")}
    assert ours == {"YOURS/racro-gateway", "YOURS/racro-captioner", "YOURS/racro-reasoner"}
