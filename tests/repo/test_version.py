"""One version, in racro/__init__.py; what cannot read it says the same."""

import importlib.metadata
import re
from pathlib import Path

import yaml

from racro import __version__

ROOT = Path(__file__).parents[2]


def test_the_package_the_chart_and_the_changelog_agree() -> None:
    chart = yaml.safe_load((ROOT / "deploy/helm/racro/Chart.yaml").read_text())
    [first, *_] = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert {importlib.metadata.version("racro"), chart["version"], chart["appVersion"], first} == {
        __version__
    }
