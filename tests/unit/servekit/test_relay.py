"""What an upstream's refusal means to our client."""

import json

import pytest

from racro.contracts.errors import (
    ApiOverloaded,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    NotStarted,
    Overloaded,
    RacroError,
    TooLarge,
    Unauthenticated,
)
from racro.servekit.error_forms import ANTHROPIC, OPENAI
from racro.servekit.relay import error_from_answer, error_from_event, raise_for_status

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


# Messages alone, in the bodies of those servers.
TOO_LONG_WORDS = {
    "TGI": "`inputs` must have less than 1024 tokens. Given: 2000",
    "TGI, with the completion": "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000",
    "SGLang, allowed": "Input length (700001 tokens) exceeds the maximum allowed length (536826).",
    "Ollama": "the input length exceeds the context length",
    "Anthropic": "prompt is too long: 210000 tokens > 200000 maximum",
    "Anthropic, with the completion": "input length and `max_tokens` exceed context limit: 1 + 2",
    "Gemini": "The input token count (1200000) exceeds the maximum number of tokens allowed (1).",
    "OpenAI, responses": "Your input exceeds the context window of this model.",
    "Azure": "Input tokens exceed the configured limit of 272000 tokens.",
    "xAI": "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "Bedrock": "Input is too long for requested model.",
    "TensorRT-LLM": "The sum of prompt length (9) and max_tokens should not exceed max_seq_len (8)",
    "Moonshot": "Your request exceeded model token limit: 8192",
    "DashScope": "Range of input length should be [1, 30720]",
    "Mistral": "Prompt contains 9 tokens, too large for model with 8 maximum context length",
    "Cerebras": "Please reduce the length of the messages or completion.",
}
SAID = {
    "a text": ({"error": "no tools"}, "no tools"),
    "FastAPI": ({"detail": "no tools"}, "no tools"),
    "FastAPI, a field": (
        {"detail": [{"loc": ["body", "tools", 0], "msg": "no tools", "input": "secret"}]},
        "tools.0: no tools",
    ),
    "Mistral": ({"object": "error", "message": {"detail": [{"msg": "no tools"}]}}, "no tools"),
    "Google": ([{"error": {"code": 400, "message": "no tools"}}], "no tools"),
    "several": ({"errors": [{"message": "no tools"}, {"message": "no seed"}]}, "no tools; no seed"),
    "plain text": (b"no\n tools", "no tools"),
    "a byte order mark": (b'\xef\xbb\xbf{"error": "no tools"}', "no tools"),
    "half of a surrogate pair": (rb'{"error": "no \ud83d"}', "no \ufffd"),
    "nothing": (b"", "the reasoner refused the request"),
    "HTML": (b"<html>no tools", "the reasoner refused the request"),
    "broken JSON": (b'{"error": "no', "the reasoner refused the request"),
    "nested for ever": (b'{"error":' * 50_000, "the reasoner refused the request"),
    "nothing in it": ({"error": {}}, "the reasoner refused the request"),
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


@pytest.mark.parametrize("words", TOO_LONG_WORDS.values(), ids=TOO_LONG_WORDS)
@pytest.mark.parametrize("status", [400, 413, 422])
def test_too_long_is_understood_by_its_words(status, words) -> None:
    for body in ({"error": words}, {"error": {"message": words}}, {"detail": words}):
        error = meaning(status, body)
        assert (error.code, error.message) == ("context_length_exceeded", words)


@pytest.mark.parametrize("status", [500, 502])
@pytest.mark.parametrize(
    "words", ["KV cache context size mismatch", "context window internal crash"]
)
def test_a_crash_that_speaks_of_the_context_is_none_of_the_requests(status, words) -> None:
    assert meaning(status, {"error": words}).code == "upstream_unavailable"
    in_a_stream = json.dumps({"error": {"message": words, "code": status}}).encode()
    assert error_from_event(in_a_stream, name="reasoner").code == "upstream_unavailable"


@pytest.mark.parametrize("status", [400, 413, 429])
@pytest.mark.parametrize(
    "words",
    [
        "The prompt contains too many tokens per minute.",
        "Request too large on tokens per minute (TPM): reduce the length of the messages",
    ],
)
def test_what_is_too_much_for_a_minute_may_fit_the_context(status, words) -> None:
    assert meaning(status, {"error": words}).code == "rate_limited"


def test_what_an_error_quotes_of_the_request_is_not_its_reason() -> None:
    detail = [{"loc": ["body"], "msg": "wrong", "input": "What is the context length?"}]
    assert meaning(422, {"detail": detail}).code == "invalid_request"


@pytest.mark.parametrize(("body", "says"), SAID.values(), ids=SAID)
def test_an_error_keeps_what_it_says_whatever_its_shape(body, says) -> None:
    assert meaning(400, body).message == says
    assert meaning(429, body).message == says


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"message": "x", "code": 400}, "invalid_request"),
        ({"message": "x", "code": "422"}, "invalid_request"),
        ({"message": "x", "status_code": 429}, "rate_limited"),
        ({"message": "x", "type": "rate_limit_error"}, "rate_limited"),
        ({"message": "x", "type": "invalid_request_error", "code": None}, "invalid_request"),
        ({"message": "x", "code": "rate_limit_exceeded"}, "rate_limited"),
        ({"message": "x", "status": "RESOURCE_EXHAUSTED"}, "rate_limited"),
        ({"message": "x", "code": 401}, "upstream_error"),
        ({"message": "x", "type": "authentication_error"}, "upstream_error"),
        ({"message": "x", "code": 503}, "upstream_unavailable"),
        ({"message": "x", "code": 12345}, "upstream_unavailable"),
        ({"message": "x", "code": "insufficient_quota"}, "upstream_error"),
        ({"message": "x", "type": "overloaded_error"}, "overloaded"),
        ({"message": "x", "code": "server_overloaded"}, "overloaded"),
        ({"message": "x", "type": "service_unavailable"}, "upstream_unavailable"),
        (
            {"message": "prompt too long for the cache", "type": "server_error"},
            "upstream_unavailable",
        ),
        ({"message": "too many tokens per minute"}, "rate_limited"),
        ({"message": "prompt is too long"}, "context_length_exceeded"),
        ("prompt is too long", "context_length_exceeded"),
        ("x", "upstream_unavailable"),
        ({}, "upstream_unavailable"),
        (Overloaded("x").envelope()["error"], "overloaded"),
    ],
    ids=str,
)
def test_an_error_in_a_stream_means_what_it_says(error, code) -> None:
    told = error_from_event(json.dumps({"error": error}).encode(), name="reasoner")
    assert told.code == code
    # Another may not be asked the same: work may have begun.
    assert not isinstance(told, NotStarted)


class Answered:
    """A response of an upstream, as far as errors are made of it."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.status = status
        self.headers = headers
        self._body = body

    async def readany(self) -> bytes:
        body, self._body = self._body, b""
        return body


async def refusal(status: int, **headers: str) -> RacroError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with pytest.raises(RacroError) as told:
        await raise_for_status(Answered(status, named), name="reasoner")
    return told.value


@pytest.mark.parametrize("status", [429, 500, 503, 529])
@pytest.mark.parametrize(
    ("said", "seconds"), [("30", 30), ("0", 0), ("0.2", 1), ("1.0", 1), ("86400", 3600)]
)
async def test_when_to_try_again_is_passed_on(status, said, seconds) -> None:
    assert (await refusal(status, retry_after=said)).retry_after_s == seconds


@pytest.mark.parametrize("said", ["soon", "-1", "", "1e3"])
async def test_what_says_nothing_is_not_passed_on(said) -> None:
    assert (await refusal(429, retry_after=said)).retry_after_s == 1


async def test_only_what_time_mends_says_when() -> None:
    for status in (400, 401, 404):
        error = await refusal(status, retry_after="30", x_ratelimit_remaining_requests="0")
        assert (error.retry_after_s, [*error.headers]) == (None, [])


async def test_what_is_left_of_a_rate_limit_is_passed_on() -> None:
    error = await refusal(429, x_ratelimit_reset_tokens="6m0s", x_other="1")
    assert [*error.headers] == [(b"x-ratelimit-reset-tokens", b"6m0s")]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-ratelimit-limit-requests", "9"),
        ("x-ratelimit-remaining-tokens-minute", "9"),
        ("x-ratelimit-reset-requests-day", "2026-11-30T00:00:00Z"),
    ],
)
async def test_the_names_of_limits_are_known(header, value) -> None:
    error = await refusal(503, **{header: value})
    assert [*error.headers] == [(header.encode(), value.encode())]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-ratelimit-organization", "9"),
        ("x-ratelimit-limit-requests-sk-SECRET", "9"),
        ("x-ratelimit-limit-requests", "sk-SECRET"),
        ("x-ratelimit-limit-requests", "9" * 10_000),
        ("x-ratelimit-limit-requests", "9\xff"),
    ],
)
async def test_nothing_else_is_passed_on(header, value) -> None:
    assert not [*(await refusal(429, **{header: value})).headers]


@pytest.mark.parametrize("status", [200, 201, 203, 206, 299])
async def test_another_2xx_is_a_success(status) -> None:
    await raise_for_status(Answered(status, {}), name="reasoner")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (302, "upstream_error"),
        (400, "invalid_request"),
        (401, "upstream_error"),
        (402, "upstream_error"),
        (403, "upstream_error"),
        (404, "upstream_error"),
        (405, "upstream_error"),
        (407, "upstream_error"),
        (408, "upstream_unavailable"),
        (409, "upstream_unavailable"),
        (410, "upstream_error"),
        (424, "upstream_unavailable"),
        (425, "upstream_unavailable"),
        (499, "upstream_unavailable"),
        (413, "too_large"),
        (422, "invalid_request"),
        (429, "rate_limited"),
        (500, "upstream_unavailable"),
        (502, "upstream_unavailable"),
        (503, "upstream_unavailable"),
        (529, "overloaded"),
    ],
)
def test_a_status_has_one_meaning_whatever_the_body(status, code) -> None:
    assert [meaning(status, body).code for body in BODIES] == [code] * len(BODIES)


@pytest.mark.parametrize(
    ("status", "told", "kind"),
    [
        (400, 400, "invalid_request_error"),
        (401, 502, "api_error"),
        (403, 502, "api_error"),
        (404, 502, "api_error"),
        (413, 413, "request_too_large"),
        (422, 400, "invalid_request_error"),
        (429, 429, "rate_limit_error"),
        (500, 503, "api_error"),
        (503, 503, "api_error"),
        (504, 503, "api_error"),
        (529, 529, "overloaded_error"),
    ],
)
@pytest.mark.parametrize("body", [b"", b'{"type":"error","error":{"type":"x","message":"m"}}'])
async def test_anthropic_s_clients_are_told_its_types(status, told, kind, body) -> None:
    with pytest.raises(RacroError) as raised:
        await raise_for_status(Answered(status, {}, body), name="reasoner")
    error = raised.value
    assert (ANTHROPIC.status(error), ANTHROPIC.envelope(error, "")["error"]["type"]) == (told, kind)
    # OpenAI's has no status of its own for one that is overloaded.
    assert OPENAI.status(error) == (503 if status == 529 else told)


async def test_a_529_passes_through_our_own_service() -> None:
    """Its status is kept where the reasoner service tells the gateway."""
    with pytest.raises(ApiOverloaded) as first:
        await raise_for_status(Answered(529, {}, b"{}"), name="engine")
    body = json.dumps(ANTHROPIC.envelope(first.value, "r-1")).encode()
    assert isinstance(error_from_answer(529, body, name="reasoner"), ApiOverloaded)


def test_a_request_that_was_read_ends_no_connection() -> None:
    assert not meaning(413, b"").headers


@pytest.mark.parametrize("status", [400, 413, 429])
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


@pytest.mark.parametrize(("status", "has_begun"), [(409, False), (425, False), (408, True)])
def test_what_may_have_begun_is_said(status, has_begun) -> None:
    assert isinstance(meaning(status, b""), NotStarted) is not has_begun


@pytest.mark.parametrize("status", [400, 409, 413, 422, 429])
@pytest.mark.parametrize(
    "body",
    [
        {"code": "Client specified an invalid argument", "error": "Incorrect API key: xai-SECRET"},
        [{"error": {"code": 400, "message": "API key not valid: AIzaSECRET"}}],
        {"error": {"code": "invalid_request", "message": "bad key sk-SECRET"}},
        {"error": {"code": "invalid_api_key", "message": "bad key SECRET"}},
        b"upstream SECRET:8000 refused; key sk-SECRET",
    ],
    ids=str,
)
def test_a_key_or_an_address_is_never_shown_and_the_client_never_blamed(status, body) -> None:
    error = meaning(status, body)
    assert "SECRET" not in error.message
    assert error.code in {"upstream_error", "upstream_unavailable", "rate_limited"}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    in_a_stream = error_from_event(raw, name="reasoner")
    assert "SECRET" not in in_a_stream.message
    assert not isinstance(in_a_stream, InvalidRequest)


@pytest.mark.parametrize("status", [400, 429])
def test_words_are_shown_in_a_line_without_addresses(status) -> None:
    error = meaning(status, {"error": "dial\ntcp http://10.0.0.5 \x1b" + "x " * 30_000})
    assert error.message.startswith("dial tcp [redacted] x x")
    assert len(error.message) <= 2000


def test_an_account_without_credit_is_no_matter_of_waiting() -> None:
    quota = {"error": {"message": "You exceeded", "code": "insufficient_quota"}}
    assert meaning(429, quota).code == meaning(402, b"").code == "upstream_error"


OF_OUR_OWN = Unauthenticated | NotFound | DeadlineExceeded
PASS_THROUGH = [
    error
    for error in RacroError.tree()
    if error is not RacroError and not issubclass(error, OF_OUR_OWN)
]


@pytest.mark.parametrize("error", PASS_THROUGH)
def test_an_error_of_ours_passes_through(error) -> None:
    sent = error("why", param="images[0]")
    assert meaning(sent.status, sent.envelope()).envelope() == sent.envelope()
    other = meaning(402, sent.envelope())
    assert (other.code, "why" in other.message) == ("upstream_error", False)


def test_what_is_internal_stays_so() -> None:
    error = meaning(500, RacroError("Traceback: sk-SECRET").envelope())
    assert (error.code, error.message) == ("internal", "internal error")


def test_a_code_of_ours_with_another_status_is_another_servers() -> None:
    error = meaning(400, TooLarge("x").envelope())
    assert (error.code, [*error.headers]) == ("invalid_request", [])


def test_whose_deadline_it_was_is_said() -> None:
    sent = DeadlineExceeded("not finished within timeout_s = 300").envelope()
    error = meaning(504, sent)
    assert error.status == 504
    assert error.message == "the reasoner: not finished within timeout_s = 300"


def test_openai_s_own_invalid_api_key_is_not_taken_for_our_client_s() -> None:
    sent = Unauthenticated("Incorrect API key provided: sk-server").envelope()
    error = meaning(401, sent)
    assert (error.status, "sk-server" in error.message) == (502, False)
