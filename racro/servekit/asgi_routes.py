"""Routes that are plain ASGI endpoints, beside those of FastAPI."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.routing import Route
from starlette.types import ASGIApp

from racro.servekit.openapi import declare
from racro.servekit.paths import KnownRoute, known_route


class _AsgiRoute(Route):
    """A route that is a plain ASGI endpoint for POST."""


def add_asgi_route(
    api: FastAPI,
    path: str,
    endpoint: ASGIApp,
    *,
    request: type[BaseModel] | Mapping[str, Any],
    response: type[BaseModel] | Mapping[str, Any],
) -> None:
    """Adds a plain ASGI endpoint for POST, declared in /openapi.json from its docstring.

    A GuardedApp calls it without FastAPI's own middleware.
    """
    api.router.routes.append(_AsgiRoute(path, endpoint, methods=["POST"]))
    declare(api, path, summary=inspect.getdoc(endpoint), request=request, response=response)


def asgi_endpoints(api: FastAPI) -> dict[str, ASGIApp]:
    """Returns the plain ASGI endpoints of an API by their paths."""
    routes = api.router.routes
    return {route.path: route.endpoint for route in routes if isinstance(route, _AsgiRoute)}


def known_routes(api: FastAPI) -> Iterable[KnownRoute]:
    """Yields all routes of an API."""
    return (known_route(route) for route in api.router.routes if isinstance(route, Route))
