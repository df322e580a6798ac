"""Which headers a request to a reasoner has."""

from gateway.reasoning.request_headers import anthropic_headers, key_headers


def test_what_a_client_says_of_anthropics_features_passes() -> None:
    given = [
        (b"anthropic-version", b"2023-06-01"),
        (b"anthropic-beta", b"context-management-2025-06-27"),
        (b"x-api-key", b"of the client"),
        (b"anthropic-beta", b"files-api-2025-04-14"),
        (b"anthropic-dangerous-direct-browser-access", b"true"),
    ]
    assert anthropic_headers(given) == {
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "context-management-2025-06-27, files-api-2025-04-14",
    }
    assert anthropic_headers([(b"anthropic-beta", b"caf\xe9"), (b"anthropic-version", b"")]) == {}


def test_a_key_is_sent_in_both_forms_to_anthropics_paths_alone() -> None:
    assert key_headers("/messages", "k") == {"x-api-key": "k"}
    assert key_headers("/messages/count_tokens", "k") == {"x-api-key": "k"}
    assert key_headers("/responses", "k") == key_headers("/messages", None) == {}
