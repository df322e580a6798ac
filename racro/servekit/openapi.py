"""Declaring plain ASGI routes in a service's /openapi.json."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

_SCHEMAS = "#/components/schemas/{model}"

Declared = type[BaseModel] | Mapping[str, Any]


def declare(
    app: FastAPI, path: str, *, summary: str | None, request: Declared, response: Declared
) -> None:
    """Add the POST operation of `path`. Models that others refer to become components."""
    components: dict[str, Any] = {}
    operation = {
        "summary": summary,
        "requestBody": {"required": True, "content": _json_content(request, components)},
        "responses": {
            "200": {"description": "Success", "content": _json_content(response, components)}
        },
    }
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        schema = generate()
        schema["paths"].setdefault(path, {"post": operation})
        if components:
            schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
        return schema

    # FastAPI documents replacing this method as the way to extend the schema.
    app.openapi = openapi  # type: ignore[method-assign]


def _json_content(declared: Declared, components: dict[str, Any]) -> dict[str, Any]:
    if isinstance(declared, Mapping):
        return {"application/json": {"schema": declared}}
    schema = declared.model_json_schema(ref_template=_SCHEMAS)
    components |= schema.pop("$defs", {})
    return {"application/json": {"schema": schema}}
