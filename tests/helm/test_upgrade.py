"""The chart renders what 0.1 was installed with, as `helm upgrade --reuse-values` hands it on."""

from pathlib import Path

import pytest
import yaml

from racro import __version__
from support.chart import Release, merged

OLD = Path(__file__).parents[1] / "compatibility/0.1/chart"
DEFAULTS = yaml.safe_load((OLD / "values.yaml").read_text())


@pytest.mark.parametrize("path", sorted(OLD.glob("values-*.yaml")), ids=lambda path: path.stem)
def test_values_of_an_earlier_version_render(path: Path) -> None:
    values = yaml.safe_load(path.read_text())
    reused = Release(merged(DEFAULTS, values))
    deployments = {found["metadata"]["name"] for found in reused.of("Deployment")}
    assert deployments >= {"eyes-racro-gateway", "eyes-racro-captioner"}
    assert reused.container("gateway")["image"].endswith(f"racro-gateway:{__version__}")
