"""The page's files as the gateway serves them. tests/page shows the page itself, in a browser."""

import gzip
import json
from http.client import HTTPConnection

import httpx2
import pytest

from conftest import gateway_config
from gateway.playground.files import read_files
from gateway.settings import GatewaySettings
from support import http
from support.processes import PATIENCE_S, Service

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FILES = sorted(set(read_files()) - {"index.html"})


def get(service: Service, path: str, **headers: str) -> httpx2.Response:
    return http.get(service.url + path, headers=headers)


@pytest.mark.parametrize("path", ["/", *(f"/playground/{file}" for file in FILES)])
def test_every_file_has_a_strict_policy_and_is_asked_for_again(gateway, path) -> None:
    answer = get(gateway, path, **BROWSER)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'; img-src 'self' blob: data:;" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-cache"
    again = get(gateway, path, **BROWSER, **{"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_text_is_compressed_for_who_takes_that(gateway) -> None:
    plain = get(gateway, "/playground/app.js", **{"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with http.stream("GET", gateway.url + "/playground/app.js") as answer:
        assert answer.headers["content-encoding"] == "gzip"
        raw = b"".join(answer.iter_raw())
    assert gzip.decompress(raw) == plain.content


def test_the_page_asks_for_no_other_file_than_those_there_are(gateway) -> None:
    page = get(gateway, "/", **BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "accept" in page.headers["vary"]
    assert "://" not in page.text


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_programs_are_told_what_the_service_is(gateway, accept) -> None:
    answer = get(gateway, "/", accept=accept).json()
    assert answer["service"] == "RACRO gateway"
    assert answer["endpoints"].count("GET /") == 1
    assert "GET /playground/{file}" in answer["endpoints"]


@pytest.mark.parametrize(
    "path",
    [
        "none.js", "files.py", "../settings.py", "%2e%2e/settings.py", "..%2fsettings.py",
        "vendor/../app.js", "vendor", "", "vendor/marked/LICENSE", "/etc/passwd", "app.js%00",
    ],
)  # fmt: skip
def test_nothing_else_is_served(gateway, path) -> None:
    # It sends a path as it is; other clients tidy it up first.
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=PATIENCE_S)
    connection.request("GET", f"/playground/{path}")
    answer = connection.getresponse()
    assert answer.status == 404
    assert json.load(answer)["error"]["code"] == "not_found"
    connection.close()


def test_without_the_setting_there_is_no_page(captioner, reasoner) -> None:
    config = gateway_config(captioner.url, reasoner.url, playground=False)
    with Service("gateway", config) as service:
        assert get(service, "/", **BROWSER).json()["service"] == "RACRO gateway"
        assert get(service, "/playground/app.js").status_code == 404


@pytest.mark.parametrize(
    ("settings", "served"),
    [
        ({}, True),
        ({"host": "localhost"}, True),
        ({"host": "::1"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "0.0.0.0", "playground": True}, True),
        ({"playground": False}, False),
    ],
)
def test_it_is_on_where_only_this_machine_reaches_it_and_where_it_is_set(settings, served) -> None:
    assert GatewaySettings(tenants={"open": True}, **settings).serves_playground is served


def test_its_files_need_no_key_and_the_api_does(tmp_path, captioner, reasoner) -> None:
    keys = tmp_path / "keys.yaml"
    keys.write_text("tenants: {}\n")
    config = gateway_config(captioner.url, reasoner.url, tenants={"keys_file": str(keys)})
    with Service("gateway", config) as service:
        assert get(service, "/", **BROWSER).status_code == 200
        assert get(service, "/playground/app.js").status_code == 200
        assert get(service, "/v1/models").status_code == 401
