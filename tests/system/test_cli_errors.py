"""What goes wrong is told whole, in our words, with what to do: on stderr, with code 1."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from support.certificates import make_certificate
from support.command import invoke, racro
from support.pictures import png
from support.processes import Service, free_port
from support.scripted import ScriptedServer

# Longer than any terminal is wide, with what Rich takes for a style, an emoji and a link.
ODD = "[red] :smile: " + "long " * 40 + "[link=x]"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(png("errors"))
    return path


def refusal(*arguments: object, code: int = 1, **variables: str) -> str:
    """What the command says on stderr while it prints nothing."""
    refused = invoke(*arguments, **variables)
    assert (refused.returncode, refused.stdout) == (code, ""), refused.stderr
    assert "Traceback" not in refused.stderr
    return refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("solve", ODD, "What?"),
        ("models", "--gateway", f"ftp://{ODD}"),
        ("demo", "--examples", ODD),
        ("connect", ODD),
        ("keys", "list", "--file", ODD),
        ("keys", "new", ODD, "--file", "keys.yaml"),
        ("keys", "revoke", "x", "--file", ODD),
        ("eval", "compare", ODD, ODD),
        ("eval", "run", ODD, "--output", "x"),
        ("train", "sft", "--config", ODD),
        (ODD,),
    ],
    ids=lambda arguments: " ".join(arguments[:2])[:20],
)
def test_the_user_s_own_words_are_told_as_they_are(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = racro(*arguments)
    assert refused.returncode in {1, 2}
    assert ODD in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("weight", ["0.001", "2000", "-1"])
def test_a_weight_that_a_gateway_would_not_take_makes_no_key(tmp_path: Path, weight: str) -> None:
    file = tmp_path / "keys.yaml"
    refused = racro("keys", "new", "acme", "--file", file, "--weight", weight)
    assert refused.returncode == 1
    assert "weight: " in refused.stderr
    assert not file.exists()


def test_settings_and_keys_that_are_wrong_are_told_as_they_are(tmp_path: Path) -> None:
    assert ODD in refusal("cache", "stats", RACRO_CONFIG=f"/{ODD}")
    keys = tmp_path / "keys.yaml"
    keys.write_text(f"tenants: {{a: {{keys: {{k: '{ODD}'}}}}}}")
    assert "tenants.a.keys.k" in refusal("keys", "list", "--file", keys)


def test_what_a_terminal_would_obey_is_not_passed_on(picture: Path) -> None:
    said = refusal("solve", f"{picture}\x1b[2J\x07\x9b", "What?")
    assert "\x1b" not in said
    assert f"{picture}\N{REPLACEMENT CHARACTER}[2J" in said


def test_what_is_no_image_is_told(gateway: Service, tmp_path: Path) -> None:
    text = tmp_path / "notes.png"
    text.write_text("no image")
    at = ("--gateway", gateway.url)
    assert "unsupported_media_type" in refusal("solve", text, "What?", *at)
    assert "unsupported_media_type" in refusal("solve", text, "What?", "--json", *at)
    assert "none.png: No such file" in refusal("solve", tmp_path / "none.png", "What?", *at)
    assert f"{tmp_path} is a folder" in refusal("solve", tmp_path, "What?", *at)
    assert "/dev/stdin" in refusal("solve", "-", "What?", *at)
    assert "256 MiB" in refusal("solve", "/dev/zero", "What?", *at)


def test_what_was_forgotten_is_told(picture: Path) -> None:
    assert f"no question: {picture} is an image" in refusal("solve", picture)
    assert f"no question: {picture} is an image" in refusal("solve", picture, picture)
    assert "no question: https://" in refusal("solve", "https://example/a.png")
    assert "no image: 'What is it?' is the question" in refusal("solve", "What is it?")
    assert "no image" in refusal("solve", "What is it? " * 1000)
    assert "Missing argument 'IMAGE… QUESTION'" in refusal("solve", code=2)
    assert "Did you mean 'solve'?" in refusal("sovle", code=2)


def test_the_gateway_s_url_may_have_v1_and_need_no_scheme(gateway: Service, picture: Path) -> None:
    for url in (f"{gateway.url}/v1/", f"127.0.0.1:{gateway.port}", f"localhost:{gateway.port}/v1"):
        shown = invoke("solve", picture, "What?", "--json", "--gateway", url)
        assert json.loads(shown.stdout)["answer"] == "42", shown.stderr


def test_a_proxy_is_not_asked_for_this_machine(gateway: Service, picture: Path) -> None:
    variables = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
    shown = invoke("solve", picture, "What?", "--gateway", gateway.url, **variables)
    assert shown.returncode == 0, shown.stderr


def everyone_says(url: str, picture: Path) -> Iterator[str]:
    """What each command that asks a gateway says of the URL."""
    yield refusal("solve", picture, "What?", "--gateway", url)
    yield refusal("models", "--gateway", url)
    rows = picture.parent / "data.jsonl"
    rows.write_text("")
    yield refusal("eval", "run", rows, "--output", picture.parent / "run", "--gateway", url)


def test_where_no_gateway_is_the_reason_is_told(picture: Path) -> None:
    for said in everyone_says(f"http://127.0.0.1:{free_port()}", picture):
        assert "no gateway answers at http://127" in said
        assert "`racro up` starts one" in said
    for said in everyone_says("http://gateway.invalid", picture):
        assert "the host gateway.invalid of http://gateway.invalid cannot be resolved" in said


def test_http_and_https_are_told_apart(gateway: Service, picture: Path, tmp_path: Path) -> None:
    make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    for said in everyone_says(f"https://127.0.0.1:{gateway.port}", picture):
        assert "is it http:// instead of https://?" in said
    with ScriptedServer(tls=tls) as secure:
        for said in everyone_says(f"http://127.0.0.1:{secure.port}", picture):
            assert "https:// instead of http://" in said
        for said in everyone_says(f"https://localhost:{secure.port}", picture):
            assert "is not trusted" in said
            assert "SSL_CERT_FILE" in said


@pytest.fixture
def no_http() -> Iterator[str]:
    """A server that says something else than HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_greet, args=(server,), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def _greet(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(b"SSH-2.0-none\r\n")


def test_a_port_of_something_else_is_told(no_http: str, picture: Path) -> None:
    for said in everyone_says(no_http, picture):
        assert f"what listens at {no_http} gave no HTTP answer" in said


def test_a_port_of_another_service_is_told(
    ocr_captioner: Service, llama_reasoner: Service, picture: Path
) -> None:
    for service, title in ((ocr_captioner, "RACRO captioner"), (llama_reasoner, "RACRO reasoner")):
        for said in everyone_says(service.url, picture):
            assert title in said
            assert service.url in said


def test_who_may_not_ask_or_not_yet_is_told_what_to_do(
    captioner: ScriptedServer, reasoner: ScriptedServer, picture: Path, tmp_path: Path
) -> None:
    keys, key = KeysFile().with_new_key("one", TenantRecord(requests_per_minute=1))
    keys.write(tmp_path / "keys.yaml")
    tenants = {"keys_file": str(tmp_path / "keys.yaml")}
    config = gateway_config(captioner.url, reasoner.url, tenants=tenants)
    with Service("gateway", config) as gateway:
        at = ("--gateway", gateway.url)
        assert "pass --key or set RACRO_KEY" in refusal("solve", picture, "What?", *at)
        assert "pass --key or set RACRO_KEY" in refusal("models", *at, RACRO_KEY="rk_wrong")
        assert invoke("solve", picture, "What?", *at, "--key", key).returncode == 0
        said = refusal("solve", picture, "What?", *at, RACRO_KEY=key)
    assert "rate_limited" in said
    assert "; try again in " in said


def test_a_key_that_cannot_be_sent_is_refused(gateway: Service, picture: Path) -> None:
    said = refusal("solve", picture, "What?", "--gateway", gateway.url, "--key", "schlüssel")
    assert "printable ASCII" in said


def test_an_answer_that_breaks_off_is_no_success(
    gateway: Service, reasoner: ScriptedServer, picture: Path
) -> None:
    reasoner.script.die_after = 1
    broken = invoke("solve", picture, "What?", "--gateway", gateway.url)
    assert broken.returncode == 1
    assert broken.stdout.endswith("\n")
    assert "error: " in broken.stderr


def test_questions_that_cannot_be_read_are_told_before_anything_starts(tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text("{}")
    assert refusal("demo", "--examples", tmp_path).startswith(f"error: {questions}, line 1: ")
