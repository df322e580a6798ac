"""Admission: which tenant a request is from, and whether its limits allow it now.

Nothing of a request is read before it is admitted. `servekit.paths` comes first, so the path is
the route's own however the client spelled it. Every route that is not public by name is guarded.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.playground import routes as playground
from gateway.services import services_of
from gateway.tenancy.tenants import set_tenant
from racro.contracts.errors import RacroError, RateLimited
from racro.servekit.app import PUBLIC_ROUTES
from racro.servekit.responses import Headers, error_response


class Admission:
    """Admits requests, as pure ASGI middleware before every route that is not public."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_public(scope["path"]):
            await self._app(scope, receive, send)
            return
        services = services_of(scope)
        try:
            tenant = services.tenants.identify(scope["headers"])
            services.rates.begin(tenant)
        except RacroError as error:
            await error_response(error)(scope, receive, send)
            return
        try:
            set_tenant(scope, tenant)
            headers = await services.rates.take(tenant, "requests")
            await self._app(scope, receive, _with(headers, send))
        except RateLimited as error:
            await error_response(error)(scope, receive, send)
        finally:
            services.rates.end(tenant)


def _is_public(path: str) -> bool:
    return path in PUBLIC_ROUTES or playground.is_public(path)


def _with(headers: Headers, send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return send_with_headers if headers else send
