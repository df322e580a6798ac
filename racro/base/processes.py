"""How services are started as processes of their own."""

import os
import sys
from collections.abc import Mapping

_SETTINGS = "RACRO_"  # what a variable of settings begins with


def module_command(module: str) -> list[str]:
    """Returns the command that runs a module in this interpreter."""
    return [sys.executable, "-m", module]


def service_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Returns this process's environment with its settings of services replaced by `variables`."""
    inherited = {name: v for name, v in os.environ.items() if not name.startswith(_SETTINGS)}
    return {**inherited, **variables}
