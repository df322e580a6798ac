"""The routes of the page, which need no key: `/` for browsers, its files under `/playground/`."""

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from gateway.playground.files import INDEX, read_files
from racro.contracts.errors import NotFound

_PREFIX = "/playground/"
FILES = f"{_PREFIX}{{file:path}}"


def is_public(path: str) -> bool:
    """Whether anybody is told: the files are the same for all."""
    return path.startswith(_PREFIX)


class BrowserRoute(APIRoute):
    """A route for requests that accept HTML; the others find the next route of the same path."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if "text/html" not in Headers(scope=scope).get("accept", ""):
            return Match.NONE, {}
        return super().matches(scope)


def add_playground(app: FastAPI) -> None:
    """Serve the page from memory."""
    files = read_files()
    index = files.pop(INDEX)

    async def page(request: Request) -> Response:
        return index.response(request.headers)

    @app.get(FILES, summary="A file of the playground.", response_class=Response)
    async def file(request: Request, file: str) -> Response:
        if file not in files:
            raise NotFound("the playground has no such file")
        return files[file].response(request.headers)

    # Before the route that describes the service to programs, and declared with it.
    app.router.routes.insert(0, BrowserRoute("/", page, methods=["GET"], include_in_schema=False))
