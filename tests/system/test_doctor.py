"""`racro doctor`: each broken configuration is named rightly, with what to do, and code 1."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from support.certificates import make_certificate
from support.command import invoke, racro
from support.processes import Service
from support.redis import RedisServer
from support.scripted import Fixed, Script, ScriptedServer

ROOT = Path(__file__).parents[2]
KEY = "sk-very-secret"
Config = dict[str, Any]


@dataclass
class World:
    """A configuration in which everything is well, until a case changes it."""

    captioner: ScriptedServer
    reasoner: ScriptedServer
    folder: Path
    config: Config

    @property
    def default(self) -> Config:
        return self.config["reasoners"]["default"]


@pytest.fixture
def world(captioner: ScriptedServer, reasoner: ScriptedServer, tmp_path: Path) -> World:
    # No gateway runs at its port.
    config = gateway_config(captioner.url, reasoner.url, port=1)
    return World(captioner, reasoner, tmp_path, config)


def examine(world: World, *options: object, **variables: str) -> list[dict[str, str]]:
    """What is found, and that the exit code says whether there are faults."""
    file = world.folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(world.config))
    return found("doctor", file, *options, **variables)


def found(*arguments: object, **variables: str) -> list[dict[str, str]]:
    ended = invoke(*arguments, "--json", **variables)
    assert "Traceback" not in ended.stderr, ended.stderr
    told = json.loads(ended.stdout)
    failed = any(one["status"] == "failed" for one in told["checks"])
    assert (ended.returncode, told["ok"]) == ((1, False) if failed else (0, True))
    assert KEY not in ended.stdout
    return told["checks"]


def faults(checks: list[dict[str, str]]) -> list[str]:
    return [
        "{check}: {message} → {advice}".format(**one) for one in checks if one["status"] == "failed"
    ]


def only_fault(checks: list[dict[str, str]]) -> str:
    [fault] = faults(checks)
    return fault


def status_of(checks: list[dict[str, str]], words: str) -> str:
    [one] = [one for one in checks if words in one["message"]]
    return one["status"]


def listing(**card: Any) -> Fixed:
    cards = [{"id": "scripted", "object": "model", **card}]
    return Fixed(body=json.dumps({"object": "list", "data": cards}).encode())


def _unknown_model(world: World) -> None:
    world.default["model"] = "scriptde"
    refused = Script(status=404, plain={"error": {"message": "no such model"}})
    world.reasoner.script.respond = lambda asked: refused if asked["model"] == "scriptde" else None


def _reasoner(**script: Any) -> Callable[[World], None]:
    def change(world: World) -> None:
        for name, value in script.items():
            setattr(world.reasoner.script, name, value)

    return change


def _captioner(**script: Any) -> Callable[[World], None]:
    def change(world: World) -> None:
        for name, value in script.items():
            setattr(world.captioner.script, name, value)

    return change


def _default(**settings: Any) -> Callable[[World], None]:
    return lambda world: world.default.update(settings)


def _settings(**settings: Any) -> Callable[[World], None]:
    return lambda world: world.config.update(settings)


HTML = Fixed(body=b"<html>Sign in", media_type="text/html")
NOT_FOUND = Fixed(status=404, body=b"{}")
# Nobody listens there.
NOWHERE = "127.0.0.1:1"

# What is broken, and what must be said of it.
BROKEN: dict[str, tuple[Callable[[World], None], list[str]]] = {
    "captioner's host": (
        _settings(captioner={"url": "http://captioner.invalid:8001"}),
        ["captioner: the host captioner.invalid", "cannot be resolved", "captioner.url"],
    ),
    "captioner's port": (
        _settings(captioner={"url": f"http://{NOWHERE}"}),
        [f"captioner: nothing listens at http://{NOWHERE}", "is it running?"],
    ),
    "captioner is a server of models": (
        _captioner(fixed={"/v1/identity": NOT_FOUND}),
        ["captioner: ", "is no captioner but a server of models: scripted", "kind: vlm"],
    ),
    "captioner of another contract": (
        _captioner(identity={"model": "m"}),
        ["/v1/identity tells no captioner"],
    ),
    "captioner is a page": (
        _captioner(fixed={"*": HTML}),
        ["captioner: ", "answers with a web page"],
    ),
    "captioner that cannot caption": (
        _captioner(status=500, plain={"error": {"message": "no more memory", "code": "internal"}}),
        ["example, caption: ", "status 500: no more memory", "log"],
    ),
    "captioner with nothing to say": (
        _captioner(caption=" "),
        ["example, caption: ", "empty caption"],
    ),
    "reasoner's port": (
        _default(url=f"http://{NOWHERE}/v1"),
        [f"reasoner default: nothing listens at http://{NOWHERE}", "is it running?"],
    ),
    "reasoner's scheme left out": (
        _default(url="127.0.0.1:8000/v1"),
        ["settings: reasoners.default.url: a URL that begins with http:// or https://"],
    ),
    "reasoner's TLS": (
        lambda world: _default(url=f"https://127.0.0.1:{world.reasoner.port}/v1")(world),
        ["reasoner default: no TLS is spoken", "is it http:// instead of https://?"],
    ),
    "reasoner's /v1 left out": (
        lambda world: _default(url=world.reasoner.url)(world),
        ["its API is at", "set reasoners.default.url: http", "/v1"],
    ),
    "reasoner's path": (
        lambda world: _default(url=f"{world.reasoner.url}/api/v1")(world),
        ["no OpenAI API at", "/api/v1", "up to and including /v1"],
    ),
    "reasoner that wants a key": (
        _reasoner(fixed={"*": Fixed(status=401)}),
        ["refuses the API key or the lack of one: 401", "reasoners.default.api_key_env"],
    ),
    "reasoner's model": (
        _unknown_model,
        ["it has no model scriptde", "set reasoners.default.model; it has scripted"],
    ),
    "reasoner's context": (
        _reasoner(fixed={"/v1/models": listing(max_model_len=4096)}),
        ["context_tokens is 32768, its context length 4096", "context_tokens: 4096"],
    ),
    "reasoner is a page": (
        _reasoner(fixed={"*": HTML}),
        ["reasoner default: ", "answers with a web page"],
    ),
    "reasoner that moved": (
        _reasoner(fixed={"*": Fixed(status=308, headers={"location": "https://new.example/v1"})}),
        ["redirects to https://new.example/v1"],
    ),
    "reasoner without chat": (
        _reasoner(fixed={"/v1/chat/completions": NOT_FOUND}),
        ["/chat/completions is not served", "OpenAI chat API"],
    ),
    "reasoner that is overloaded": (
        _reasoner(fixed={"*": Fixed(status=503, body=b'{"error": {"message": "queue is full"}}')}),
        ["reasoner default: ", "status 503: queue is full"],
    ),
    "reasoner with nothing to say": (
        _reasoner(texts=["", " "]),
        ["example, reasoner default: ", "answers with no word"],
    ),
    "reasoner that streams an error": (
        _reasoner(chunks=[{"error": {"message": "CUDA out of memory"}}]),
        ["broke its answer off with an error: CUDA out of memory"],
    ),
    "reasoner that breaks off": (
        _reasoner(die_after=1),
        ["example, reasoner default: ", "broke off its answer"],
    ),
    "reasoner that aborts": (
        _reasoner(chunks=[{"choices": [{"delta": {"content": "4"}, "finish_reason": "abort"}]}]),
        ["ended its answer with finish_reason abort"],
    ),
    "reasoner that does not stream": (
        _reasoner(fixed={"/v1/chat/completions": Fixed(body=b'{"choices": []}')}),
        ["application/json, not with a stream"],
    ),
    "Redis away": (
        _settings(cache={"url": f"redis://:hidden@{NOWHERE}/0"}),
        [f"cache: Redis at {NOWHERE} is not reached", "set cache.url"],
    ),
    "key of the environment": (
        _default(api_key_env="OWN_KEY"),
        ["reasoners.default.api_key_env: environment variable OWN_KEY is not set"],
    ),
    "setting misspelt": (
        _default(modle="m"),
        ["reasoners.default.modle: is unknown; did you mean model?", "correct "],
    ),
    "keys file": (
        lambda world: _settings(tenants={"keys_file": str(world.folder / "keys.yaml")})(world),
        ["API keys: tenants.keys_file", "keys.yaml", "racro keys new TENANT --file"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_named_and_nothing_else(world: World, case: str) -> None:
    break_it, said = BROKEN[case]
    break_it(world)
    fault = only_fault(examine(world))
    assert [words for words in said if words not in fault] == [], fault
    assert "hidden" not in fault


def test_there_is_nothing_to_find_where_all_is_well(world: World) -> None:
    world.reasoner.script.fixed = {"/v1/models": listing(max_model_len=40960)}
    checks = examine(world)
    assert faults(checks) == []
    assert status_of(checks, "context_tokens 32768 of its 40960") == "ok"
    assert status_of(checks, "it speaks chat, responses, messages") == "ok"
    assert status_of(checks, "none runs at http://127.0.0.1") == "skipped"
    told = {one["check"]: one["message"] for one in checks}
    assert "one bar of height 42" in told["example, caption"]
    assert "boxed{42}" in told["example, reasoner default"]
    # As the gateway would ask.
    [asked] = [chat.json for chat in world.reasoner.chats if chat.json.get("messages")]
    assert (asked["model"], asked["max_tokens"], asked["stream"]) == ("scripted", 8192, True)
    assert "one bar of height 42" in asked["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("card", "vision", "status", "says"),
    [
        ({"input_modalities": ["text", "image"]}, False, "skipped", "takes images; vision is off"),
        ({"architecture": {"input_modalities": ["image"]}}, True, "ok", "takes images, which pass"),
        ({"input_modalities": ["text"]}, True, "failed", "takes no images"),
        ({"capabilities": ["completion"]}, True, "failed", "takes no images"),
        ({}, True, "skipped", "does not tell whether its model takes images"),
    ],
)
def test_whether_its_model_takes_images(world: World, card, vision, status, says) -> None:
    world.reasoner.script.fixed = {"/v1/models": listing(max_model_len=40960, **card)}
    world.default["vision"] = vision
    assert status_of(examine(world), says) == status


@pytest.mark.parametrize("card", [{}, {"input_modalities": ["text"]}])
def test_nothing_is_said_of_images_where_captions_are_read(world: World, card) -> None:
    world.reasoner.script.fixed = {"/v1/models": listing(max_model_len=40960, **card)}
    assert not [one for one in examine(world) if "takes" in one["message"]]


def test_one_that_sees_is_shown_the_example(world: World) -> None:
    world.default["vision"] = True
    examine(world)
    [asked] = [chat.json for chat in world.reasoner.chats if chat.json.get("messages")]
    assert [part["type"] for part in asked["messages"][-1]["content"]] == ["image_url", "text"]


def test_a_listing_that_is_not_there_is_no_fault(world: World) -> None:
    world.reasoner.script.fixed = {"/v1/models": NOT_FOUND, "/models": NOT_FOUND}
    checks = examine(world)
    assert faults(checks) == []
    assert status_of(checks, "nobody can tell whether it knows scripted") == "skipped"


def test_a_model_that_is_not_listed_may_be_known(world: World) -> None:
    world.default["model"] = "routed"
    assert faults(examine(world)) == []


def test_a_long_answer_is_not_waited_for(world: World) -> None:
    world.reasoner.script.reasoning = ["so many words "] * 1000
    checks = examine(world)
    assert faults(checks) == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_not_shown(world: World, status: int) -> None:
    world.default["api_key_env"] = "OWN_KEY"
    quoted = json.dumps({"error": {"message": f"wrong key {KEY}"}}).encode()
    world.reasoner.script.fixed = {"*": Fixed(status=status, body=quoted)}
    fault = only_fault(examine(world, OWN_KEY=KEY))
    assert f"refuses the API key or the lack of one: {status}" in fault
    assert "is the key in the environment variable OWN_KEY this server's?" in fault


def test_a_key_that_is_accepted_is_said(world: World) -> None:
    world.default["api_key_env"] = "OWN_KEY"
    assert status_of(examine(world, OWN_KEY=KEY), "accepts the key of OWN_KEY") == "ok"
    assert {chat.headers["authorization"] for chat in world.reasoner.chats} == {f"Bearer {KEY}"}


def test_http_and_certificates_of_servers(world: World) -> None:
    make_certificate(world.folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(world.folder / "cert.pem", world.folder / "key.pem")
    with ScriptedServer(tls=tls) as secure:
        world.default["url"] = f"http://127.0.0.1:{secure.port}/v1"
        assert "is it https:// instead of http://?" in only_fault(examine(world))
        world.default["url"] = f"{secure.url}/v1"
        fault = only_fault(examine(world))
        assert "is not trusted" in fault
        assert "SSL_CERT_FILE" in fault
        trusted = {"SSL_CERT_FILE": str(world.folder / "cert.pem")}
        assert faults(examine(world, **trusted)) == []


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_who_never_answers_is_not_waited_for(world: World, silent: str) -> None:
    world.default["url"] = f"{silent}/v1"
    # The captioner may be too slow for so short a time, on a busy machine.
    said = " ".join(faults(examine(world, "--timeout", "0.5")))
    assert f"reasoner default: {silent}/v1/models gave no complete answer within 0.5 s" in said


def test_a_reasoner_that_never_says_a_word(world: World) -> None:
    asleep = Script(before_s=3600)
    world.reasoner.script.respond = lambda asked: asleep if "messages" in asked else None
    fault = only_fault(examine(world, "--answer-timeout", "8"))
    assert "example, reasoner default: " in fault
    assert "gave no complete answer within 8 s" in fault


def test_services_of_ours_in_the_wrong_place(
    world: World, gateway: Service, ocr_captioner: Service, llama_reasoner: Service
) -> None:
    world.config["captioner"]["url"] = llama_reasoner.url
    world.default["url"] = f"{ocr_captioner.url}/v1"
    world.config["reasoners"]["round"] = {"url": f"{gateway.url}/v1", "model": "default"}
    eyes, mind, loop = faults(examine(world))
    assert "is no captioner: it calls itself 'RACRO reasoner'" in eyes
    assert "it calls itself 'RACRO captioner'" in mind
    assert "reasoner round" in loop
    assert "is no reasoner: it calls itself 'RACRO gateway'" in loop


def test_a_captioner_without_its_engine(world: World) -> None:
    engine = {"url": f"http://{NOWHERE}/v1", "model": "scripted"}
    config = {"captioner": {"kind": "vlm", "engine": engine}}
    with Service("services.captioner", config, wait_for="/healthz") as service:
        world.config["captioner"]["url"] = service.url
        fault = only_fault(examine(world))
    assert f"the captioner at {service.url} runs and cannot caption: the engine" in fault
    assert "captioner.engine" in fault


def test_copies_of_a_captioner_are_compared(world: World) -> None:
    with ScriptedServer() as other:
        world.config["captioner"]["url"] = [world.captioner.url, other.url]
        checks = examine(world)
        assert faults(checks) == []
        assert status_of(checks, "all 2 copies have the same fingerprint") == "ok"
        other.script.identity |= {"fingerprint": "f2", "revision": "r2"}
        checks = examine(world)
        fault = only_fault(checks)
        assert f"copies have different fingerprints: f1 at {world.captioner.url}; f2 at" in fault
        assert f"f2 at {other.url} (revision r2 instead of r1)" in fault
        assert "finish the rollout" in fault
        # Each captions all the same.
        assert status_of(checks, "made after") == "ok"
        other.script.identity["revision"] = "r1"
        assert "settings or release differ" in only_fault(examine(world))


def test_a_copy_that_is_away_is_not_compared(world: World) -> None:
    world.config["captioner"]["url"] = [world.captioner.url, f"http://{NOWHERE}"]
    assert only_fault(examine(world)).startswith(f"captioner: nothing listens at http://{NOWHERE}")


def test_each_address_of_a_captioner_s_name_is_a_copy(world: World) -> None:
    port = world.captioner.port
    with ScriptedServer("127.0.0.2", port=port) as other:
        other.script.identity["fingerprint"] = "f2"
        world.config["captioner"]["url"] = f"http://captioners.test:{port}"
        file = world.folder / "gateway.yaml"
        file.write_text(yaml.safe_dump(world.config))
        ended = racro(
            "doctor", file, "--json",
            PYTHONPATH=f"{ROOT / 'tests/support/dns'}:{ROOT}",
            TEST_DNS=json.dumps({"captioners.test": [["127.0.0.1", "127.0.0.2"]], "*": [[]]}),
            TEST_DIALLED=str(world.folder / "dialled"),
        )  # fmt: skip
    name = f"http://captioners.test:{port}"
    fault = only_fault(json.loads(ended.stdout)["checks"])
    assert f"f1 at {name} (127.0.0.1); f2 at {name} (127.0.0.2)" in fault


def test_each_copy_of_a_reasoner_is_checked(world: World) -> None:
    world.default["url"] = [f"{world.reasoner.url}/v1", f"http://{NOWHERE}/v1"]
    fault = only_fault(examine(world))
    assert fault.startswith(f"reasoner default (http://{NOWHERE}/v1): nothing listens")


def test_a_redis_that_is_not_as_it_should_be(world: World) -> None:
    with RedisServer() as redis:
        world.config["cache"] = {"url": redis.url}
        checks = examine(world)
        assert faults(checks) == []
        assert status_of(checks, "it takes writes") == "ok"
        assert status_of(checks, "its version is ") == "ok"
        redis.client.config_set("maxmemory", "100mb")
        assert "nothing is evicted (noeviction) → set maxmemory-policy allkeys-lru" in only_fault(
            examine(world)
        )
        redis.client.config_set("maxmemory-policy", "allkeys-lru")
        assert status_of(examine(world), "evicted by allkeys-lru") == "ok"
        redis.client.replicaof("127.0.0.1", "1")
        assert "it refuses writes" in only_fault(examine(world))
        redis.client.replicaof("NO", "ONE")
        redis.client.config_set("requirepass", "secret")
        assert "cache.password_env" in only_fault(examine(world))
        world.config["cache"]["password_env"] = "REDIS_KEY"
        fault = only_fault(examine(world, REDIS_KEY=KEY))
        assert "refuses the password" in fault
        assert "environment variable REDIS_KEY" in fault
        assert faults(examine(world, REDIS_KEY="secret")) == []


def test_a_redis_that_never_answers(world: World, silent: str) -> None:
    world.config["cache"] = {"url": silent.replace("http", "redis")}
    said = " ".join(faults(examine(world, "--timeout", "0.5")))
    assert "cache: Redis gave no answer within 0.5 s" in said


def test_a_yaml_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("captioner: {url: ")
    assert only_fault(found("doctor", file)).startswith("settings: ")
    assert only_fault(found("doctor", RACRO_CONFIG=str(file))).startswith("settings: ")


def test_all_wrong_settings_are_told_at_once(world: World) -> None:
    world.config |= {"port": "http", "cahce": {}}
    assert len(faults(examine(world))) == 2


def test_a_running_gateway_answers_the_example(gateway: Service, reasoner: ScriptedServer) -> None:
    """Its settings are read, and it is asked at their port."""
    checks = found("doctor", gateway.config_file)
    assert faults(checks) == []
    assert status_of(checks, "captioned and answered by") == "ok"
    reasoner.script.texts = [""]
    assert "example, reasoner default: " in only_fault(found("doctor", gateway.config_file))
    reasoner.script.status = 500
    fault = only_fault(found("doctor", gateway.config_file))
    assert "the reasoner failed with status 500" in fault


def test_a_gateway_is_asked_for_what_it_tells(gateway: Service, captioner: ScriptedServer) -> None:
    for url in (gateway.url, f"127.0.0.1:{gateway.port}/v1/"):
        checks = found("doctor", "--gateway", url)
        assert faults(checks) == []
        assert status_of(checks, "captioned and answered by") == "ok"
    captioner.script.fixed = {"*": Fixed(status=503)}
    assert only_fault(found("doctor", "--gateway", gateway.url)).startswith("captioner: ")


def test_a_gateway_that_is_none(world: World, ocr_captioner: Service) -> None:
    away = only_fault(found("doctor", "--gateway", NOWHERE))
    assert f"nothing listens at http://{NOWHERE}" in away
    assert "`racro up` starts one" in away
    other = only_fault(found("doctor", "--gateway", ocr_captioner.url))
    assert "calls itself 'RACRO captioner'" in other
    assert "is no RACRO gateway" in only_fault(found("doctor", "--gateway", world.reasoner.url))


def test_a_gateway_with_tenants_is_asked_with_a_key(world: World) -> None:
    keys, key = KeysFile().with_new_key("one", TenantRecord())
    keys.write(world.folder / "keys.yaml")
    world.config["tenants"] = {"keys_file": str(world.folder / "keys.yaml")}
    with Service("gateway", world.config) as gateway:
        world.config["port"] = gateway.port
        without = examine(world)
        assert faults(without) == []
        assert status_of(without, "it wants an API key to be asked") == "skipped"
        assert status_of(examine(world, "--key", key), "captioned and answered by") == "ok"
        assert "pass --key or set RACRO_KEY" in only_fault(examine(world, RACRO_KEY="rk_wrong"))


def test_the_embedded_default_is_well(embedded_gateway: Service) -> None:
    """Real captioner, real reasoner, and the picture of the package."""
    checks = found("doctor", "--gateway", embedded_gateway.url)
    assert faults(checks) == []
    assert "13.95" in checks[-1]["message"]
    alone = {**yaml.safe_load(embedded_gateway.config_file.read_text()), "port": 1}
    file = embedded_gateway.config_file.with_name("alone.yaml")
    file.write_text(yaml.safe_dump(alone))
    checks = found("doctor", file)
    assert faults(checks) == []
    assert "13.95" in checks[-1]["message"]
    assert checks[-2]["check"] == "example, caption"


def test_findings_are_lines_with_what_to_do(world: World) -> None:
    world.default["context_tokens"] = 4096
    world.default["visual_budget_tokens"] = 1024
    world.reasoner.script.fixed = {"/v1/models": listing(meta={"n_ctx": 2048})}
    file = world.folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(world.config))
    shown = racro("doctor", file)
    assert shown.returncode == 1
    assert f"✓ settings: {file} is valid\n" in shown.stdout
    assert "✗ reasoner default: context_tokens is 4096, its context length 2048\n    → set" in (
        shown.stdout
    )
    assert "– example: not tried: see the findings above\n" in shown.stdout
    assert shown.stdout.endswith("\n1 finding\n")
    assert shown.stderr == ""


def test_what_cannot_be_asked_is_a_usage_error(tmp_path: Path) -> None:
    assert invoke("doctor", tmp_path / "none.yaml").returncode == 2
    assert invoke("doctor", tmp_path).returncode == 2
    assert invoke("doctor", "--gateway", "ftp://x").returncode == 2
    assert invoke("doctor", "--timeout", "0").returncode == 2


def test_its_picture_is_the_receipt_of_the_examples() -> None:
    own = ROOT / "racro/cli/doctor/example.png"
    assert own.read_bytes() == (ROOT / "examples/receipt.png").read_bytes()
