"""URLs as people type them, and what an HTTP server is asked for besides its API."""

import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, NamedTuple

import httpx2
import openai
import pytest
from openai import OpenAI

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from racro import __version__
from support import http
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service, wait_until

ORIGIN = "https://chat.example.org"
HI = [{"role": "user", "content": "Hi!"}]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def raw(service: Service, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    """A request whose path nobody makes canonical on the way."""
    connection = HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE_S)
    sent = None if body is None else json.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body=sent, headers=names)
    response = connection.getresponse()
    answer = Answer(
        response.status, {k.lower(): v for k, v in response.headers.items()}, response.read()
    )
    connection.close()
    return answer


# Base URLs.


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/", "/v1//", "/v1/v1", "//v1"])
def test_the_openai_sdk_reaches_it_under_every_base_url(gateway: Service, base: str) -> None:
    with OpenAI(base_url=gateway.url + base, api_key="none", max_retries=0) as client:
        plain = client.chat.completions.create(model="default", messages=HI)
        streamed = client.chat.completions.create(model="default", messages=HI, stream=True)
        assert plain.choices[0].message.content
        assert list(streamed)
        assert [model.id for model in client.models.list()] == ["default"]
        assert client.models.retrieve("default").id == "default"
        with pytest.raises(openai.NotFoundError) as refusal:
            client.models.retrieve("Qwen/Qwen3-8B")
        assert refusal.value.code == "unknown_model"


@pytest.mark.parametrize(
    "path", ["/solve", "/v1/solve/", "//v1//solve", "/v1/v1/solve", "/%76%31/solve", "/v1%2Fsolve"]
)
def test_a_solve_is_measured_under_its_route_and_logged_as_it_was_asked_for(
    gateway: Service, path: str
) -> None:
    body = {"question": "How high?", "images": [data_url(png())]}
    counted = 'racro_requests_total{route="/v1/solve",status="200"}'
    before = gateway.metrics().get(counted, 0)
    answer = raw(gateway, "POST", path, body)
    assert answer.json["answer"] == "42"
    wait_until(lambda: gateway.metrics()[counted] == before + 1, what="the request is counted")
    record = access_record(gateway, answer)
    assert (record["message"], record["path"]) == ("POST /v1/solve", path)


def access_record(service: Service, answer: Answer) -> dict[str, Any]:
    identifier = answer.headers["x-request-id"]

    def found() -> dict[str, Any] | None:
        records = (one for one in service.log_records() if one["logger"] == "racro.access")
        return next((one for one in records if one["request_id"] == identifier), None)

    return wait_until(found, what="the access log has the request")


def test_a_long_or_odd_path_does_no_harm_to_the_log(gateway: Service) -> None:
    for path in ("/" + "x" * 5000, "/v1/%1b%5b2J%0d%0a%7b%22level%22", "/v1/%e2%80%ae"):
        record = access_record(gateway, raw(gateway, "GET", path))
        assert record["message"] == "GET unmatched"
        assert re.fullmatch(r"[\x21-\x7e]{1,200}…?", record["path"])


@pytest.mark.parametrize("alias", ["/health", "/ping", "/healthz/"])
def test_a_probe_is_answered_under_the_names_that_it_has_elsewhere(gateway, alias) -> None:
    assert http.get(gateway.url + alias).json() == {"status": "ok"}
    assert httpx2.head(gateway.url + alias).status_code == 200


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/readyz", "/v1/docs", "/v1//metrics", "/v1/"])
def test_what_is_not_under_v1_is_not_reached_through_it(gateway: Service, path: str) -> None:
    """An ingress that lets /v1 through lets nothing else through."""
    assert raw(gateway, "GET", path).status == 404


# Models.


def test_a_model_tells_its_context_length_and_that_it_takes_images(gateway: Service) -> None:
    listed = http.get(f"{gateway.url}/v1/models").json()["data"][0]
    alone = http.get(f"{gateway.url}/v1/models/default").json()
    assert alone == listed
    assert {alone[name] for name in ("context_tokens", "max_model_len", "context_length")} == {
        32768
    }
    for card in (alone, alone["architecture"]):
        assert card["input_modalities"] == ["text", "image"]
        assert card["output_modalities"] == ["text"]


# Methods.


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/readyz", "/version", "/metrics", "/docs", "/openapi.json"]
)
def test_head_is_answered_wherever_get_is(gateway: Service, path: str) -> None:
    got, head = raw(gateway, "GET", path), raw(gateway, "HEAD", path)
    assert (head.status, head.body) == (got.status, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    record = access_record(gateway, raw(gateway, "HEAD", "/v1/models"))
    assert record["message"] == "HEAD /v1/models"


def test_options_tell_what_is_allowed(gateway: Service) -> None:
    for path, allowed in (("/v1/models", "GET, HEAD, OPTIONS"), ("/solve", "OPTIONS, POST")):
        answer = raw(gateway, "OPTIONS", path)
        assert (answer.status, answer.headers["allow"]) == (204, allowed)
    assert raw(gateway, "OPTIONS", "/v1/nothing").status == 404


# What it says of itself.


def test_the_root_names_the_service_and_its_endpoints(gateway: Service) -> None:
    told = http.get(gateway.url).json()
    assert (told["service"], told["version"]) == ("RACRO gateway", __version__)
    assert "POST /v1/chat/completions" in told["endpoints"]
    assert http.get(gateway.url + told["docs"]).status_code == 200
    assert http.get(f"{gateway.url}/version").json() == {"version": __version__}


@pytest.mark.parametrize("path", ["/v1/completions", "/completions"])
def test_what_is_not_served_says_what_to_use(gateway: Service, path: str) -> None:
    error = raw(gateway, "POST", path, {"model": "default", "prompt": "Hi"}).json["error"]
    assert error["code"] == "not_found"
    assert "use POST /v1/chat/completions" in error["message"]


def test_the_sdk_s_embeddings_are_told_that_there_are_none(gateway: Service) -> None:
    with (
        OpenAI(base_url=gateway.url, api_key="none", max_retries=0) as client,
        pytest.raises(openai.NotFoundError, match="embeddings"),
    ):
        client.embeddings.create(model="default", input="Hi")


# The documentation page.


def test_the_docs_load_everything_from_the_service_itself(gateway: Service) -> None:
    page = http.get(f"{gateway.url}/docs")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert re.findall(r"<script(?! src=)|\bon\w+=|//", page.text) == []
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(files) == 4
    for path in files:
        file = http.get(gateway.url + path)
        assert file.status_code == 200
        assert file.headers["x-content-type-options"] == "nosniff"
    script = http.get(gateway.url + files[-1]).text
    assert http.get(gateway.url + re.search(r'url: "([^"]+)"', script)[1]).json()["openapi"]


# Browsers.


@pytest.fixture(scope="module")
def _guarded(_scripted_captioner, _scripted_reasoner, tmp_path_factory) -> Iterator[Service]:
    """A gateway with a key, which pages of ORIGIN may ask."""
    path = tmp_path_factory.mktemp("keys") / "keys.yaml"
    file, key = KeysFile().with_new_key("first", TenantRecord(requests_per_minute=10_000))
    file.write(path)
    config = gateway_config(
        _scripted_captioner.url,
        _scripted_reasoner.url,
        tenants={"keys_file": str(path)},
        cors={"origins": [ORIGIN]},
    )
    with Service("gateway", config) as service:
        service.key = key
        yield service


@pytest.fixture
def guarded(_guarded, captioner, reasoner) -> Service:
    return _guarded


def test_a_preflight_needs_no_key(guarded: Service) -> None:
    for path in ("/v1/chat/completions", "/chat/completions", "/v1/solve"):
        answer = raw(
            guarded, "OPTIONS", path, origin=ORIGIN,
            access_control_request_method="POST",
            access_control_request_headers="authorization,content-type,x-stainless-lang",
        )  # fmt: skip
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "authorization" in answer.headers["access-control-allow-headers"]


def test_a_preflight_takes_the_headers_of_anthropic_s_sdk(guarded: Service) -> None:
    wanted = (
        "anthropic-beta,anthropic-dangerous-direct-browser-access,anthropic-version,"
        "content-type,x-api-key,x-stainless-lang"
    )
    for path in ("/v1/messages", "/v1/messages/count_tokens", "/v1/responses"):
        answer = raw(
            guarded, "OPTIONS", path, origin=ORIGIN,
            access_control_request_method="POST", access_control_request_headers=wanted,
        )  # fmt: skip
        assert answer.status == 200
        allowed = answer.headers["access-control-allow-headers"].lower().split(",")
        assert set(wanted.split(",")) <= {name.strip() for name in allowed}
    answer = raw(guarded, "POST", "/v1/messages", {}, origin=ORIGIN)
    assert answer.status == 401
    assert "request-id" in answer.headers["access-control-expose-headers"].split(", ")


def chat(service: Service, **more: Any) -> Answer:
    body = {"model": "default", "messages": HI, **more}
    return raw(
        service, "POST", "/v1/chat/completions", body, origin=ORIGIN,
        authorization=f"Bearer {service.key}",
    )  # fmt: skip


def test_answers_streams_and_errors_may_be_read_by_the_page(guarded: Service) -> None:
    answers = [
        chat(guarded),
        chat(guarded, stream=True),
        chat(guarded, model="none"),
        raw(guarded, "GET", "/v1/models", origin=ORIGIN),
        raw(guarded, "GET", "/nothing", origin=ORIGIN),
    ]
    assert [answer.status for answer in answers] == [200, 200, 404, 401, 404]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {"x-request-id", "x-racro-visual-context", "retry-after"} <= set(exposed)
        limits = {name for name in answer.headers if name.startswith(("x-ratelimit-", "x-racro-"))}
        assert limits <= set(exposed)


def test_other_pages_may_not(guarded: Service, gateway: Service) -> None:
    asked = {"origin": "https://evil.test", "authorization": f"Bearer {guarded.key}"}
    assert "access-control-allow-origin" not in raw(guarded, "GET", "/v1/models", **asked).headers
    assert "access-control-allow-origin" not in raw(gateway, "GET", "/v1/models", **asked).headers


# No way around the key.

GUARDED = ("v1/models", "v1/models/default", "models")
POSTED = ("v1/solve", "v1/chat/completions", "v1/visual-contexts", "solve", "chat/completions")
SPELLINGS = (
    "/{}", "//{}", "/{}/", "///{}//", "/v1/{}", "/./{}", "/../{}", "/v1/../{}", "/x/../{}",
    "/healthz/../{}", "/%2e%2e/{}", "/%2f{}", "/{}%2f", "/{};x", "/{}%00", "/{}?x=/healthz",
    "/{}#x", "/docs/../{}", "/{}/../healthz", "/{}/%2e%2e/%2e%2e/healthz", "http://127.0.0.1/{}",
)  # fmt: skip


def spelled(path: str) -> Iterator[str]:
    forms = {path, path.upper(), path.title(), path.replace("/", "//"), path.replace("/", "%2F")}
    forms.add("".join(f"%{ord(letter):02x}" for letter in path))
    return (spelling.format(form) for form in sorted(forms) for spelling in SPELLINGS)


@pytest.mark.parametrize(
    ("method", "paths"), [("GET", GUARDED), ("HEAD", GUARDED), ("POST", POSTED)]
)
def test_no_spelling_of_a_path_leads_around_the_key(
    guarded: Service, captioner, reasoner, method: str, paths: tuple[str, ...]
) -> None:
    body = {"question": "q", "images": [data_url(png())], "messages": HI}
    sent = body if method == "POST" else None
    statuses = {
        path: raw(guarded, method, path, sent).status for one in paths for path in spelled(one)
    }
    assert set(statuses.values()) <= {401, 404, 405}
    assert statuses["/" + paths[-1]] == 401
    assert captioner.asked == reasoner.asked == []
