"""Which route a request means, however its URL is spelled, and what those that mean none are told.

Clients are given base URLs with and without /v1, with slashes too many, and with /v1 twice. All of
them reach the same route under one path, before anything decides by the path: who needs a key, what
is measured, what is answered while the process ends.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import dropwhile
from types import MappingProxyType
from typing import NamedTuple

from starlette.routing import Route

from racro.contracts.errors import MethodNotAllowed, NotFound, RacroError

API = "/v1"
# Names that other servers give their probes.
_ALIASES = {"/health": "/healthz", "/ping": "/healthz"}
_LONGEST_PATH = 2048
_SHOWN_CHARACTERS = 100
_UNSAFE = re.compile(r"[^\x21-\x7e]")


class KnownRoute(NamedTuple):
    """A route by its template."""

    path: str
    methods: frozenset[str]
    regex: re.Pattern[str]
    listed: bool

    @property
    def allowed(self) -> str:
        """The value of its Allow header."""
        head = {"HEAD"} if "GET" in self.methods else set()
        return ", ".join(sorted({*self.methods, *head, "OPTIONS"}))

    @property
    def allow_header(self) -> tuple[bytes, bytes]:
        """The header that tells its methods."""
        return b"allow", self.allowed.encode()

    def has(self, method: str) -> bool:
        """Tells whether requests of a method reach it. HEAD is answered like GET."""
        return method in self.methods or (method == "HEAD" and "GET" in self.methods)

    def method_not_allowed(self, method: str) -> RacroError:
        """Returns the error for a method that it does not have."""
        error = MethodNotAllowed(f"no {method} {self.path}; it has {self.allowed}")
        error.headers = (self.allow_header,)
        return error


def known_route(route: Route) -> KnownRoute:
    methods = frozenset(route.methods or ()) - {"HEAD"}
    return KnownRoute(route.path_format, methods, route.path_regex, route.include_in_schema)


class RouteTable:
    """The routes of a service, and the paths that are not served but often asked for.

    `absent` says of each of those what to use instead.
    """

    def __init__(
        self, routes: Iterable[KnownRoute], absent: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._routes = tuple(routes)
        self._literal = {route.path: route for route in self._routes}
        self._patterns = [route for route in self._routes if "{" in route.path]
        self._absent = absent
        if served := absent.keys() & self._literal.keys():
            raise ValueError(f"{', '.join(served)}: served, and said not to be")

    def canonical(self, path: str) -> str:
        """The path of the route that is meant; of an unknown one, `path` without empty segments.

        Takes time linear in the length of `path`; one over 2,048 characters stays as it is.
        """
        if path in self._literal or len(path) > _LONGEST_PATH:
            return path
        under_api = in_api(path)
        if under_api in self._absent or self.find(under_api):
            return under_api
        plain = "/" + "/".join(_segments(path))
        return _ALIASES.get(plain, plain)

    def find(self, path: str) -> KnownRoute | None:
        """The route of a canonical path."""
        if found := self._literal.get(path):
            return found
        return next((route for route in self._patterns if route.regex.match(path)), None)

    def not_found(self, method: str, path: str) -> RacroError:
        """Returns the error for a path without a route, which says what to use instead."""
        if instead := self._absent.get(path):
            return NotFound(f"no route {path}: {instead}")
        there_are = ", ".join(self.listing())
        return NotFound(f"no route {method} {printable(path)}; there are: {there_are}")

    def listing(self) -> list[str]:
        """Each method and path that there is, but for the files of the documentation."""
        return [
            f"{method} {route.path}"
            for route in self._routes
            if route.listed
            for method in sorted(route.methods)
        ]

    def __iter__(self) -> Iterator[KnownRoute]:
        return iter(self._routes)


def in_api(path: str) -> str:
    """Return a path with /v1 once before it, and without empty segments.

    Of a path over 2,048 characters the rest is left out.
    """
    segments = _segments(path[:_LONGEST_PATH])
    below = dropwhile(API.strip("/").__eq__, segments)
    return "/".join([API, *below])


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def printable(text: str, *, most: int = _SHOWN_CHARACTERS) -> str:
    """The beginning of what a stranger sent, safe to log and to show: printable ASCII only."""
    shown = _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], text[:most])
    return shown + "…" * (len(text) > most)
