"""A request's body as one of our models, or our 400 with the field named."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw
from pydantic import BaseModel, ValidationError

from racro.contracts.errors import InvalidRequest
from racro.servekit.findings import findings, shown_name
from racro.servekit.json_bounds import Bound, TooManyError, fields_of, items_of, may_hold_more
from racro.servekit.responses import NotJson

Model = TypeVar("Model", bound=BaseModel)

# A body of a million wrong fields is not worth a million sentences.
_MOST_FINDINGS = 100
_MOST_TOLD = 3
# Pydantic makes an error of each wrong value, which is quick for so many.
_FEW_VALUES = 512
_MOST_FIELDS = Bound(128)


def parse_json(
    model: type[Model],
    body: bytes,
    *,
    fields: Bound = _MOST_FIELDS,
    lists: Mapping[str, Bound] | None = None,
    depth: int = 2,
) -> Model:
    """Return a body as a model whose fields are nested `depth` lists and objects deep at most.

    `fields` bounds the names of the body and of its objects, and the entries of lists that are
    not in `lists`. Raises InvalidRequest.
    """
    if may_hold_more(body, _FEW_VALUES):
        body = _bounded(body, fields, lists or {}, depth)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise invalid_request(error, model) from error


def _bounded(body: bytes, fields: Bound, lists: Mapping[str, Bound], depth: int) -> bytes:
    """Return a body equal to pydantic's eyes, with few values. Raises InvalidRequest."""
    try:
        found = fields_of(body, fields.most)
    except TooManyError as error:
        raise InvalidRequest(f"more fields than {fields}") from error
    except NotJson as error:
        raise InvalidRequest(f"this is no JSON object: {error}") from error
    shallow = {}
    for name, value in found.items():
        bound = lists.get(name, fields)
        try:
            shallow[name] = _shallow(value, bound.most, depth=depth)
        except TooManyError as error:
            field = shown_name(name)
            raise InvalidRequest(f"{field}: more than {bound}", param=field) from error
    if all(shallow[name] is value for name, value in found.items()):
        return body
    return msgspec.json.encode(shallow)


def _shallow(value: Raw, most: int, *, depth: int) -> Raw:
    """Return a value with what stands deeper in it emptied; itself, if there is nothing."""
    first = bytes(memoryview(value)[:1])
    if first not in (b"[", b"{"):
        return value
    if depth == 0:
        return Raw(b"[]" if first == b"[" else b"{}")
    if first == b"[":
        items = items_of(value, most)
        inner = [_shallow(item, most, depth=depth - 1) for item in items]
        same = all(one is item for one, item in zip(inner, items, strict=True))
        return value if same else Raw(msgspec.json.encode(inner))
    found = fields_of(value, most)
    shallow = {name: _shallow(one, most, depth=depth - 1) for name, one in found.items()}
    same = all(shallow[name] is one for name, one in found.items())
    return value if same else Raw(msgspec.json.encode(shallow))


def parse_fields(model: type[Model], fields: dict[str, Any]) -> Model:
    """Raises InvalidRequest."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise invalid_request(error, model) from error


def invalid_request(error: ValidationError, model: type[BaseModel]) -> InvalidRequest:
    """The first findings. Never a long input itself: it may be a 10 MB image."""
    if error.error_count() > _MOST_FINDINGS:
        return InvalidRequest(f"{error.error_count()} fields are wrong; see /openapi.json")
    found = findings(error, model)
    told = "; ".join(map(str, found[:_MOST_TOLD]))
    more = f" (and {len(found) - _MOST_TOLD} more)" if len(found) > _MOST_TOLD else ""
    return InvalidRequest(told + more, param=found[0].field or None)
