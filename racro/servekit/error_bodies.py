"""Reads what the error bodies of other servers say, whatever their shape.

Beside OpenAI's `{"error": {"message": …}}` there are a bare text (Ollama, TGI), FastAPI's `detail`,
Mistral's `message` with details inside, Gemini's list, and plain text.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from racro.base.lone_surrogates import without_lone_surrogates
from racro.servekit.redaction import speaks_of_credentials
from racro.servekit.responses import NotJson

_FIELDS = ("error", "message", "detail", "msg", "errors", "reason", "description")
_MOST_NESTED = 5
_MOST_ITEMS = 8
_LONGEST_TEXT = 2000
_LONGEST_BODY = 128 * 2**10
_ERRORS = range(400, 600)
_STATUS_FIELDS = ("code", "status", "status_code", "http_code")
_KIND_FIELDS = ("type", "code", "status", "error_type")

# In the words of OpenAI, Azure, llama.cpp, vLLM, SGLang, TGI, TensorRT-LLM, Ollama, LiteLLM,
# Anthropic, Bedrock, Gemini, Mistral, xAI, Moonshot, DashScope and Zhipu.
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|contextwindowexceeded"
    r"|context (?:length|window|limit|size)"
    r"|maximum (?:model|allowed|prompt|input) length|maximum number of tokens allowed"
    r"|max_new_tokens` must be|`inputs` must have less than|max_seq_len|max_num_tokens"
    r"|(?:prompt|input) (?:is )?too long|input (?:token )?length too long"
    r"|too many (?:input )?tokens(?! per )"
    r"|tokens exceed the configured limit|model token limit|prompt exceeds max length"
    r"|range of input length|reduce the length of the (?:messages|prompt|input)",
    re.IGNORECASE,
)

# Of OpenAI, Azure, Groq and Cerebras; what is too much for a minute may fit the context.
_RATES = re.compile(r"(?:tokens|requests) per (?:second|minute|min|hour|day)", re.IGNORECASE)

# The types and codes of OpenAI, Anthropic, Google's APIs, vLLM, SGLang and LiteLLM.
_KINDS = {
    400: (
        "invalid_request_error", "invalid_request", "invalid_argument", "badrequesterror",
        "bad_request", "badrequest", "context_length_exceeded", "exceed_context_size_error",
        "contextwindowexceedederror", "content_filter", "content_policy_violation", "validation",
        "invalid_prompt",
    ),
    401: ("authentication_error", "unauthenticated", "authenticationerror", "invalid_api_key"),
    402: (
        "insufficient_quota", "insufficient_balance", "exceeded_current_quota_error",
        "billing_hard_limit_reached", "billing_not_active", "billing_error",
    ),
    403: ("permission_error", "permission_denied"),
    404: ("not_found_error", "notfounderror"),
    413: ("request_too_large",),
    429: (
        "rate_limit_error", "rate_limit_exceeded", "rate_limit", "ratelimiterror",
        "resource_exhausted", "too_many_requests",
    ),
    500: (
        "server_error", "internal_server_error", "internalservererror", "internal_error",
        "internal", "api_error",
    ),
    503: (
        "overloaded_error", "server_overloaded", "unavailable", "service_unavailable",
        "serviceunavailableerror",
    ),
    504: ("timeout_error",),
}  # fmt: skip
# Of the kinds of 503, Anthropic's and OpenAI's for one that has too much to do.
_OVERLOADED = {"overloaded_error", "server_overloaded"}
_STATUS_OF_KIND = {kind: status for status, kinds in _KINDS.items() for kind in kinds}


def decode(body: bytes) -> Any:
    """Return a body as JSON, None where it is none, or is too long for an error."""
    if len(body) > _LONGEST_BODY:
        return None
    try:
        return msgspec.json.decode(without_lone_surrogates(body))
    except NotJson:
        return None


def message_of(body: bytes, parsed: Any) -> str | None:
    """Return what an error body says, None where it says nothing that can be shown."""
    if parsed is None:
        text = " ".join(body.decode(errors="replace").split())
        is_text = text.isprintable() and len(text) <= _LONGEST_TEXT
        return text if is_text and not text.startswith(("<", "{", "[", '"', "\ufffd")) else None
    return _said(parsed, _MOST_NESTED) or None


def _said(value: Any, levels: int) -> str:
    if isinstance(value, str):
        return value
    if levels == 0:
        return ""
    if isinstance(value, list):
        said = (_said(item, levels - 1) for item in value[:_MOST_ITEMS])
        return "; ".join(filter(None, said))
    if not isinstance(value, dict):
        return ""
    said = (_said(value[field], levels - 1) for field in _FIELDS if value.get(field))
    text = next(filter(None, said), "")
    where = _location(value.get("loc"))
    return f"{where}: {text}" if where and text else text


def _location(loc: Any) -> str:
    """Return the field that FastAPI names by its path, which begins with "body"."""
    if not isinstance(loc, list):
        return ""
    return ".".join(str(step) for step in loc[:_MOST_ITEMS] if step != "body")


def says_too_long(body: bytes, parsed: Any) -> bool:
    """Tell whether an error says that the request does not fit the model's context."""
    said = _words(body, parsed)
    return any(map(_TOO_LONG.search, said)) and not any(map(_RATES.search, said))


def says_too_often(body: bytes, parsed: Any) -> bool:
    """Tell whether an error says that a rate of tokens or requests is exceeded."""
    return any(map(_RATES.search, _words(body, parsed)))


def says_overloaded(parsed: Any) -> bool:
    """Tell whether an error object says by its kind that its server has too much to do."""
    kinds = (str(one.get(field)) for one in _objects(parsed) for field in _KIND_FIELDS)
    return any(kind.lower() in _OVERLOADED for kind in kinds)


def says_credentials(body: bytes, parsed: Any) -> bool:
    """Tell whether an error is about an API key or the account that pays."""
    return any(map(speaks_of_credentials, _words(body, parsed)))


def _words(body: bytes, parsed: Any) -> list[str]:
    """Return the message of an error and its kinds."""
    kinds = [str(one[field]) for one in _objects(parsed) for field in _KIND_FIELDS if field in one]
    return [message_of(body, parsed) or "", *kinds]


def status_of(parsed: Any) -> int | None:
    """Return the HTTP status that an error object names, by a number or by its kind."""
    for one in _objects(parsed):
        for field in _STATUS_FIELDS:
            if (status := _number(one.get(field))) in _ERRORS:
                return status
    return status_of_kind(parsed)


def status_of_kind(parsed: Any) -> int | None:
    """Return the HTTP status that an error object names by its kind alone."""
    for one in _objects(parsed):
        for field in _KIND_FIELDS:
            if status := _STATUS_OF_KIND.get(str(one.get(field)).lower()):
                return status
    return None


def _number(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) == 3:  # noqa: PLR2004
        return int(value)
    return value if type(value) is int else None


def _objects(parsed: Any) -> Iterator[dict[str, Any]]:
    """Yield the error object and what it stands in."""
    if isinstance(parsed, list):
        parsed = parsed[0] if parsed else None
    if isinstance(parsed, dict):
        if isinstance(parsed.get("error"), dict):
            yield parsed["error"]
        yield parsed
