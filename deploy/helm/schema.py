"""Prints the chart's values.schema.json anew, with the services' settings as they are now.

`python deploy/helm/schema.py > new.json && mv new.json deploy/helm/racro/values.schema.json`

What the chart itself takes is written there by hand; under `$defs` stand the services' own.
"""
# ruff: noqa: INP001 - a script, no package

import json
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
    for name, fields in FILLED_IN.items():
        found[name]["required"] = sorted(set(found[name]["required"]) - fields)
    return {name: _bare(found[name]) for name in sorted(found)}


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
