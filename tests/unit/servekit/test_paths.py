"""Which route a path means."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Route

from racro.servekit.paths import RouteTable, known_route, printable

ROUTES = {
    "/": "GET",
    "/healthz": "GET",
    "/metrics": "GET",
    "/v1/solve": "POST",
    "/v1/chat/completions": "POST",
    "/v1/models": "GET",
    "/v1/models/{model:path}": "GET",
}
TABLE = RouteTable(
    [known_route(Route(path, print, methods=[method])) for path, method in ROUTES.items()],
    {"/v1/embeddings": "there are none"},
)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("/v1/solve", "/v1/solve"),
        ("/solve", "/v1/solve"),
        ("/v1/v1/v1/solve", "/v1/solve"),
        ("//v1//solve//", "/v1/solve"),
        ("/v1//chat/completions", "/v1/chat/completions"),
        ("/chat/completions/", "/v1/chat/completions"),
        ("/models/Qwen/Qwen3-8B", "/v1/models/Qwen/Qwen3-8B"),
        ("/models/v1/v1", "/v1/models/v1/v1"),
        ("/embeddings", "/v1/embeddings"),
        ("", "/"),
        ("//", "/"),
        ("/health", "/healthz"),
        ("/ping/", "/healthz"),
        ("//metrics/", "/metrics"),
        # Where only /v1 is let through to a service, all else stays behind it.
        ("/v1/metrics", "/v1/metrics"),
        ("/v1/health", "/v1/health"),
        ("/v1/", "/v1"),
        # Not for us to resolve: proxies and clients do, or mean something else.
        ("/v1/../metrics", "/v1/../metrics"),
        ("/v1/./solve", "/v1/./solve"),
        ("/V1/Solve", "/V1/Solve"),
        ("/v1/solve\0", "/v1/solve\0"),
        ("/" * 5000 + "solve", "/" * 5000 + "solve"),
    ],
)
def test_a_path_as_people_type_it_is_that_of_its_route(asked, meant) -> None:
    assert TABLE.canonical(asked) == meant


@given(st.lists(st.sampled_from(["/", "v1", "solve", "models", "metrics", "..", ".", "", "x"])))
def test_a_canonical_path_is_its_own(pieces) -> None:
    path = TABLE.canonical("/".join(pieces))
    assert TABLE.canonical(path) == path


@given(st.lists(st.sampled_from(["/", "/v1", "/..", "/.", "/solve", "/metrics", "/%2e"])))
def test_a_path_under_v1_never_leads_out_of_it(pieces) -> None:
    meant = TABLE.canonical("/v1" + "".join(pieces))
    assert meant.startswith("/v1")


def test_a_route_is_found_by_its_canonical_path_only() -> None:
    assert TABLE.find("/v1/solve").path == "/v1/solve"
    assert TABLE.find("/v1/models/a/b").path == "/v1/models/{model}"
    for path in ("/solve", "/v1/solve/", "/v1/embeddings", ""):
        assert TABLE.find(path) is None


def test_what_strangers_send_is_cut_and_has_no_character_that_moves_a_cursor() -> None:
    assert printable("/v1/a\x1b[2J\r\n\u202eb\u0085é") == r"/v1/a\x1b[2J\r\n\u202eb\x85\xe9"
    assert printable("x" * 500) == "x" * 100 + "…"
    assert re.fullmatch(r"[\x20-\x7e]*", printable("".join(map(chr, range(300))), most=300))
