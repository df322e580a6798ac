"""The `racro` command, as it is typed."""

import os
import subprocess
import sys
from pathlib import Path

from support.processes import PATIENCE_S

RACRO = Path(sys.executable).parent / "racro"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("RACRO_")}
# Whoever started the tests in the background had them ignore Ctrl-C.
WITH_CTRL_C = ["env", "--default-signal=INT"]


def racro(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RACRO, *map(str, arguments)],
        capture_output=True, text=True, timeout=PATIENCE_S, env={**CLEAN, **variables}, check=False,
    )  # fmt: skip
