"""The embedded default is defined once; what cannot read the definition says the same."""

from pathlib import Path
from typing import Any

import yaml

from gateway.settings import GatewaySettings
from racro.embedded.default import REASONER, REASONER_SETTINGS, TEXT_REASONER
from services.reasoner.settings import ReasonerSettings

ROOT = Path(__file__).parents[2]


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def test_the_gateways_own_default() -> None:
    [reasoner] = GatewaySettings().reasoners.values()
    assert reasoner.model_dump(include=set(REASONER_SETTINGS)) == REASONER_SETTINGS


def test_the_reasoner_service_serves_both_models() -> None:
    settings = ReasonerSettings()
    assert [*settings.engine.served(settings.model)] == [REASONER, TEXT_REASONER]


def test_compose() -> None:
    [reasoner] = read("deploy/compose/gateway.yaml")["reasoners"].values()
    assert reasoner.pop("url")
    assert reasoner == REASONER_SETTINGS


def test_the_chart() -> None:
    [reasoner] = read("deploy/helm/racro/values.yaml")["reasoners"]
    assert {"model": reasoner["settings"]["model"], **reasoner["gateway"]} == REASONER_SETTINGS


def test_nothing_else_defines_it() -> None:
    """In code its names stand where they are defined."""
    folders = ("racro", "gateway", "services", "benchmarks", "experiments")
    elsewhere = [
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if f'"{REASONER}' in path.read_text()
    ]
    assert elsewhere == ["racro/embedded/default.py"]
