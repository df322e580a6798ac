"""Which form an error has, by the path and headers of its request."""

import pytest

from racro.contracts import errors
from racro.contracts.errors import RacroError, error_from_envelope
from racro.servekit.error_forms import ANTHROPIC, OPENAI, ErrorForms, FormRule

FORMS = ErrorForms(
    [
        FormRule("/v1/messages", ANTHROPIC),
        FormRule("/v1/models", ANTHROPIC, header="anthropic-version"),
    ]
)
VERSION = [(b"anthropic-version", b"2023-06-01")]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages", "/v1/messages/", "/messages", "//messages//count_tokens", "/v1/v1/messages",
        "/v1/messages/count_tokens", "/v1/messages/batches", "/v1/messages/" + "x" * 5000,
    ],
)  # fmt: skip
def test_a_path_has_its_form_however_it_is_spelled(path: str) -> None:
    assert FORMS.of(path, []) is ANTHROPIC


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "", "*", "/v1/messages2", "/v1/chat/completions", "/v1/responses", "/x/messages"],
)
def test_other_paths_have_openai_s(path: str) -> None:
    assert FORMS.of(path, VERSION) is OPENAI


def test_models_have_the_form_of_who_asks() -> None:
    for path in ("/v1/models", "/models/", "/v1/models/a/b"):
        assert FORMS.of(path, VERSION) is ANTHROPIC
        assert FORMS.of(path, [(b"accept", b"*/*")]) is OPENAI


def test_without_rules_it_is_openai_s() -> None:
    assert ErrorForms().of("/v1/messages", VERSION) is OPENAI


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.InvalidRequest, "invalid_request_error"),
        (errors.InvalidImage, "invalid_request_error"),
        (errors.Unauthenticated, "authentication_error"),
        (errors.UrlForbidden, "permission_error"),
        (errors.UnknownModel, "not_found_error"),
        (errors.MethodNotAllowed, "invalid_request_error"),
        (errors.RequestTimedOut, "timeout_error"),
        (errors.TooLarge, "request_too_large"),
        (errors.HeadersTooLarge, "invalid_request_error"),
        (errors.UnsupportedMediaType, "invalid_request_error"),
        (errors.RateLimited, "rate_limit_error"),
        (errors.RacroError, "api_error"),
        (errors.UpstreamError, "api_error"),
        (errors.UpstreamUnavailable, "api_error"),
        (errors.ShuttingDown, "api_error"),
        (errors.Overloaded, "overloaded_error"),
        (errors.UpstreamOverloaded, "overloaded_error"),
        (errors.DeadlineExceeded, "timeout_error"),
    ],
)
def test_anthropic_s_type_is_by_the_status(error: type[RacroError], kind: str) -> None:
    envelope = ANTHROPIC.envelope(error("m", param="f"), "r-1")
    assert envelope == {
        "type": "error",
        "error": {"type": kind, "code": error.code, "message": "m", "param": "f"},
        "request_id": "r-1",
    }


@pytest.mark.parametrize("error", [*RacroError.tree()])
def test_our_own_services_know_an_error_in_either_form(error: type[RacroError]) -> None:
    sent = error("m", param="f")
    for form in (OPENAI, ANTHROPIC):
        arrived = error_from_envelope(form.envelope(sent, ""), status=error.status)
        assert arrived is not None
        assert (arrived.code, arrived.param, str(arrived)) == (error.code, "f", "m")


def test_no_id_is_null() -> None:
    assert ANTHROPIC.envelope(RacroError("m"), "")["request_id"] is None
