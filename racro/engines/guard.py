"""Runs an engine that has processes of its own, and ends all of them with itself.

python -m racro.engines.guard SUPERVISOR_PID COMMAND …

The engine would outlive a supervisor that is killed. This process stands between the two: the
kernel tells it when the supervisor is gone, and it ends its process group, which is theirs alone.
"""

import ctypes
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
# How the kernel says that the supervisor is gone. Not SIGTERM, which the supervisor itself sends;
# and the parent's id tells too late: while the last threads of a killed process end it is the same.
_ORPHANED = signal.SIGHUP
# Less than the supervisor waits before it kills.
_END_TIMEOUT_S = 4


def die_with_parent(supervisor_pid: int, death: signal.Signals = signal.SIGKILL) -> None:
    """`death` comes when the parent goes; the process exits if that has happened already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, death) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # It may have gone while this process was still starting: no signal comes for that.
    if os.getppid() != supervisor_pid:
        sys.exit("the supervisor is gone")


def _run(command: Sequence[str]) -> int:
    """The command's exit code. Told to end, it has a few seconds; then the group is killed.

    So it is when the supervisor is gone: nobody else is left to end the engine's workers.
    """
    signals = {signal.SIGTERM, signal.SIGINT, _ORPHANED, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        engine = subprocess.Popen(  # noqa: S603 - the operator's own settings
            command,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, signals),  # noqa: PLW1509
        )
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")
    kill_at, is_orphan = math.inf, False
    while engine.poll() is None and time.monotonic() < kill_at:
        got = signal.sigtimedwait(signals, 1)
        if got is not None and got.si_signo != signal.SIGCHLD:
            is_orphan |= got.si_signo == _ORPHANED
            kill_at = time.monotonic() + _END_TIMEOUT_S
            engine.terminate()
    is_orphan |= _ORPHANED in signal.sigpending()
    code = engine.poll()
    if code is None or is_orphan:
        os.killpg(0, signal.SIGKILL)
    return 0 if code is None else code


if __name__ == "__main__":
    supervisor_pid, *command = sys.argv[1:]
    die_with_parent(int(supervisor_pid), _ORPHANED)
    code = _run(command)
    # As shells say it: 137 for a killed engine.
    sys.exit(code if code >= 0 else 128 - code)
