"""Whatever the gateway's /openapi.json allows, and near misses of it, no answer is a server error.

schemathesis makes the requests, in an environment of its own; upstreams are scripted ones that
fail at nothing.
"""

import os
import subprocess
from pathlib import Path

from support.processes import PATIENCE_S, Service
from support.scripted import ScriptedServer

_HERE = Path(__file__).parent
# Of each operation, beside some that follow from the schema alone.
_MOST_EXAMPLES = 60


def test_no_described_request_is_answered_with_a_server_error(
    gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer, tmp_path: Path
) -> None:
    command = [
        *(os.environ["SCHEMATHESIS"], "--no-color", "run", f"{gateway.url}/openapi.json"),
        *("--checks", "not_a_server_error", "--phases", "coverage,fuzzing"),
        *("--max-examples", f"{_MOST_EXAMPLES}", "--generation-deterministic"),
        *("--warnings", "off"),
    ]
    env = os.environ | {"PYTHONPATH": str(_HERE), "SCHEMATHESIS_HOOKS": "picture_hooks"}
    # It leaves files where it runs.
    run = subprocess.run(
        command,
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    # Requests got past the first checks, with pictures too.
    paths = {asked.path for asked in reasoner.asked}
    assert paths >= {
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/messages",
        "/v1/messages/count_tokens",
    }
    assert captioner.perceptions
