"""The door: who asks, and whether now. Nothing of a request is read before it is let in."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.rates import Rates
from gateway.tenants import Tenants, enter
from racro.contracts.errors import RacroError
from racro.servekit.responses import error_response

_GUARDED = "/v1/"


class Admission:
    """Pure ASGI middleware before every route under /v1/. `rates` are there once the app runs."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self.rates: Rates

    def before(self, app: ASGIApp) -> ASGIApp:
        async def admit(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not scope["path"].startswith(_GUARDED):
                await app(scope, receive, send)
                return
            try:
                tenant = self._tenants.identify(scope["headers"])
                headers = list(await self.rates.take(tenant, "requests"))
                self.rates.begin(tenant)
            except RacroError as error:
                await error_response(error)(scope, receive, send)
                return

            async def send_with_rates(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message.get("headers", ()), *headers]
                await send(message)

            enter(scope, tenant)
            try:
                await app(scope, receive, send_with_rates if headers else send)
            finally:
                self.rates.end(tenant)

        return admit
