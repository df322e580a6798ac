"""Runs the short programs of tests/clients, each with one SDK, and judges what it got and asked."""

import base64
import json
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from support.agent_runs import exchanges
from support.client_table import Table
from support.client_turns import ANSWER, CAPTION, COUNTS, VALUES, turn
from support.processes import PATIENCE_S
from support.recorder import Recorder
from support.scripted import ScriptedServer
from support.sent_and_told import assert_seen

ROOT = Path(__file__).parents[2]
RECEIPT = ROOT / "examples/receipt.png"
BASE64 = base64.b64encode(RECEIPT.read_bytes()).decode()
# What a program tells that it got, where it has it.
GOT: dict[str, Any] = {
    "chat": ANSWER,
    "usage": COUNTS,
    "stream": ANSWER,
    "stream_usage": COUNTS,
    "again": ANSWER,
    "parsed": VALUES["total"],
    "stream_parsed": VALUES["total"],
    "counted": COUNTS[0],
    "models": ["default", "default"],
    "call": {"name": VALUES["name"]},
    "picture_in_tool_result": ANSWER,
}
CELLS = {
    "chat": ("chat", "picture"),
    "parsed": ("chat", "picture"),
    "stream": ("stream", "picture"),
    "stream_parsed": ("stream", "picture"),
    "call": ("tools",),
    "picture_in_tool_result": ("picture in tool result",),
}


def run_program(
    command: Sequence[str | Path], *, folder: Path, env: Mapping[str, str]
) -> dict[str, Any]:
    """What a program got: the last line that it prints, as others print to where it does."""
    done = subprocess.run(
        command, cwd=folder, env=dict(env), text=True, capture_output=True, timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


class Trial:
    """One program before a gateway, and the reasoner behind that."""

    def __init__(
        self, recorder: Recorder, reasoner: ScriptedServer, table: Table, *, folder: Path,
        env: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._recorder = recorder
        self._reasoner = reasoner
        self._table = table
        self._folder = folder
        self._env = env

    def run(
        self, command: Sequence[str | Path], api: str, more: Sequence[str] = (),
        *, lacks: Collection[str] = (),
    ) -> None:  # fmt: skip
        """Run it, and fail unless it got what it should and the reasoner was told what it sent.

        `lacks` are what the client itself leaves out of what it is given.
        """
        self._reasoner.script.respond = turn
        given = [self._recorder.url, str(RECEIPT), *more]
        got = run_program([*command, *given], folder=self._folder, env=self._env)
        client = got.pop("client")
        worked = {name: value for name, value in got.items() if name not in lacks}
        assert worked == {name: GOT[name] for name in worked}, got
        assert {one.status for one in self._recorder.asked} == {200}
        told = exchanges(self._recorder, self._reasoner)
        assert len(told) == len([one for one in self._recorder.asked if one.method == "POST"])
        assert {one.told.path.removeprefix("/v1/") for one in told} >= {api}
        for exchange in told:
            assert_seen(exchange, base64=BASE64, caption=CAPTION)
        cells = {cell for name in worked for cell in CELLS.get(name, ())}
        self._table.record(f"{client}, {api}", *sorted(cells))
