"""Real clients, each as a person installs it, on a real gateway with the embedded captioner.

The reasoner behind the gateway is scripted: it notes what reached it. `tests/clients/offline` runs
all of this where no network is but loopback.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import gateway_config
from support.client_table import Table, rendered
from support.pictures import png
from support.processes import Service
from support.recorder import Recorder
from support.scripted import ScriptedServer

ROOT = Path(__file__).parents[2]
WRITTEN = ROOT / "outputs/clients.md"


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Table:
    """Where a test says what its client did: `table.record("Codex 0.169.0", "stream", "tools")`."""
    return Table(request.node.user_properties)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, and write it into outputs/."""
    passed = [
        report for report in terminalreporter.stats.get("passed", []) if report.when == "call"
    ]
    if not (text := rendered(pair for report in passed for pair in report.user_properties)):
        return
    terminalreporter.write_sep("-", "what clients did")
    terminalreporter.write(text)
    WRITTEN.parent.mkdir(exist_ok=True)
    WRITTEN.write_text(text)


@pytest.fixture(scope="session")
def _gateway_for_clients(
    ocr_captioner: Service, _scripted_reasoner: ScriptedServer
) -> Iterator[Service]:
    config = gateway_config(ocr_captioner.url, _scripted_reasoner.url)
    # What agents ask for beside the model that they are told of.
    config["reasoners"]["default"]["also_known_as"] = ["claude-*", "gpt-*"]
    with Service("gateway", config) as service:
        yield service


@pytest.fixture
def gateway_for_clients(_gateway_for_clients: Service, reasoner: ScriptedServer) -> Service:
    """A gateway with the real embedded captioner; `reasoner` is behind it, fresh for each test."""
    return _gateway_for_clients


@pytest.fixture(scope="session")
def clients_node() -> Path:
    """The folder that `make test-clients` installs the clients of Node into."""
    return Path(os.environ["CLIENTS_NODE"])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder of a client."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder that an agent works in, with two pictures."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(ROOT / "examples/receipt.png", folder)
    (folder / "sign.png").write_bytes(png("Gate 27"))
    return folder


@pytest.fixture
def recorder(gateway_for_clients: Service) -> Iterator[Recorder]:
    """Before the gateway, for a client that is asked what it sent."""
    with Recorder(gateway_for_clients.url) as recorder:
        yield recorder


@pytest.fixture
def client_environment(home: Path) -> dict[str, str]:
    """The environment of a client: nothing of this machine's but where programs are."""
    names = ("PATH", "LANG", "LC_ALL")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    folders = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    # Asked by several clients before they report or look for a newer version.
    quiet = {"CI": "1", "DO_NOT_TRACK": "1", "NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}
    return {**kept, **folders, **quiet}
