"""What a server of others says is shown without what it should have kept to itself."""

import time

import pytest

from racro.servekit.redaction import redacted, speaks_of_credentials

SECRETS = [
    "sk-SECRET",
    "sk-proj-SECRET_1",
    "xai-SECRET",
    "gsk_SECRET",
    "rk_SECRET",
    "AIzaSECRET",
    "Bearer SECRET",
    "org-SECRET",
    "http://SECRET.example/v1?key=1",
    "redis://:pw@SECRET:6379/0",
    "10.1.2.3",
    "10.1.2.3:8000",
    "::1",
    "[fe80::1:2]:8000",
    "2001:db8:0:0:0:0:0:1",
    "vllm-0.SECRET:8000",
    "localhost:8000",
    "9f86d081884c7d659a2feaa0c55ad015",
    "9f86d081-884c-7d65-9a2f-eaa0c55ad015",
    "c2VjcmV0IHNlY3JldCBz+ZWNyZXQ1/c2Vj==",
]
PLAIN = [
    "This model's maximum context length is 8192 tokens, not 9000.",
    "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000",
    "tools.0: meta-llama/Llama-3.1-8B-Instruct does not support tools",
    "stream_options.include_usage_of_the_request is unknown",
    "at 12:30:05 std::bad_alloc in a[1:2]",
    "Bäume, 木, \U0001f600",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_keys_accounts_and_addresses_are_replaced(secret) -> None:
    assert redacted(f"it said ({secret}) twice") in (
        "it said ([redacted]) twice",
        "it said ([redacted] twice",
    )


@pytest.mark.parametrize("text", PLAIN)
def test_other_words_stay(text) -> None:
    assert redacted(text) == text


def test_it_is_one_line_of_bounded_length() -> None:
    assert redacted("a\n\tb\x1b\u2028 c") == "a b c"
    assert len(redacted("word " * 20_000)) == 2000
    assert "SECRET" not in redacted("x " * 994 + "sk-SECRETSECRETSECRET")


@pytest.mark.parametrize(
    "text", ["a" * 10**6, "a." * 10**6, "1:" * 10**6, "::" * 10**6, "a-1" * 10**6, " \n" * 10**6]
)
def test_no_text_takes_long(text) -> None:
    began = time.process_time()
    redacted(text)
    speaks_of_credentials(text)
    # A second as a rule, on a busy machine more; time that grows with the square takes hours.
    assert time.process_time() - began < 30


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: xai-1",
        "API key not valid. Please pass a valid API key.",
        "invalid_api_key",
        "Unauthorized",
        "Bad key sk-SECRET",
        "authentication failed",
        "your billing is not active",
    ],
)
def test_what_is_about_credentials_is_known(text) -> None:
    assert speaks_of_credentials(text)


def test_a_link_is_not_about_credentials() -> None:
    assert not speaks_of_credentials("more: https://example.com/account/billing/api-keys")
