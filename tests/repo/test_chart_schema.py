"""The chart's schema has the settings of the services in it, as they are now."""

import subprocess
import sys
from pathlib import Path

from support.processes import PATIENCE_S

ROOT = Path(__file__).parents[2]


def test_the_schema_has_the_services_settings_as_they_are_now() -> None:
    printed = subprocess.run(
        [sys.executable, ROOT / "deploy/helm/schema.py"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
        cwd=ROOT,
    )
    assert printed.stdout == (ROOT / "deploy/helm/racro/values.schema.json").read_text()
