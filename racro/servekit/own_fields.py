"""Asks servers of OpenAI's chat API with requests of our own, which some refuse for one field.

A client's chat request is passed on as it is, and no part of this. What we write ourselves has
fields that not every server takes: models that reason have one temperature, OpenAI's newer ones
take no `max_tokens`, Mistral no `stream_options`.
"""

import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from racro.contracts.errors import InvalidRequest
from racro.servekit.field_refusals import OwnField, Refusal, refusal, texts
from racro.servekit.relay import raise_for_status
from racro.servekit.upstream import Response

_log = logging.getLogger(__name__)

Body = dict[str, Any]
Post = Callable[[Body], AbstractAsyncContextManager[Response]]

# Under another name, for without it an answer has no limit.
_RENAMED = {"max_tokens": "max_completion_tokens"}
# OpenAI's models that reason refuse three fields, one after the other.
_MOST_REPEATS = 3


class OwnFields:
    """Sends requests to one server, again without those fields that it refuses by their names.

    `optional` are the fields that may be left out so; `max_tokens` is renamed instead. A field is
    left out of all further requests once the server has refused it in two with different texts,
    and answered them without it. `server` is what the log calls it.
    """

    def __init__(self, optional: Collection[OwnField], *, server: str) -> None:
        self._optional = optional
        self._server = server
        # The texts of the first request without it, as a hash, by the field.
        self._refused_once: dict[OwnField, int] = {}
        self._refused: frozenset[OwnField] = frozenset()

    @asynccontextmanager
    async def ask(self, post: Post, body: Body, *, name: str) -> AsyncIterator[Response]:
        """Give the successful response to `body`; `name` is what clients see of the server.

        Raises as `post` and `raise_for_status` do.
        """
        refusals: list[Refusal] = []
        known = self._refused
        while True:
            sent = _without(body, known.union(one.field for one in refusals))
            async with post(sent) as response:
                try:
                    await raise_for_status(response, name=name)
                except InvalidRequest as error:
                    further = self._refusal(error, sent)
                    if further is None or len(refusals) == _MOST_REPEATS:
                        raise
                    refusals.append(further)
                    continue
                self._learn(refusals, body)
                yield response
                return

    def _refusal(self, error: InvalidRequest, sent: Body) -> Refusal | None:
        """Return the first refusal that an error is, of a field that may be left out."""
        each = (refusal(error, sent, field) for field in self._optional)
        return next((one for one in each if one is not None), None)

    def _learn(self, refusals: Collection[Refusal], body: Body) -> None:
        """Note what the server refused, now that it has answered without it."""
        for field, is_certain in refusals:
            if not is_certain or field in self._refused:
                continue
            asked = hash(texts(body))
            if self._refused_once.setdefault(field, asked) == asked:
                continue
            self._refused |= {field}
            instead = f"{_RENAMED[field]} is sent" if field in _RENAMED else "it is left out"
            _log.warning(
                "%s refuses %s: %s from now on; its settings can say so", self._server, field,
                instead,
            )  # fmt: skip


def _without(body: Body, refused: Collection[OwnField]) -> Body:
    """Return a request without the refused fields, or with their other names."""
    if not refused:
        return body
    names = {name: _RENAMED.get(name) if name in refused else name for name in body}
    return {new: body[name] for name, new in names.items() if new is not None}
