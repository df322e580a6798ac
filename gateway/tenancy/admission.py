"""Admission: which tenant a request is from, and whether its limits allow it now.

Nothing of a request is read before it is admitted. `servekit.routes` comes first, so the path is
the route's own however the client spelled it. Every route that is not public by name is guarded.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.playground import routes as playground
from gateway.tenancy.rates import Rates
from gateway.tenancy.tenants import Tenants, set_tenant
from racro.contracts.errors import RacroError, RateLimited
from racro.servekit.app import PUBLIC_ROUTES
from racro.servekit.responses import Headers, error_response


class Admission:
    """Admits requests, as pure ASGI middleware before every route that is not public.

    `rates` are there once the app runs.
    """

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self.rates: Rates

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def admit(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or _is_public(scope["path"]):
                await app(scope, receive, send)
                return
            try:
                tenant = self._tenants.identify(scope["headers"])
                self.rates.begin(tenant)
            except RacroError as error:
                await error_response(error)(scope, receive, send)
                return
            try:
                set_tenant(scope, tenant)
                headers = await self.rates.take(tenant, "requests")
                await app(scope, receive, _with(headers, send))
            except RateLimited as error:
                await error_response(error)(scope, receive, send)
            finally:
                self.rates.end(tenant)

        return admit


def _is_public(path: str) -> bool:
    return path in PUBLIC_ROUTES or playground.is_public(path)


def _with(headers: Headers, send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return send_with_headers if headers else send
