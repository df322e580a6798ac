"""Nothing that an operator or a client can use is left out of the docs."""

import importlib
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from prometheus_client import REGISTRY
from pydantic import BaseModel
from typer.main import get_command

from gateway.app import create_gateway
from gateway.settings import GatewaySettings
from racro.cli.commands import SUMMARIES
from racro.engines.vllm.vitals import RELAYED
from services.captioner.app import create_captioner
from services.captioner.settings import CaptionerSettings
from services.reasoner.app import create_reasoner
from services.reasoner.settings import ReasonerSettings

DOCS = Path(__file__).parents[2] / "docs"
SETTINGS = [GatewaySettings, CaptionerSettings, ReasonerSettings]
REMOTE = {"kind": "url", "url": "http://127.0.0.1:1/v1", "model": "m"}


def setting_names(settings: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Dotted as in YAML; what a client or operator names himself is `<name>`."""
    for name, field in settings.model_fields.items():
        path = f"{prefix}{name}"
        sections = [*_sections(field.annotation)]
        if not sections:
            yield path
        for section, below in sections:
            yield from setting_names(section, f"{path}{below}.")


def _sections(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, ""
    elif get_origin(annotation) is dict:
        yield from ((section, ".<name>") for section, _ in _sections(get_args(annotation)[1]))
    elif get_origin(annotation) in {Union, types.UnionType}:
        for member in get_args(annotation):
            yield from _sections(member)


def missing(names: set[str], document: str) -> list[str]:
    path = DOCS / document
    assert path.is_file(), f"docs/{document} is missing"
    text = path.read_text()
    return sorted(name for name in names if not re.search(_whole(name), text))


def _whole(name: str) -> str:
    """The name with nothing stuck to it; operators may be shown any name of their own."""
    own = re.escape(name).replace("<name>", r"[\w<>*{}-]+")
    return rf"(?<![\w./]){own}(?![\w/]|\.\w)"


def test_setting_names_are_those_of_the_yaml() -> None:
    names = set(setting_names(GatewaySettings))
    assert {"port", "fetch.allow_private", "reasoners.<name>.sampling.top_p"} <= names
    assert not any(name.endswith((".", "sampling")) for name in names)
    assert {"captioner.engine.url", "captioner.workers"} <= set(setting_names(CaptionerSettings))


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_is_in_docs_settings(settings) -> None:
    assert missing(set(setting_names(settings)), "settings.md") == []


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_has_a_description(settings) -> None:
    def silent(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
        for name, field in model.model_fields.items():
            if not field.description and name != "kind":
                yield prefix + name
            for section, _ in _sections(field.annotation):
                yield from silent(section, f"{prefix}{name}.")

    assert list(silent(settings)) == []


def test_every_endpoint_is_in_docs_api() -> None:
    apps = [
        create_gateway(GatewaySettings()),
        create_captioner(CaptionerSettings()),
        create_reasoner(ReasonerSettings(engine=REMOTE)),
    ]
    paths = {path for app in apps for path in app.openapi()["paths"]}
    assert "/v1/solve" in paths
    assert missing(paths, "api.md") == []


def test_every_metric_is_in_docs_observability() -> None:
    exposed = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in REGISTRY.collect()
        if metric.name.startswith("racro_")
    }
    assert {"racro_requests_total", "racro_stage_seconds"} <= exposed
    assert missing(exposed | RELAYED, "observability.md") == []


def typed(command: Any, name: str) -> Iterator[str]:
    """A command and all below it, as typed, and their options."""
    yield name
    for parameter in command.params:
        yield from (
            option for option in (*parameter.opts, *parameter.secondary_opts) if "--" in option
        )
    for below, subcommand in getattr(command, "commands", {}).items():
        yield from typed(subcommand, f"{name} {below}")


def test_every_command_and_option_is_in_docs_cli() -> None:
    root = get_command(importlib.import_module("racro.cli.commands").app)
    known = {option for parameter in root.params for option in parameter.opts}
    for name in SUMMARIES:
        command = get_command(importlib.import_module(f"racro.cli.{name}").app)
        known |= set(typed(command, f"racro {name}"))
    assert {"--install-completion", "racro keys new", "--no-tentative"} <= known
    text = (DOCS / "cli.md").read_text()
    assert sorted(one for one in known if not re.search(rf"{re.escape(one)}(?![\w-])", text)) == []
