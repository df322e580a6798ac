"""What a service serves is what its /openapi.json declares, plain ASGI routes included."""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.app import create_gateway
from gateway.playground.routes import FILES
from gateway.settings import GatewaySettings
from racro.servekit.app import PUBLIC_ROUTES
from racro.servekit.docs import DOCS_ROUTES
from services.captioner.app import create_captioner
from services.captioner.settings import CaptionerSettings
from services.reasoner.app import create_reasoner
from services.reasoner.settings import ReasonerSettings

# Pages and files about the service, which are none of its API.
DOCS = {"/openapi.json", *DOCS_ROUTES}
# The engine does not matter to the routes.
REMOTE = {"kind": "url", "url": "http://127.0.0.1:1/v1", "model": "m"}
APPS = {
    "gateway": create_gateway(GatewaySettings()).api,
    "captioner": create_captioner(CaptionerSettings()).api,
    "reasoner": create_reasoner(ReasonerSettings(engine=REMOTE)).api,
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


def test_what_needs_no_key_is_all_that_is_not_under_v1(app) -> None:
    paths = {route.path for route in app.routes} - {FILES}
    assert paths >= PUBLIC_ROUTES
    assert {path for path in paths if not path.startswith("/v1/")} == PUBLIC_ROUTES


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (found for one in value.values() for found in references(one))
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
    elif isinstance(value, list):
        yield from (found for one in value for found in references(one))


def test_every_reference_leads_to_a_schema(app) -> None:
    schema = app.openapi()
    known = {f"#/components/schemas/{name}" for name in schema.get("components", {})["schemas"]}
    assert set(references(schema)) <= known


@pytest.mark.parametrize("service", ["gateway", "reasoner"])
def test_the_fields_of_chat_are_told(service) -> None:
    schema = APPS[service].openapi()
    chat = schema["paths"]["/v1/chat/completions"]["post"]
    asked = chat["requestBody"]["content"]["application/json"]["schema"]
    assert {"model", "messages", "stream", "temperature"} <= asked["properties"].keys()
    assert asked["additionalProperties"] is True
    assert "ImagePart" in schema["components"]["schemas"]
