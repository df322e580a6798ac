"""Run the benchmarks, all of them or those named; a target that is missed is no failure."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks import (
    cached,
    drain,
    evaluation,
    formats,
    images,
    memory,
    overload,
    passthrough,
    reward,
    startup,
    tracing,
)
from benchmarks.processes import REPOSITORY
from benchmarks.report import Row, machine_line, save, show

_BENCHMARKS: dict[str, Callable[..., list[Row]]] = {
    "passthrough": passthrough.run,
    "images": images.run,
    "formats": formats.run,
    "cached": cached.run,
    "tracing": tracing.run,
    "drain": drain.run,
    "overload": overload.run,
    "memory": memory.run,
    "startup": startup.run,
    "evaluation": evaluation.run,
    "reward": reward.run,
}
_ROUTER = REPOSITORY / ".bench-venv" / "bin" / "vllm-router"

_console = Console()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(_BENCHMARKS)}")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the results here too")
    parser.add_argument(
        "--vllm-router",
        type=Path,
        default=_ROUTER,
        metavar="PATH",
        help="executable of vllm-router 0.1.17 (requirements/bench.txt in a venv of its own)",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - _BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    return arguments


def _run_all(
    benchmarks: Iterable[tuple[str, Callable[[], list[Row]]]],
) -> tuple[list[Row], list[str]]:
    """The rows, and the names of the benchmarks that did not run to their end."""
    rows: list[Row] = []
    failed: list[str] = []
    for name, run in benchmarks:
        started = time.perf_counter()
        _console.print(f"{name} …")
        try:
            rows += run()
        except Exception:  # noqa: BLE001 - the others still have something to tell
            _console.print_exception()
            failed.append(name)
        _console.print(f"{name}: {time.perf_counter() - started:.0f} s")
    return rows, failed


def main() -> int:
    arguments = _arguments()
    runs: dict[str, Callable[[], list[Row]]] = {
        **_BENCHMARKS,
        "passthrough": partial(passthrough.run, arguments.vllm_router),
    }
    wanted = [(name, runs[name]) for name in arguments.names or runs]
    rows, failed = _run_all(wanted)
    show(_console, rows)
    _console.print(machine_line())
    if arguments.json:
        save(arguments.json, rows, failed)
    if failed:
        _console.print(f"failed to run: {', '.join(failed)}", style="red")
    return 1 if failed else 0


sys.exit(main())
