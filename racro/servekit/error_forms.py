"""The forms of error bodies: OpenAI's, and Anthropic's on the routes of its API.

A service declares which of its paths have which form. It is decided by the path, once, before
anything can fail, so that every refusal has it: bad JSON, a missing key, a limit, a bug.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from starlette.types import Scope

from racro.contracts.errors import ApiOverloaded, RacroError
from racro.servekit.context import header
from racro.servekit.paths import in_api

_SCOPE_KEY = "racro.error_form"
_OVERLOADED = "overloaded"
_OVERLOADED_STATUS = 529
_CLIENT_ERRORS = range(400, 500)
# Those of Anthropic's documentation; of other statuses see `_anthropic_type`.
_ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}


def _openai_envelope(error: RacroError, _: str) -> dict[str, Any]:
    return error.envelope()


def _anthropic_envelope(error: RacroError, request_id: str) -> dict[str, Any]:
    """Return Anthropic's error object, with our `code` and `param` beside its own fields."""
    shown = error.envelope()["error"]
    return {
        "type": "error",
        "error": {**shown, "type": _anthropic_type(error)},
        "request_id": request_id or None,
    }


def _anthropic_type(error: RacroError) -> str:
    if error.code == _OVERLOADED:
        return "overloaded_error"
    other = "invalid_request_error" if error.status in _CLIENT_ERRORS else "api_error"
    return _ANTHROPIC_TYPES.get(error.status, other)


def _status(error: RacroError) -> int:
    return error.status


def _anthropic_status(error: RacroError) -> int:
    # No other API has a status of its own for it.
    return _OVERLOADED_STATUS if isinstance(error, ApiOverloaded) else error.status


class ErrorForm(NamedTuple):
    """The form of an API's errors.

    `envelope` returns the body for an error and the id of its request, which is "" where it has
    none. `id_headers` are names under which the API's clients read that id, beside ours. `status`
    returns the HTTP status of an error.
    """

    envelope: Callable[[RacroError, str], dict[str, Any]]
    id_headers: tuple[bytes, ...] = ()
    status: Callable[[RacroError], int] = _status


OPENAI = ErrorForm(_openai_envelope)
ANTHROPIC = ErrorForm(_anthropic_envelope, id_headers=(b"request-id",), status=_anthropic_status)


class FormRule(NamedTuple):
    """The form of errors of a path and all below it, of requests with a `header` if one is named.

    The path has /v1, and the header's name is in lower case.
    """

    path: str
    form: ErrorForm
    header: str | None = None

    def holds(self, path: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        is_below = path == self.path or path.startswith(f"{self.path}/")
        return is_below and (self.header is None or header(headers, self.header) is not None)


class ErrorForms:
    """The forms of errors of a service: that of the first rule that holds, else OpenAI's."""

    def __init__(self, rules: Sequence[FormRule] = ()) -> None:
        # The last segment is a part of every path that the rule holds for: few others have it.
        self._rules = [(rule.path.rpartition("/")[2], rule) for rule in rules]

    def of(self, path: str, headers: Iterable[tuple[bytes, bytes]]) -> ErrorForm:
        """Return the form for a request, however its path is spelled."""
        for segment, rule in self._rules:
            if segment in path and rule.holds(in_api(path), headers):
                return rule.form
        return OPENAI


def set_error_form(scope: Scope, form: ErrorForm) -> None:
    scope[_SCOPE_KEY] = form


def error_form_of(scope: Scope) -> ErrorForm:
    """Return the form of a request's errors; OpenAI's until another is set."""
    form: ErrorForm = scope.get(_SCOPE_KEY, OPENAI)
    return form
