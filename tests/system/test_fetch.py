"""Images by URL: what is fetched, what is refused, and that no spelling leads inside.

127.0.0.2 stands for the public internet, a canary on 127.0.0.1 and ::1 for what is behind the
wall. `support/dns` plays a hostile DNS server and writes down every address the gateway dials.
"""

import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support import http
from support.certificates import make_certificate
from support.imagehost import ENDLESS_BYTES, Canary, ImageHost
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service, free_port, wait_until
from support.scripted import ScriptedServer

DNS_FOLDER = Path(__file__).parents[1] / "support" / "dns"
LEAK = re.compile(r"127\.0|::1|\.test|Traceback|0x|object at|errno", re.IGNORECASE)
MAX_IMAGE_BYTES = 300_000
HASTY_S = 1

# Name → the answers of its first, second … lookup. All other names lead to the canary.
NAMES = {
    "*": [["127.0.0.1"]],
    "localhost": [["127.0.0.1", "::1"]],
    "good.test": [["127.0.0.2"]],
    "gone.test": [[]],
    "loopback.test": [["127.0.0.1"]],
    "loopback6.test": [["::1"]],
    "any.test": [["0.0.0.0"]],
    "mapped.test": [["::ffff:127.0.0.1"]],
    "translated.test": [["64:ff9b::7f00:1"]],
    "link.test": [["169.254.169.254"]],
    "linklocal6.test": [["fe80::1"]],
    "mixed.test": [["127.0.0.2", "10.0.0.1"]],
    "mixed6.test": [["127.0.0.2", "::1"]],
    "private-first.test": [["192.168.0.1", "127.0.0.2"]],
    "rebinding.test": [["127.0.0.2"], ["127.0.0.1"]],
    "rebinding-redirect.test": [["127.0.0.2"], ["127.0.0.1"]],
}


@pytest.fixture(scope="module")
def host() -> Iterator[ImageHost]:
    with ImageHost() as server:
        yield server


@pytest.fixture(scope="module")
def dialled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dns") / "dialled"


@contextmanager
def fetching(
    captioner: ScriptedServer, reasoner: ScriptedServer, dialled_file: Path, timeout_s: float
) -> Iterator[Service]:
    config = {
        "captioner": {"url": captioner.url},
        "reasoners": {"default": {"url": f"{reasoner.url}/v1", "model": "scripted"}},
        "limits": {"max_image_bytes": MAX_IMAGE_BYTES},
        "fetch": {"allow_networks": ["127.0.0.2/32"], "timeout_s": timeout_s},
    }
    env = {
        "PYTHONPATH": str(DNS_FOLDER),
        "TEST_DNS": json.dumps(NAMES),
        "TEST_DIALLED": str(dialled_file),
    }
    with Service("gateway", config, env=env) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def service(
    _scripted_captioner: ScriptedServer, _scripted_reasoner: ScriptedServer, dialled_file: Path
) -> Iterator[Service]:
    with fetching(_scripted_captioner, _scripted_reasoner, dialled_file, PATIENCE_S) as gateway:
        yield gateway


@pytest.fixture
def canary() -> Iterator[Canary]:
    """Must not be visited by the gateway, whatever a test does."""
    with Canary() as bird:
        yield bird
        assert bird.visits() == 0


@pytest.fixture(autouse=True)
def nothing_private_dialled(
    service: Service,
    host: ImageHost,
    canary: Canary,
    captioner: ScriptedServer,
    reasoner: ScriptedServer,
    dialled_file: Path,
) -> Iterator[None]:
    host.reset()
    dialled_file.write_text("")
    yield
    ours = {f"127.0.0.1 {captioner.port}", f"127.0.0.1 {reasoner.port}"}
    dialled = set(dialled_file.read_text().splitlines()) - ours
    assert {line for line in dialled if not line.startswith("127.0.0.2 ")} == set()


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx2.Client]:
    with http.client(base_url=service.url) as keep_alive:
        yield keep_alive


@pytest.fixture(scope="module")
def hasty(
    _scripted_captioner: ScriptedServer, _scripted_reasoner: ScriptedServer, dialled_file: Path
) -> Iterator[httpx2.Client]:
    """A client of a gateway that fetches for a second at most."""
    servers = _scripted_captioner, _scripted_reasoner
    with (
        fetching(*servers, dialled_file, HASTY_S) as gateway,
        http.client(base_url=gateway.url) as keep_alive,
    ):
        yield keep_alive


def solve(client: httpx2.Client, url: str, **more: Any) -> httpx2.Response:
    body = {"question": "How high?", "images": [url], "cache": "bypass", **more}
    return client.post("/v1/solve", json=body)


def code_of(answer: httpx2.Response) -> str:
    return "ok" if answer.status_code == 200 else answer.json()["error"]["code"]


def assert_refused(answer: httpx2.Response, status: int, code: str, word: str = "") -> None:
    assert (answer.status_code, code_of(answer)) == (status, code), answer.text
    error = answer.json()["error"]
    assert error["param"] == "images[0]"
    assert word in error["message"]
    assert not LEAK.search(error["message"])


def assert_fetched(answer: httpx2.Response, captioner: ScriptedServer, text: str = "42") -> None:
    assert answer.status_code == 200, answer.text
    assert captioner.perceptions[-1].json["images"] == [data_url(png(text))]


def forbidden(client: httpx2.Client, url: str) -> None:
    assert_refused(solve(client, url), 403, "url_forbidden")


# What is fetched.


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:{port}/image.png",
        "http://good.test:{port}/image.png",
        "HTTP://GOOD.test:{port}/image.png#fragment",
        "http://127.0.0.2:{port}/redirect?to=/image.png&status=301",
        "http://127.0.0.2:{port}/redirect?to=//good.test:{port}/image.png&status=307",
        "http://127.0.0.2:{port}/redirect?to=http%3A//good.test%3A{port}/image.png&status=308",
        "http://127.0.0.2:{port}/hops/3",
        " \thttp://127.0.0.2:{port}/image.png\r\n",
        "http://127.0.0.2:{port}/chart of 2024/höhe.png",
        "http://127.0.0.2:{port}/chart%20of%202024/h%C3%B6he.png",
        "http://127.0.0.2:{port}/redirect?to=/chart of 2024/höhe.png",
        "http://127.0.0.2:{port}/status/201",
        "http://127.0.0.2:{port}/status/206",
        "http://127.0.0.2:{port}/packed.png?by=gzip&says=gzip",
        "http://127.0.0.2:{port}/packed.png?by=gzip&says=X-GZip",
        "http://127.0.0.2:{port}/packed.png?by=zlib&says=deflate",
        "http://127.0.0.2:{port}/packed.png?by=zstd&says=zstd",
        "http://127.0.0.2:{port}/packed.png?by=zlib gzip&says=deflate, gzip",
        "http://127.0.0.2:{port}/packed.png?by=frames&says=zstd",
        "http://127.0.0.2:{port}/packed.png?by=&says=gzip",
        "http://127.0.0.2:{port}/headers?count=1&size=9000",
        "http://127.0.0.2:{port}/headers?count=100&size=8000",
        '"http://127.0.0.2:{port}/image.png"',
        "<http://127.0.0.2:{port}/image.png>",
        "\ufeffhttp://127.0.0.2:{port}/image.png\u00a0",
        "http://127.0.0.2:{port}/packed.png?by=&says=utf-8",
    ],
)
def test_an_image_is_fetched(
    client: httpx2.Client, host: ImageHost, captioner: ScriptedServer, url: str
) -> None:
    assert_fetched(solve(client, url.format(port=host.port)), captioner)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("a%2Fb.png?sig=a%2Fb%3D%3D&x=%7E", None),
        ("%7Euser/a%20b;c=d,e?q=%5B1%5D&r=[1]&s=a+b&t=%27", None),
        ("h%c3%b6he.png?a=%e2%82%ac", None),
        ("//a?b?c&&d=http://e/f@g:h", None),
        ("a?x=%252F%zz&y=100%", "a?x=%252F%25zz&y=100%25"),
        ("höhe €.png?x=ü é", "h%C3%B6he%20%E2%82%AC.png?x=%C3%BC%20%C3%A9"),
        ('a|b"c?<d>', "a%7Cb%22c?%3Cd%3E"),
        ("a/./b/../c%2F..?d=../e#fragment", "a/c%2F..?d=../e"),
    ],
)
def test_a_url_is_asked_for_as_it_was_written_and_signed(
    client: httpx2.Client, host: ImageHost, written: str, asked: str | None
) -> None:
    """Only what no URL may contain is escaped, here and in a redirect."""
    to = httpx2.QueryParams({"to": f"/signed/{written}"})
    for url in (f"/signed/{written}", f"/redirect?{to}"):
        assert solve(client, host.url + url).status_code == 200
        assert host.targets.pop() == f"/signed/{asked or written}"


def test_an_image_in_a_chat_is_fetched_or_refused(
    client: httpx2.Client, host: ImageHost, captioner: ScriptedServer, canary: Canary
) -> None:
    def chat(url: str) -> httpx2.Response:
        content = [
            {"type": "text", "text": "How high?"},
            {"type": "image_url", "image_url": {"url": url}},
        ]
        messages = [{"role": "user", "content": content}]
        return client.post("/v1/chat/completions", json={"model": "default", "messages": messages})

    assert_fetched(chat(f"{host.url}/image.png?text=7"), captioner, "7")
    refused = chat(f"http://127.0.0.1:{canary.port}/")
    assert (refused.status_code, code_of(refused)) == (403, "url_forbidden")
    assert refused.json()["error"]["param"] == "messages[0].content[1].image_url"


def test_a_fetch_tells_the_host_nothing_about_the_client(
    client: httpx2.Client, host: ImageHost
) -> None:
    for _ in range(2):
        secrets = {"authorization": "Bearer sk-1", "cookie": "session=1", "x-api-key": "sk-2"}
        body = {"question": "q", "images": [f"{host.url}/image.png"], "cache": "bypass"}
        assert client.post("/v1/solve", json=body, headers=secrets).status_code == 200
    told = {name.lower() for asked in host.asked for name in asked.headers}
    assert len(host.asked) == 2
    assert told <= {"host", "user-agent", "accept", "accept-encoding", "connection"}


def test_one_image_twice_is_fetched_once(
    client: httpx2.Client, host: ImageHost, captioner: ScriptedServer
) -> None:
    url = f"{host.url}/image.png?text=8"
    assert solve(client, url, images=[url, url]).status_code == 200
    assert len(host.asked) == 1
    assert captioner.perceptions[0].json["images"] == [data_url(png("8"))] * 2


# What is refused for what the host answers.


@pytest.mark.parametrize(
    ("path", "status", "code", "word"),
    [
        pytest.param("/text.png", 415, "unsupported_media_type", "PNG", id="text-as-png"),
        pytest.param("/page.svg", 415, "unsupported_media_type", "PNG", id="svg"),
        pytest.param("/empty.png", 400, "invalid_image", "0 bytes", id="empty"),
        pytest.param("/bomb.png", 413, "too_large", "max_image_bytes", id="gzip-bomb"),
        pytest.param("/packed.png?by=&says=br", 400, "invalid_image", "compressed as br", id="br"),
        pytest.param(
            "/packed.png?by=gzip half&says=gzip", 400, "invalid_image", "damaged", id="half-a-gzip"
        ),
        pytest.param(
            "/packed.png?by=gzip gzip gzip&says=gzip, gzip, gzip",
            400,
            "invalid_image",
            "compressed 3 times",
            id="gzip-thrice",
        ),
        pytest.param(
            "/packed.png?by=streamed half&says=zstd",
            400,
            "invalid_image",
            "damaged",
            id="half-zstd",
        ),
        pytest.param("/cut.png", 400, "invalid_image", "broke off", id="cut-off"),
        pytest.param(
            "/longer.png", 400, "invalid_image", "goes on behind its content-length", id="too-long"
        ),
        pytest.param(
            "/headers?count=1&size=70000", 400, "invalid_image", "65536 bytes", id="a-long-header"
        ),
        pytest.param(
            "/headers?count=200&size=1", 400, "invalid_image", "128 headers", id="many-headers"
        ),
        pytest.param(
            "/signed/" + 70_000 * "x", 400, "invalid_image", "longer than 65536", id="a-long-url"
        ),
        pytest.param("/status/204", 400, "invalid_image", "204: there is nothing", id="204"),
        pytest.param("/status/403", 400, "invalid_image", "403", id="403"),
        pytest.param("/status/429", 400, "invalid_image", "429", id="429"),
        pytest.param("/status/404", 400, "invalid_image", "404", id="404"),
        pytest.param("/status/500", 400, "invalid_image", "500", id="500"),
        pytest.param("/status/304", 400, "invalid_image", "304", id="not-modified"),
        pytest.param("/loop", 400, "invalid_image", "max_redirects = 3", id="redirect-loop"),
        pytest.param("/hops/4", 400, "invalid_image", "max_redirects = 3", id="four-redirects"),
        pytest.param("/nowhere", 400, "invalid_image", "", id="redirect-to-nowhere"),
        pytest.param("/endless.png", 413, "too_large", "max_image_bytes", id="endless"),
        pytest.param("/endless.png?declared", 413, "too_large", "300000", id="declared-too-large"),
    ],
)
def test_a_bad_answer_of_the_host_is_refused(
    client: httpx2.Client,
    host: ImageHost,
    captioner: ScriptedServer,
    path: str,
    status: int,
    code: str,
    word: str,
) -> None:
    assert_refused(solve(client, host.url + path), status, code, word)
    assert captioner.perceptions == []
    assert_fetched(solve(client, f"{host.url}/image.png"), captioner)


@pytest.mark.parametrize("path", ["/drip.png", "/silent.png"], ids=["slow-drip", "silent"])
def test_a_slow_host_is_not_waited_for(
    hasty: httpx2.Client, host: ImageHost, captioner: ScriptedServer, path: str
) -> None:
    def reached() -> bool:
        """On a busy machine the second may be over before."""
        answer = solve(hasty, host.url + path)
        assert_refused(answer, 504, "deadline_exceeded", "fetch.timeout_s = 1")
        return bool(host.asked)

    wait_until(reached)
    assert captioner.perceptions == []
    assert_aborted(host)


@pytest.mark.parametrize(
    "path", ["/endless.png", "/endless.png?declared"], ids=["endless", "declared-too-large"]
)
def test_a_refused_download_is_aborted(client: httpx2.Client, host: ImageHost, path: str) -> None:
    solve(client, host.url + path)
    assert_aborted(host)


def assert_aborted(host: ImageHost) -> None:
    visit = host.asked[-1]
    wait_until(lambda: visit.left_at, what="the end of the download")
    assert not visit.finished, f"all {ENDLESS_BYTES} bytes were read"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (
            "http://127.0.0.2:{port}/",
            "cannot be fetched from its URL: its host cannot be connected",
        ),
        ("http://gone.test/", "cannot be fetched from its URL: its host's name is not found"),
    ],
)
def test_a_host_that_is_not_there_is_the_clients_mistake(
    client: httpx2.Client, url: str, says: str
) -> None:
    url = url.format(port=free_port())
    assert_refused(solve(client, url), 400, "invalid_image", says)


def test_a_host_without_tls_is_named_so(client: httpx2.Client, host: ImageHost) -> None:
    url = f"https://127.0.0.2:{host.port}/image.png"
    assert_refused(solve(client, url), 400, "invalid_image", "its host speaks no TLS")


def test_a_host_with_a_certificate_of_its_own_is_named_so(
    client: httpx2.Client, tmp_path: Path
) -> None:
    make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with ScriptedServer("127.0.0.2", tls=tls) as server:
        answer = solve(client, f"{server.url}/files/image.png")
    assert_refused(answer, 400, "invalid_image", "its host's certificate is not trusted")


def test_a_redirect_that_is_not_utf_8_is_followed(
    client: httpx2.Client, host: ImageHost, captioner: ScriptedServer
) -> None:
    """Old servers write file names in their own encoding."""
    assert_fetched(solve(client, f"{host.url}/latin-1"), captioner)


# What is refused for where it leads.


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "anything.test",
        "loopback.test",
        "loopback6.test",
        "any.test",
        "mapped.test",
        "translated.test",
        "link.test",
        "linklocal6.test",
        "mixed.test",
        "mixed6.test",
        "private-first.test",
    ],
)
def test_a_name_is_refused_for_any_of_its_addresses(
    client: httpx2.Client, canary: Canary, name: str
) -> None:
    forbidden(client, f"http://{name}:{canary.port}/image.png")


def test_a_name_that_is_rebound_between_fetches_leads_nowhere(
    client: httpx2.Client, host: ImageHost, captioner: ScriptedServer
) -> None:
    """The port is the image host's on 127.0.0.2; on 127.0.0.1 it is watched by `dialled`."""
    url = f"http://rebinding.test:{host.port}/image.png"
    assert_fetched(solve(client, url), captioner)
    forbidden(client, url)


def test_a_name_that_is_rebound_during_a_redirect_leads_nowhere(
    client: httpx2.Client, host: ImageHost
) -> None:
    forbidden(client, f"http://rebinding-redirect.test:{host.port}/redirect?to=/image.png")
    assert [asked.path for asked in host.asked] == ["/redirect"]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:7f00:1]:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f.1:{port}/",
        "http://0:{port}/",
        "http://loopback.test:{port}/",
        "http://mixed.test:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.2@127.0.0.1:{port}/",
        "http://user:secret@127.0.0.2:{port}/",
        "http://127.0.0.1:{port}\\@127.0.0.2/",
        "\\\\127.0.0.1:{port}\\",
        "https://127.0.0.1:{port}/",
        "file:///etc/passwd",
        "ftp://127.0.0.1:{port}/image.png",
        "gopher://127.0.0.1:{port}/_GET",
        "data:image/png;base64,iVBORw0KGgo=",
        "unix:/var/run/docker.sock",
        "javascript:1",
    ],
)
def test_a_redirect_is_checked_like_the_url(
    client: httpx2.Client, host: ImageHost, canary: Canary, target: str
) -> None:
    to = httpx2.QueryParams({"to": target.format(port=canary.port)})
    forbidden(client, f"{host.url}/redirect?{to}")
    assert [asked.path for asked in host.asked] == ["/redirect"]


@pytest.mark.parametrize(
    "url",
    [
        "http://user@127.0.0.2:{port}/image.png",
        "http://user:secret@127.0.0.2:{port}/image.png",
        "http://:@127.0.0.2:{port}/image.png",
        "http://127.0.0.2:{port}\\image.png",
        "http://127.0.0.2:{port}/image.png\\",
        "http://127.0.0.2 :{port}/image.png",
        "http://127.0.0.2%2f:{port}/image.png",
        "http://127.0.0.2:{port}/image.png\n#",
        "http://127.0.0.2:{port}/\r\nHost: evil",
        "http://127.0.0.2:{port}/\timage.png",
        "http://127.0.0.2:{port}/\x00",
        "http:///image.png",
    ],
)
def test_a_suspicious_url_of_a_good_host_is_refused(
    client: httpx2.Client, host: ImageHost, url: str
) -> None:
    forbidden(client, url.format(port=host.port))
    assert host.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.2:{port}/image.png",
        "gopher://127.0.0.2:{port}/image.png",
        "//127.0.0.2:{port}/image.png",
        "127.0.0.2:{port}/image.png",
        "http:127.0.0.2:{port}/image.png",
        "http:\\\\127.0.0.2:{port}/image.png",
        "view-source:http://127.0.0.2:{port}/image.png",
        "/etc/passwd",
        "",
    ],
)
def test_other_schemes_are_not_fetched(client: httpx2.Client, host: ImageHost, url: str) -> None:
    assert_refused(solve(client, url.format(port=host.port)), 400, "invalid_image", "http(s) URL")
    assert host.asked == []


# All the ways to spell an address that is not public.

PRIVATE_V4 = [
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # Azure's platform, behind a public address
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.0.192",  # Oracle's metadata
    "192.168.1.1",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
]
PRIVATE_V6 = [
    *("::", "::1", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::0001", "0::1"),
    *(
        "::0.0.0.1",
        "::1%25lo",
        "fe80::1",
        "FE80::1",
        "febf::1",
        "fe80::1%25lo",
        "fe80::5efe:7f00:1",
    ),
    *("fc00::1", "fd00:ec2::254", "FD00:EC2::254", "fec0::1", "feff::1", "ff02::1", "ff05::2"),
    *(
        "ff0e::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:db8::1",
        "3fff::1",
        "4000::1",
    ),
    *("5f00::1", "64:ff9b:1::1"),
]


def v4_spellings(text: str) -> Iterator[str]:
    """Hosts that some resolver, library or browser takes for the IPv4 address `text`."""
    number = int(IPv4Address(text))
    a, b, c, d = IPv4Address(text).packed
    tail3, tail2 = number & 0xFF_FFFF, number & 0xFFFF
    yield text
    yield text + "."
    yield f"{number}"
    yield f"0x{number:x}"
    yield f"0X{number:08X}"
    yield f"0{number:o}"
    yield f"{a}.{tail3}"
    yield f"{a}.{b}.{tail2}"
    yield f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"
    yield f"0{a:o}.0{b:o}.0{c:o}.0{d:o}"
    yield f"{a:04o}.0x{b:x}.{tail2}"
    yield f"0x{a:x}.{tail3}"
    yield f"{a:03}.{b:03}.{c:03}.{d:03}"
    yield text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    yield text.translate(
        {ord("0"): "⓪"} | {ord("0") + digit: 0x245F + digit for digit in range(1, 10)}
    )
    yield text.replace(".", "。")
    yield "".join(f"%{ord(character):02x}" for character in text)


def v6_spellings_of_v4(text: str) -> Iterator[str]:
    """IPv6 addresses that lead to the IPv4 address `text` through a translator or tunnel."""
    number = int(IPv4Address(text))
    high, low = number >> 16, number & 0xFFFF
    hidden = number ^ 0xFFFF_FFFF
    yield f"::ffff:{text}"
    yield f"::FFFF:{high:X}:{low:X}"
    yield f"0:0:0:0:0:ffff:{high:04x}:{low:04x}"
    yield f"::{high:x}:{low:x}"
    yield f"::ffff:0:{high:x}:{low:x}"
    yield f"64:ff9b::{text}"
    yield f"64:ff9b:1::{high:x}:{low:x}"
    yield f"2002:{high:x}:{low:x}::1"
    yield f"2001:0:808:808:0:0:{hidden >> 16:x}:{hidden & 0xFFFF:x}"


def forbidden_hosts() -> Iterator[str]:
    for address in PRIVATE_V4:
        yield from v4_spellings(address)
        yield from (f"[{IPv6Address(one)}]" for one in v6_spellings_of_v4(address))
        yield from (f"[{one}]" for one in v6_spellings_of_v4(address))
    yield from (f"[{address}]" for address in PRIVATE_V6)
    for name in ("localhost", "loopback.test", "mixed.test", "ip6-localhost", "db.internal"):
        yield from (name, name.upper(), name + ".", name.title(), "a." + name)
        yield name.translate({ord("o"): "ⓞ", ord("l"): "ｌ", ord("."): "．"})
    yield from ("127.0.0.1.nip.test", "127-0-0-1.sslip.test", "xn--lcalhost-54a", "loc%61lhost")
    yield from ("127.0.0.1%00.good.test", "127.0.0.1%2f.good.test", "127.0.0.1%23.good.test")


def forbidden_urls(port: int) -> list[str]:
    disguises = [
        f"http://127.0.0.2@127.0.0.1:{port}/",
        f"http://127.0.0.2:80@127.0.0.1:{port}/",
        f"http://127.0.0.2%40127.0.0.1:{port}/",
        f"http://good.test@127.0.0.1:{port}/",
        f"http://127.0.0.2%2f@127.0.0.1:{port}/",
        f"http://@127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}#@127.0.0.2/",
        f"http://127.0.0.1:{port}?@127.0.0.2/",
        f"http://127.0.0.1:{port}/@127.0.0.2/",
        f"http://127.0.0.1:{port}\\@127.0.0.2/",
        f"http://127.0.0.2\\@127.0.0.1:{port}/",
        f"http://127.0.0.2:80\\@@127.0.0.1:{port}/",
        f"http://127.0.0.1\t:{port}/",
        f"http://127.0.0.1\n:{port}/",
        f"http://127.0.0.2 @127.0.0.1:{port}/",
        f"http://127.0.0.1:{port:06}/",
        f"hTtP://127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}/",
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://metadata.google.internal/computeMetadata/v1/",
    ]
    return disguises + [f"http://{host}:{port}/image.png" for host in forbidden_hosts()]


def test_no_spelling_of_a_private_address_is_dialled(
    client: httpx2.Client, captioner: ScriptedServer, canary: Canary
) -> None:
    urls = forbidden_urls(canary.port)
    assert len(set(urls)) >= 200
    wrong = [url for url in urls if code_of(solve(client, url)) != "url_forbidden"]
    assert not wrong, "\n".join(wrong)
    assert canary.visits() == 0
    assert captioner.perceptions == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}:80/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:-{port}/",
        "http://[127.0.0.1]:{port}/",
        "http://[::1:{port}/",
        "http://::1:{port}/",
        "http://[::1]]:{port}/",
        "http://[::1%lo]:{port}/",
        "http://[::ffff:127.1]:{port}/",
        "http://[v1.127]:{port}/",
        "http://127.0.0.1..:{port}/",
        "http://.127.0.0.1:{port}/",
        "http://127..1:{port}/",
        "http://127.0.0.1\u00a0:{port}/",
        "http://127.0.0.1\u3000:{port}/",
        "http://127.0.0.1\u200b:{port}/",
        "http://127.0.0.1\u2044@127.0.0.2:{port}/",
        "http://127.0.0.1\u2100:{port}/",
        f"http://{'a' * 64}.test:{{port}}/",
        f"http://{'a.' * 200}test:{{port}}/",
        "http://loopback.test:{port}x/",
        "http:127.0.0.1:{port}/",
        "http:/127.0.0.1:{port}/",
        "http:\\\\127.0.0.1:{port}/",
        "http:////127.0.0.1:{port}/",
        "http://:{port}/",
        "  http://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}%2f/",
        "url:http://127.0.0.1:{port}/",
        "http://",
        "http://#",
        "http://?",
    ],
    ids=ascii,
)
def test_an_unreadable_url_is_refused_one_way_or_the_other(
    client: httpx2.Client, canary: Canary, url: str
) -> None:
    """Parsers and resolvers disagree about these."""
    code = code_of(solve(client, url.replace("{port}", str(canary.port))))
    assert code in {"url_forbidden", "invalid_image"}
    assert canary.visits() == 0


def test_the_witnesses_see(client: httpx2.Client, host: ImageHost, dialled_file: Path) -> None:
    """The tests above prove something only if the canary and `dialled` notice a visit."""
    with Canary() as other:
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, other.port)).close()
        assert other.visits() == 2
    solve(client, f"{host.url}/image.png")
    assert f"127.0.0.2 {host.port}" in dialled_file.read_text().splitlines()
