"""One JSON object a line on stderr. In a process of its own: logging is configured globally."""

import json
import subprocess
import sys

from support.processes import PATIENCE_S

SCRIPT = """
import logging
from racro.servekit.context import request_id
from racro.servekit.logs import configure_logging

configure_logging(service="gateway", level="info")
log = logging.getLogger("racro.test")
log.info("outside %s", "a request")
log.debug("too quiet to be seen")
request_id.set("abc-1")
log.info("inside\\nof one", extra={"status": 200, "ms": 1.5})
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
logging.getLogger("uvicorn.error").warning("from the server", extra={"color_message": "red"})
"""


def test_logs_are_json_with_the_id_of_their_request() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert ended.stdout == ""
    outside, inside, failed, server = map(json.loads, ended.stderr.splitlines())
    assert outside.pop("time")
    assert outside == {
        "level": "INFO",
        "logger": "racro.test",
        "message": "outside a request",
        "service": "gateway",
    }
    assert inside["message"] == "inside\nof one"
    assert (inside["request_id"], inside["status"], inside["ms"]) == ("abc-1", 200, 1.5)
    assert failed["level"] == "ERROR"
    assert "ZeroDivisionError" in failed["exc_info"]
    assert (server["message"], server["request_id"]) == ("from the server", "abc-1")
    assert "color_message" not in server
