"""How a gateway's URL may be written, and what its answers say to people."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from racro.contracts.client import (
    ClientError,
    another_service,
    authorization,
    gateway_url,
    is_loopback,
    refusal,
    retry_after_s,
)

URL = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8000",
        "http://127.0.0.1:8000/",
        "http://127.0.0.1:8000/v1",
        "http://127.0.0.1:8000/v1//",
        "127.0.0.1:8000",
        "127.0.0.1:8000/v1/",
        " 127.0.0.1:8000\n",
    ],
)
def test_a_url_may_be_written_in_many_ways(text) -> None:
    assert gateway_url(text) == URL


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("racro", "http://racro"),
        ("HTTPS://racro.example/v1", "https://racro.example"),
        ("https://example/eyes/v1/", "https://example/eyes"),
        ("https://example/v12", "https://example/v12"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_what_else_a_url_says_is_kept(text, url) -> None:
    assert gateway_url(text) == url


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "names no host"),
        ("http://", "names no host"),
        ("http:///v1", "names no host"),
        ("ftp://example", "begins with ftp://"),
        ("http://example:99999", "out of range"),
        ("http://example:x", "could not be cast"),
        ("http://[::1", "Invalid IPv6"),
        ("http://two words", "names no host"),
        ("http://example/?key=1", "a query"),
    ],
)
def test_what_is_no_url_is_refused_with_the_reason(text, reason) -> None:
    with pytest.raises(ClientError, match=f"(?s)--gateway .*{reason}.*; one is http://127"):
        gateway_url(text)


def test_a_machine_s_own_services_are_known() -> None:
    assert all(map(is_loopback, (URL, "http://localhost", "http://[::1]:1", "http://127.9.9.9")))
    assert not any(map(is_loopback, ("http://example", "http://10.0.0.1", "http://128.0.0.1")))


def test_a_key_that_no_header_carries_is_refused_and_not_shown() -> None:
    assert authorization("rk_1") == {"authorization": "Bearer rk_1"}
    assert authorization(None) == {}
    with pytest.raises(ClientError, match="printable ASCII") as caught:
        authorization("schlüssel")
    assert "schl" not in str(caught.value)


def said(status: int, body: bytes, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return refusal(URL, "/v1/solve", status, named, body)


def test_a_refusal_says_what_to_do() -> None:
    wait = said(429, b'{"error": {"message": "slower", "code": "rate_limited"}}', retry_after="7")
    assert wait == "slower (rate_limited); try again in 7 s"
    key = said(401, b'{"error": {"message": "no key", "code": "invalid_api_key"}}')
    assert key == "no key (invalid_api_key); pass --key or set RACRO_KEY"
    away = said(503, b"<html>", retry_after="3")
    assert away.endswith(" with status 503: not a RACRO gateway?; try again in 3 s")
    assert "a redirect to https://example/" in said(308, b"", location="https://example/")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"3",
        b'{"error": "no object"}',
        b'{"error": null}',
        b"[" * 100_000,
    ],
)
def test_whatever_a_stranger_answers_is_told_in_a_line(body) -> None:
    assert said(418, body) == f"{URL} answered /v1/solve with status 418: not a RACRO gateway?"


def test_an_endless_message_is_cut() -> None:
    assert len(said(400, b'{"error": {"message": "%s"}}' % (b"x" * 10**6))) < 3000


def test_the_wait_may_be_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 60 < retry_after_s({"retry-after": later}) <= 91
    assert retry_after_s({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}) == 0
    for nothing in ({}, {"retry-after": "soon"}, {"retry-after": "²"}):
        assert retry_after_s(nothing) is None


@pytest.mark.parametrize(
    "value", ["3601", "9" * 50, "9" * 5000, "3600.5", "Fri, 31 Dec 9999 23:59:59 GMT"]
)
def test_nobody_is_told_to_wait_over_an_hour(value) -> None:
    assert retry_after_s({"retry-after": value}) == 3600


@pytest.mark.parametrize("offset", ["+99999999999999999", "-99999999999", "+9999", "UTC"])
@pytest.mark.parametrize("date", ["Mon, 01 Jan 2024 00:00:00", "Mon, 01 Jan 0001 00:00:00"])
def test_no_date_breaks_the_reader(date, offset) -> None:
    assert retry_after_s({"retry-after": f"{date} {offset}"}) in {None, 0}


def test_another_service_is_known_by_its_description() -> None:
    assert another_service(URL, {"info": {"title": "RACRO gateway"}}) is None
    assert another_service(URL, ["no description"]) is None
    assert "RACRO captioner" in another_service(URL, {"info": {"title": "RACRO captioner"}})
