"""What a service serves is what its /openapi.json declares, plain ASGI routes included."""

import pytest

from gateway.app import create_gateway
from gateway.settings import GatewaySettings
from services.captioner.app import create_captioner
from services.captioner.settings import CaptionerSettings
from services.reasoner.app import create_reasoner
from services.reasoner.settings import ReasonerSettings

DOCS = {"/docs", "/docs/oauth2-redirect", "/openapi.json"}
# The engine does not matter to the routes.
REMOTE = {"kind": "url", "url": "http://127.0.0.1:1/v1", "model": "m"}
APPS = {
    "gateway": create_gateway(GatewaySettings()),
    "captioner": create_captioner(CaptionerSettings()),
    "reasoner": create_reasoner(ReasonerSettings(engine=REMOTE)),
}


@pytest.fixture(params=APPS)
def app(request):
    return APPS[request.param]


def test_every_route_is_declared_and_every_declaration_is_a_route(app) -> None:
    served = {
        (route.path_format, method.lower())
        for route in app.routes
        if route.path not in DOCS
        for method in route.methods - {"HEAD"}
    }
    declared = {(path, method) for path, item in app.openapi()["paths"].items() for method in item}
    assert declared == served


def test_every_operation_says_what_it_does(app) -> None:
    silent = [
        f"{method} {path}"
        for path, item in app.openapi()["paths"].items()
        for method, operation in item.items()
        if not operation.get("summary")
    ]
    assert silent == []


def test_every_service_tells_its_health_and_its_metrics(app) -> None:
    assert {"/healthz", "/readyz", "/metrics"} <= app.openapi()["paths"].keys()
