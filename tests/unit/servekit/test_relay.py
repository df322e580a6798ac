"""What an upstream's refusal means to our client."""

import json

import pytest

from racro.contracts.errors import DeadlineExceeded, NotFound, RacroError, Unauthenticated
from racro.servekit.relay import error_from_answer

# As the servers say it, captured from their sources and from reports of their users.
TOO_LONG = {
    "OpenAI": {
        "error": {
            "message": "This model's maximum context length is 8192 tokens. However, your messages "
            "resulted in 9000 tokens. Please reduce the length of the messages.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "context_length_exceeded",
        }
    },
    "vLLM, before the envelope": {
        "object": "error",
        "message": "This model's maximum context length is 2048 tokens. However, you requested "
        "3000 tokens (2000 in the messages, 1000 in the completion).",
        "type": "BadRequestError",
        "param": None,
        "code": 400,
    },
    "vLLM, max_tokens": {
        "error": {
            "message": "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's "
            "maximum context length is 4096 tokens and your request has 12 input tokens.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        }
    },
    "vLLM, prompt": {
        "error": {
            "message": "The decoder prompt (length 5951) is longer than the maximum model length "
            "of 4096. Make sure that `max_model_len` is no smaller than the number of text tokens.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        }
    },
    "vLLM, input": {
        "error": {
            "message": "You passed 16385 input tokens and requested 0 output tokens. However, the "
            "model's context length is only 16384 tokens, resulting in a maximum input length of "
            "16384 tokens. Please reduce the length of the input prompt.",
            "type": "BadRequestError",
            "param": "input_tokens",
            "code": 400,
        }
    },
    "SGLang": {
        "object": "error",
        "message": "The input (131123 tokens) is longer than the model's context length "
        "(131072 tokens).",
        "type": "BadRequest",
        "param": None,
        "code": 400,
    },
    "SGLang, with the completion": {
        "object": "error",
        "message": "Requested token count exceeds the model's maximum context length of 4096 "
        "tokens. You requested a total of 5000 tokens.",
        "type": "BadRequest",
        "param": None,
        "code": 400,
    },
    "llama.cpp": {
        "error": {
            "code": 400,
            "message": "request (13392 tokens) exceeds the available context size (8192 tokens), "
            "try increasing it",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 13392,
            "n_ctx": 8192,
        }
    },
}


BODIES = [
    {"error": {"message": "theirs", "type": "x", "code": "theirs"}},
    {"object": "error", "message": "theirs", "code": 400},
    {"detail": "theirs"},
    ["theirs"],
    b"<html>theirs</html>",
    b"\xff",
    b'{"error": {"message": "\xff"}}',
    b"[" * 100_000,
    b"",
]


def meaning(status: int, body) -> RacroError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_from_answer(status, raw, name="reasoner")


@pytest.mark.parametrize("body", TOO_LONG.values(), ids=TOO_LONG)
def test_too_long_is_understood_from_every_server_and_its_words_are_kept(body) -> None:
    error = meaning(400, body)
    assert (error.status, error.code) == (400, "context_length_exceeded")
    assert error.message == body.get("error", body)["message"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (302, "upstream_error"),
        (400, "invalid_request"),
        (401, "upstream_error"),
        (403, "upstream_error"),
        (404, "upstream_error"),
        (422, "invalid_request"),
        (429, "rate_limited"),
        (500, "upstream_unavailable"),
        (502, "upstream_unavailable"),
        (503, "upstream_unavailable"),
        (529, "upstream_unavailable"),
    ],
)
def test_a_status_has_one_meaning_whatever_the_body(status, code) -> None:
    assert [meaning(status, body).code for body in BODIES] == [code] * len(BODIES)


@pytest.mark.parametrize("status", [400, 429])
def test_what_the_client_can_mend_is_told_in_the_upstreams_words(status) -> None:
    assert meaning(status, {"error": {"message": "top_p is wrong"}}).message == "top_p is wrong"
    assert meaning(status, b"<html>").message == "the reasoner refused the request"


def test_what_a_long_error_quotes_is_not_taken_for_its_reason() -> None:
    quoted = {"error": {"message": "wrong", "input": "x" * 2**17 + "context length"}}
    assert meaning(400, quoted).code == "invalid_request"


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_what_the_client_cannot_mend_is_told_in_ours(status) -> None:
    error = meaning(status, {"error": {"message": "key sk-123 at 10.0.0.7 is wrong"}})
    assert "sk-123" not in error.message
    assert error.message.startswith("the reasoner ")


OF_OUR_OWN = Unauthenticated | NotFound | DeadlineExceeded
PASS_THROUGH = [error for error in RacroError.tree() if not issubclass(error, OF_OUR_OWN)]


@pytest.mark.parametrize("error", PASS_THROUGH)
@pytest.mark.parametrize("status", [400, 401, 500, 503])
def test_an_error_of_ours_passes_through(error, status) -> None:
    sent = error("why", param="images[0]")
    assert meaning(status, sent.envelope()).envelope() == sent.envelope()


def test_whose_deadline_it_was_is_said() -> None:
    sent = DeadlineExceeded("not finished within timeout_s = 300").envelope()
    error = meaning(504, sent)
    assert error.status == 504
    assert error.message == "the reasoner: not finished within timeout_s = 300"


def test_openai_s_own_invalid_api_key_is_not_taken_for_our_client_s() -> None:
    sent = Unauthenticated("Incorrect API key provided: sk-server").envelope()
    error = meaning(401, sent)
    assert (error.status, "sk-server" in error.message) == (502, False)
