"""A request's body as one of our models, or our 400 with the field named."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from racro.contracts.errors import InvalidRequest
from racro.servekit.findings import findings

Model = TypeVar("Model", bound=BaseModel)

# A body of a million wrong fields is not worth a million sentences.
_MOST_FINDINGS = 100
_MOST_TOLD = 3


def parse_json(model: type[Model], body: bytes) -> Model:
    """Raises InvalidRequest."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise invalid_request(error, model) from error


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
