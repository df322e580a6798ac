"""Cross-origin requests: which pages' scripts may ask a service, and what they may read."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

# What a script may read besides the body; all else is hidden from pages of other origins.
_EXPOSED = (
    "x-request-id",
    "request-id",
    "x-racro-visual-context",
    "x-racro-begun",
    "server-timing",
    "retry-after",
    *(
        f"x-ratelimit-{what}-{kind}"
        for kind in ("requests", "images")
        for what in ("limit", "remaining", "reset")
    ),
)


def allow_origins(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Middleware before all else: a browser's preflight has no key, and errors need the headers.

    Cookies are never asked for: a key comes in a header, which a page has to know.
    """
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=_EXPOSED,
    )
