"""Asks servers of OpenAI's chat API with requests of our own, which some refuse for one field.

A client's chat request is passed on as it is, and no part of this. What we write ourselves has
fields that not every server takes: models that reason have one temperature, OpenAI's newer ones
take no `max_tokens`, Mistral no `stream_options`.
"""

import logging
import re
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Literal

from racro.contracts.errors import InvalidRequest
from racro.servekit.relay import raise_for_status
from racro.servekit.upstream import Response

_log = logging.getLogger(__name__)

Body = dict[str, Any]
Post = Callable[[Body], AbstractAsyncContextManager[Response]]
OwnField = Literal["stream_options", "top_p", "temperature", "max_tokens"]

# Under another name, for without it an answer has no limit.
_RENAMED = {"max_tokens": "max_completion_tokens"}
# In the words of OpenAI, Azure, Mistral, Gemini, Bedrock, pydantic and FastAPI. "Too large" and the
# like are not among them: a value that is wrong is the operator's to mend.
_REFUSED = re.compile(
    r"unsupported|not support|not permitted|not allowed|not accepted|cannot both|deprecated"
    r"|unrecogni[sz]ed|unknown (?:field|name|parameter|argument)|unexpected|extra_forbidden",
    re.IGNORECASE,
)
# What is longer quotes the request.
_MOST_CHARACTERS = 4096


class OwnFields:
    """Sends requests to one server, again without those fields that it refuses by their names.

    `optional` are the fields that may be left out so; `max_tokens` is renamed instead. What a
    server refused is left out of all further requests once it has answered without it. `server` is
    what the log calls it.
    """

    def __init__(self, optional: Collection[OwnField], *, server: str) -> None:
        self._optional = optional
        self._server = server
        self._refused: frozenset[OwnField] = frozenset()

    @asynccontextmanager
    async def ask(self, post: Post, body: Body, *, name: str) -> AsyncIterator[Response]:
        """Give the successful response to `body`; `name` is what clients see of the server.

        Raises as `post` and `raise_for_status` do.
        """
        refused = self._refused
        while True:
            async with post(_without(body, refused)) as response:
                try:
                    await raise_for_status(response, name=name)
                except InvalidRequest as error:
                    field = self._refused_by(error, _without(body, refused))
                    if field is None:
                        raise
                    refused |= {field}
                    continue
                self._learn(refused)
                yield response
                return

    def _refused_by(self, error: InvalidRequest, sent: Body) -> OwnField | None:
        """Return the field that an error says is not taken, if it may be left out."""
        said = f"{error.param} {error.message}"[:_MOST_CHARACTERS]
        if _REFUSED.search(said) is None:
            return None
        named = (field for field in self._optional if re.search(rf"\b{field}\b", said))
        return next((field for field in named if field in sent), None)

    def _learn(self, refused: frozenset[OwnField]) -> None:
        for field in refused - self._refused:
            instead = f"{_RENAMED[field]} is sent" if field in _RENAMED else "it is left out"
            _log.warning(
                "%s refuses %s: %s from now on; its settings can say so", self._server, field,
                instead,
            )  # fmt: skip
        self._refused |= refused


def _without(body: Body, refused: Collection[OwnField]) -> Body:
    """Return a request without the refused fields, or with their other names."""
    if not refused:
        return body
    names = {name: _RENAMED.get(name) if name in refused else name for name in body}
    return {new: body[name] for name, new in names.items() if new is not None}
