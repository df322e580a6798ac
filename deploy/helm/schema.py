"""Prints the chart's values.schema.json anew, with the services' settings as they are now.

`python deploy/helm/schema.py > new.json && mv new.json deploy/helm/racro/values.schema.json`

What the chart itself takes is written there by hand; under `$defs` stand the services' own.
"""
# ruff: noqa: INP001 - a script, no package

import json
import re
import sys
from pathlib import Path
from typing import Any

from gateway.settings import GatewaySettings
from racro.servekit.settings import ServiceSettings
from services.captioner.settings import CaptionerSettings
from services.reasoner.settings import ReasonerSettings

SCHEMA = Path(__file__).parent / "racro/values.schema.json"
SERVICES: tuple[type[ServiceSettings], ...] = (GatewaySettings, CaptionerSettings, ReasonerSettings)
# The chart says these of a reasoner.
FILLED_IN = {"ReasonerSection": {"url", "model"}}


def definitions() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for settings in SERVICES:
        schema = settings.model_json_schema()
        found |= schema.pop("$defs")
        found[settings.__name__] = schema
    for settings in SERVICES:
        for former, present in settings.former_names.items():
            _add_former_name(found, settings.__name__, former.split("."), present)
    for name, fields in FILLED_IN.items():
        found[name]["required"] = sorted(set(found[name]["required"]) - fields)
    return {name: _bare(found[name]) for name in sorted(found)}


def _add_former_name(found: dict[str, Any], owner: str, path: list[str], present: str) -> None:
    """Have a former name taken at `path` of a definition, by each kind of section on the way."""
    step, *below = path
    properties = found[owner]["properties"]
    if not below:
        properties[step] = {"description": f"Former name of {present}."}
        return
    for section in re.findall(r"#/\$defs/(\w+)", json.dumps(properties[step])):
        _add_former_name(found, section, below, present)


def _bare(schema: Any) -> Any:
    """Without defaults, which the services have, and titles, which only repeat names."""
    if isinstance(schema, list):
        return [_bare(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _bare(field) for name, field in value.items()}
        if key == "properties"
        else _bare(value)
        for key, value in schema.items()
        if key not in {"default", "title"}
    }


def main() -> None:
    schema = json.loads(SCHEMA.read_text())
    schema["$defs"] |= definitions()
    json.dump(schema, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
