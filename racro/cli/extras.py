"""What a command needs beside the command line itself, and how it is installed."""

from importlib.util import find_spec
from pathlib import Path

import racro
from racro.cli.output import fail

_ROOT = Path(racro.__file__).parents[1]
# The Makefile's targets; each is in the environment that it makes.
_TARGETS = {
    "embedded": ".venv/embedded",
    "eval": ".venv/dev",
    "training": ".training-venv/installed",
}
_FIRST = {"training": "torch "}


def require(command: str, extra: str, *modules: str) -> None:
    """Fail with the command that installs `extra` if one of its modules is not there."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        fail(f"`racro {command}` needs {', '.join(missing)}: {_how(extra)}")


def _how(extra: str) -> str:
    if not (_ROOT / "Makefile").is_file():
        return f"run pip install {_FIRST.get(extra, '')}'racro[{extra}]'"
    target = _TARGETS[extra]
    environment = target.partition("/")[0]
    return f"run `make {target}` in {_ROOT}, which makes {environment}/bin/racro"
