"""Admission: which tenant a request is from, and whether its limits allow it now.

Nothing of a request is read before it is admitted. `servekit.paths` comes first, so the path is
the route's own however the client spelled it. Every route that is not public by name is guarded.
"""

from starlette.types import Scope

from gateway.playground import routes as playground
from gateway.services import services_of
from gateway.tenancy.refusals import Refusals
from gateway.tenancy.tenants import set_tenant, tenant_of
from racro.contracts.errors import Unauthenticated
from racro.servekit.app import PUBLIC_ROUTES
from racro.servekit.responses import Headers


class Admission:
    """Admits requests to every route that is not public."""

    def __init__(self) -> None:
        self._refusals = Refusals()

    async def enter(self, scope: Scope) -> Headers:
        """Notes the request's tenant in its scope; returns headers that tell its limits.

        Raises Unauthenticated or RateLimited.
        """
        if _is_public(scope["path"]):
            return ()
        services = services_of(scope)
        try:
            tenant = services.tenants.identify(scope["headers"])
        except Unauthenticated:
            await self._refusals.hold()
            raise
        services.rates.begin(tenant)
        try:
            headers = await services.rates.take(tenant, "requests")
        except BaseException:
            services.rates.end(tenant)
            raise
        set_tenant(scope, tenant)
        return headers

    def leave(self, scope: Scope) -> None:
        """Counts the end of a request that was admitted."""
        if not _is_public(scope["path"]):
            services_of(scope).rates.end(tenant_of(scope))


def _is_public(path: str) -> bool:
    return path in PUBLIC_ROUTES or playground.is_public(path)
