"""Errors of HTTP clients, which say whether anything of a request was sent.

    HttpError
    ├── NotSent             nothing of the request reached the peer, or TLS failed
    │   └── NotTrusted      the peer's TLS certificate is not trusted
    └── Broken              the request was sent, and there is no whole answer
        ├── Malformed       the answer is not HTTP/1.1, or larger than a limit
        └── NoFirstByte     no byte of an answer came within the time for it

`Upstream` turns them into errors of `racro.contracts.errors`; their messages are not for clients.
"""


class HttpError(Exception):
    """A request without a whole answer."""


class NotSent(HttpError):
    """Nothing of the request reached the peer."""


class NotTrusted(NotSent):
    """The peer's TLS certificate is not trusted."""


class Broken(HttpError):
    """The request was sent; `before_answer` says that no byte of an answer had come.

    `reused` says that it was sent over a connection that had been kept from an earlier request.
    """

    def __init__(self, message: str, *, before_answer: bool = False, reused: bool = False) -> None:
        super().__init__(message)
        self.before_answer = before_answer
        self.reused = reused


class Malformed(Broken):
    """The answer is not HTTP/1.1, or larger than a limit."""


class NoFirstByte(Broken):
    """No byte of an answer came within the time for it; the peer may be at work on one."""
