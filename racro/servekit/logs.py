"""JSON logs on stderr, one object a line, each with the id of the request it belongs to."""

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec

from racro.servekit.context import request_id
from racro.servekit.tracing import trace_id

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_encode = msgspec.json.Encoder(enc_hook=repr).encode


class _JsonFormatter(logging.Formatter):
    """Standard fields, the request's id, and whatever was given as `extra`."""

    def __init__(self, *, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        fields = vars(record)
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "service": self._service,
        }
        if current := request_id.get():
            entry["request_id"] = current
        if trace := trace_id():
            entry["trace_id"] = trace
        for name in fields.keys() - _STANDARD:
            entry[name] = fields[name]
        if record.exc_info:
            entry["exc_info"] = self.formatException(record.exc_info)
        return _encode(entry).decode()


def configure_logging(*, service: str, level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonFormatter(service=service))
    # Nobody prints these, and each costs every record a look-up.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
