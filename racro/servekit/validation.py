"""Pydantic's findings as our 400, with the field named."""

from pydantic import ValidationError

from racro.contracts.errors import InvalidRequest


def invalid_request(error: ValidationError) -> InvalidRequest:
    """The first finding. Never the input itself: it may be a 10 MB image."""
    finding = error.errors(include_url=False, include_input=False, include_context=False)[0]
    param = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in finding["loc"]
    ).removeprefix(".")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    where = f"{param}: " if param else ""
    return InvalidRequest(f"{where}{finding['msg']}{more}", param=param or None)
