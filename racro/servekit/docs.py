"""The page /docs, Swagger UI over the service's own OpenAPI, from files that are installed with us.

Nothing comes from another host, and no script stands in the page itself: its content security
policy allows neither. The files are those that the package fastapi-offline carries, because
swagger-ui-bundle has a Swagger UI that cannot show OpenAPI 3.1.
"""

from importlib.resources import files

from fastapi import FastAPI
from starlette.responses import FileResponse, Response

_PAGE = "/docs"
_STYLE = "/docs/swagger-ui.css"
_BUNDLE = "/docs/swagger-ui-bundle.js"
_START = "/docs/start.js"
_ICON = "/docs/favicon.png"
DOCS_ROUTES = (_PAGE, _STYLE, _BUNDLE, _START, _ICON)

_HEADERS = {
    # Swagger UI sets styles on its elements; a style cannot send anything anywhere.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{icon}">
<link rel="stylesheet" href="{style}">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{bundle}"></script>
<script src="{start}"></script>
</body>
</html>
"""
_SCRIPT = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""


def add_docs(app: FastAPI) -> None:
    page = _HTML.format(title=app.title, icon=_ICON, style=_STYLE, bundle=_BUNDLE, start=_START)
    _add_text(app, _PAGE, page, "text/html")
    _add_text(app, _START, _SCRIPT, "text/javascript")
    for path in (_STYLE, _BUNDLE, _ICON):
        _add_file(app, path)


def _add_text(app: FastAPI, path: str, text: str, media_type: str) -> None:
    @app.get(path, include_in_schema=False)
    async def answer() -> Response:
        return Response(text, media_type=media_type, headers=_HEADERS)


def _add_file(app: FastAPI, path: str) -> None:
    file = files("fastapi_offline") / "static" / path.rpartition("/")[2]

    @app.get(path, include_in_schema=False)
    async def answer() -> Response:
        return FileResponse(str(file), headers=_HEADERS)
