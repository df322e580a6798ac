"""What can go wrong with a reasoner that is asked for a rollout."""

import httpx2

from racro.contracts.client import retry_after_s

_WORDS_OF_THE_SERVER = 300
# 502 is how a proxy says that the server behind it is down.
_UNAVAILABLE = {429, 502, 503}
_OF_ONE_REQUEST = {400, 413, 422}
_HINTS = {
    401: "api_key_env names the variable that holds its key",
    403: "api_key_env names the variable that holds its key",
    404: "check the model's name, and that the URL ends in /v1",
}


class ReasonerRefused(Exception):
    """Nothing that waiting mends: a wrong key, an unknown model, settings that it does not take."""


class Unanswered(Exception):
    """A rollout did not come, though it was tried again and waited for."""


class RequestRefused(Unanswered):
    """Perhaps this one request alone: too long, say."""


class Unavailable(Exception):
    """The reasoner has begun nothing: it is down, starting, or has too much to do."""

    def __init__(self, message: str, *, retry_after_s: float = 0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Failed(Exception):
    """The reasoner failed at its work; another try may succeed."""


def raise_for_status(response: httpx2.Response) -> None:
    """Raises Unavailable, Failed, RequestRefused or ReasonerRefused."""
    status = response.status_code
    if response.is_success:
        return
    message = f"{response.url} answered with status {status}: {words_of(response)}"
    if status in _UNAVAILABLE:
        raise Unavailable(message, retry_after_s=retry_after_s(response.headers) or 0)
    if response.is_server_error or status == httpx2.codes.REQUEST_TIMEOUT:
        raise Failed(message)
    if status in _OF_ONE_REQUEST:
        raise RequestRefused(message)
    hint = _HINTS.get(status)
    raise ReasonerRefused(f"{message} ({hint})" if hint else message)


def words_of(response: httpx2.Response) -> str:
    """Return the beginning of what the server said, in one line."""
    return " ".join(response.text.split())[:_WORDS_OF_THE_SERVER] or "nothing more"
