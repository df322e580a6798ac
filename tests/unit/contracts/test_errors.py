"""Every failure has one place in the API, and finds it again after a trip over the wire."""

import pytest

from racro.contracts import errors
from racro.contracts.errors import RacroError, error_from_envelope, error_from_status

# Those that a client can tell apart; packages may have finer ones of their own.
TREE = [error for error in RacroError.tree() if error.__module__ == errors.__name__]


@pytest.mark.parametrize("error", TREE)
def test_a_body_is_openais_envelope(error) -> None:
    assert error("the field is wrong", param="images[0]").envelope() == {
        "error": {
            "type": error.kind,
            "code": error.code,
            "message": "the field is wrong",
            "param": "images[0]",
        }
    }


def test_param_is_null_where_no_field_is_to_blame() -> None:
    assert RacroError("no").envelope()["error"]["param"] is None


@pytest.mark.parametrize("error", TREE)
def test_a_status_class_and_a_kind_agree(error) -> None:
    is_the_clients = error.kind in {
        "invalid_request_error", "authentication_error", "rate_limit_error",
    }  # fmt: skip
    assert is_the_clients == (400 <= error.status < 500)


@pytest.mark.parametrize("error", TREE)
def test_who_may_come_back_is_told_when(error) -> None:
    assert (error("later").retry_after_s is not None) == (error.status in {429, 503})


def test_a_503_says_whether_asking_another_is_asking_twice() -> None:
    assert dict(errors.UpstreamUnavailable("broke off").headers) == {b"x-racro-begun": b"true"}
    assert not errors.NotStarted("not connected").headers


@pytest.mark.parametrize("error", TREE)
@pytest.mark.parametrize("param", [None, "images[0]"])
def test_an_error_survives_the_wire(error, param) -> None:
    arrived = error_from_envelope(error("why", param=param).envelope())
    assert arrived is not None
    assert arrived.envelope() == error("why", param=param).envelope()
    assert arrived.status == error.status
    # RequestError only groups; whether work had begun, or the body was read, is said in headers.
    others = {
        errors.RequestError: errors.InvalidRequest,
        errors.Overloaded: errors.QueueFull,
        errors.UpstreamOverloaded: errors.QueueFull,
        errors.ApiOverloaded: errors.QueueFull,
        errors.NotStarted: errors.UpstreamUnavailable,
        errors.ShuttingDown: errors.UpstreamUnavailable,
    }
    assert type(arrived) is others.get(error, error)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "rate_limit_exceeded", "message": "theirs"}},
        {"error": {"code": 400, "message": "vLLM's"}},
        {"error": {"code": None, "message": "no code"}},
        {"error": {"code": "invalid_image"}},
        {"error": {"code": "invalid_image", "message": ["no text"]}},
        {"error": "invalid_image"},
        {"code": "invalid_image", "message": "not enveloped"},
        {},
        [],
        "error",
        None,
    ],
    ids=str,
)
def test_what_is_no_envelope_of_ours_is_none(body) -> None:
    assert error_from_envelope(body) is None


def test_a_code_that_came_with_another_status_is_none_of_ours() -> None:
    sent = errors.TooLarge("m").envelope()
    assert isinstance(error_from_envelope(sent, status=413), errors.TooLarge)
    assert error_from_envelope(sent, status=400) is None


def test_a_param_that_is_no_text_is_dropped() -> None:
    arrived = error_from_envelope({"error": {"code": "too_large", "message": "m", "param": [1]}})
    assert arrived is not None
    assert arrived.param is None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_request"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (413, "too_large"),
        (415, "unsupported_media_type"),
        (418, "invalid_request"),
        (422, "invalid_request"),
        (429, "rate_limited"),
        (500, "internal"),
        (501, "internal"),
    ],
)
def test_a_bare_status_stands_for_an_error(status, code) -> None:
    error = error_from_status(status, "m")
    assert (error.code, error.message) == (code, "m")


def test_the_fields_of_an_error_event_may_stand_in_the_event_itself() -> None:
    flat = {"type": "error", "code": "deadline_exceeded", "message": "m", "param": "p"}
    arrived = error_from_envelope({**flat, "sequence_number": 3})
    assert isinstance(arrived, errors.DeadlineExceeded)
    assert (arrived.message, arrived.param) == ("m", "p")
    assert error_from_envelope({**flat, "type": "response.failed"}) is None
    assert error_from_envelope({**flat, "code": "server_error"}) is None
