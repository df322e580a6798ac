"""Nothing that an operator or a client can use is left out of the docs."""

import re
import tomllib
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from prometheus_client import REGISTRY
from pydantic import BaseModel, Discriminator
from pydantic.fields import FieldInfo
from typer.main import get_command

from gateway.app import create_gateway
from gateway.settings import GatewaySettings
from racro.cli.commands import SUMMARIES, app, imported
from racro.contracts.errors import RacroError
from racro.engines.vllm.vitals import RELAYED
from services.captioner.app import create_captioner
from services.captioner.settings import CaptionerSettings
from services.reasoner.app import create_reasoner
from services.reasoner.settings import ReasonerSettings

DOCS = Path(__file__).parents[2] / "docs"
SERVICES = {
    "gateway": GatewaySettings,
    "services.captioner": CaptionerSettings,
    "services.reasoner": ReasonerSettings,
}
REMOTE = {"kind": "url", "url": "http://127.0.0.1:1/v1", "model": "m"}
DEFAULT = " (the default)"


@dataclass(frozen=True)
class Setting:
    """`name` is dotted as in YAML, with `<name>` for what operators name themselves. `kind` is the
    heading of those that it exists with alone: "captioner.kind: vlm". `default` is "" where the
    documentation has words for it.
    """

    name: str
    kind: str
    default: str
    description: str | None


def settings_of(settings: type[BaseModel], prefix: str = "", kind: str = "") -> Iterator[Setting]:
    for name, field in settings.model_fields.items():
        if name == "kind":
            continue
        path = prefix + name
        yield Setting(path, kind, _default(field), field.description)
        sections = [*_sections(field.annotation)]
        if len(sections) == 1:
            [(section, below)] = sections
            yield from settings_of(section, f"{path}{below}.", kind)
        elif sections:
            default = _default_kind(field)
            yield Setting(f"{path}.kind", kind, default, "told by the headings")
            for section, _ in sections:
                [tag] = get_args(section.model_fields["kind"].annotation)
                heading = f"{path}.kind: {tag}{DEFAULT if tag == default else ''}"
                yield from settings_of(section, f"{path}.", heading)


def _default(field: FieldInfo) -> str:
    if field.is_required() and not [*_sections(field.annotation)]:
        return "required"
    match field.default:
        case None:
            return "unset"
        case bool(value):
            return str(value).lower()
        case float(value):
            return f"{value:g}"
        case str(value) | int(value):
            return str(value)
    return ""


def _default_kind(field: FieldInfo) -> str:
    """What `racro.servekit.settings.kind_of` was given."""
    [discriminator] = [one for one in field.metadata if isinstance(one, Discriminator)]
    return discriminator.discriminator({})


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


def documented(service: str) -> dict[tuple[str, str], str]:
    """docs/settings.md on a service: what it says is the default, by kind and name."""
    chapters = re.split(r"^## ", (DOCS / "settings.md").read_text(), flags=re.MULTILINE)
    [chapter] = [one for one in chapters if f"`python -m {service}`" in one.splitlines()[0]]
    found, kind = {}, ""
    for line in chapter.splitlines():
        if line.startswith("### "):
            kind = line.removeprefix("### ").replace("`", "")
        elif row := re.match(r"\| `(?P<name>[^`]+)` \| (?P<default>[^|]*?) *\|", line):
            found[kind, row["name"]] = row["default"]
    return found


def missing(names: set[str], document: str) -> list[str]:
    path = DOCS / document
    assert path.is_file(), f"docs/{document} is missing"
    text = path.read_text()
    return sorted(name for name in names if not re.search(_whole(name), text))


def _whole(name: str) -> str:
    """The name with nothing stuck to it; operators may be shown any name of their own."""
    own = re.escape(name).replace("<name>", r"[\w<>*{}-]+")
    return rf"(?<![\w./]){own}(?![\w/]|\.\w)"


def test_settings_are_found_by_their_names_in_yaml_and_their_kinds() -> None:
    gateway = {setting.name: setting.kind for setting in settings_of(GatewaySettings)}
    assert {"port", "fetch.allow_private", "reasoners.<name>.sampling.top_p"} <= gateway.keys()
    assert set(gateway.values()) == {""}
    found = {(setting.kind, setting.name) for setting in settings_of(CaptionerSettings)}
    assert ("captioner.kind: ocr (the default)", "captioner.threads") in found
    assert ("captioner.engine.kind: vllm", "captioner.engine.dtype") in found


@pytest.mark.parametrize("service", SERVICES)
def test_docs_settings_has_every_setting_under_its_kind_and_no_other(service) -> None:
    there = {(setting.kind, setting.name) for setting in settings_of(SERVICES[service])}
    assert sorted(documented(service)) == sorted(there)


@pytest.mark.parametrize("service", SERVICES)
def test_docs_settings_tells_the_defaults(service) -> None:
    told = documented(service)
    other = {
        setting.name: (setting.default, told[setting.kind, setting.name])
        for setting in settings_of(SERVICES[service])
        # "67108864 (64 MiB)": what is added helps to read it.
        if setting.default and told[setting.kind, setting.name].split(" (")[0] != setting.default
    }
    assert other == {}


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_has_a_description(service) -> None:
    silent = [one.name for one in settings_of(SERVICES[service]) if not one.description]
    assert silent == []


def test_every_endpoint_is_in_docs_api() -> None:
    apps = [
        create_gateway(GatewaySettings()),
        create_captioner(CaptionerSettings()),
        create_reasoner(ReasonerSettings(engine=REMOTE)),
    ]
    paths = {path for app in apps for path in app.api.openapi()["paths"]}
    assert "/v1/solve" in paths
    assert missing(paths, "api.md") == []


def test_every_metric_is_in_docs_observability() -> None:
    exposed = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in REGISTRY.collect()
        if metric.name.startswith(("racro_", "gen_ai_"))
    }
    assert {"racro_requests_total", "gen_ai_client_token_usage"} <= exposed
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
    known = {option for parameter in get_command(app).params for option in parameter.opts}
    for name in SUMMARIES:
        known |= set(typed(imported(name), f"racro {name}"))
    assert {"--install-completion", "racro keys new", "--no-tentative"} <= known
    text = (DOCS / "cli.md").read_text()
    assert sorted(one for one in known if not re.search(rf"{re.escape(one)}(?![\w-])", text)) == []


def test_docs_architecture_draws_the_layers_that_are_held() -> None:
    drawn = (DOCS / "architecture.md").read_text().split("## Layers")[1].split("```")[1]
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())
    [layers] = [
        one["layers"]
        for one in project["tool"]["importlinter"]["contracts"]
        if one["type"] == "layers"
    ]
    assert drawn.strip().replace(" · ", " | ").splitlines() == layers


def test_every_error_is_in_docs_api_with_its_status() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (.+?) \|", (DOCS / "api.md").read_text(), re.MULTILINE)
    told = {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert told == {(error.status, error.code) for error in RacroError.tree()}
