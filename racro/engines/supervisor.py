"""Keeps an engine's server process running on loopback, and says why when it does not answer."""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from prometheus_client import Counter

from racro.base.backoff import backoff
from racro.base.ports import free_port
from racro.contracts.errors import NotStarted
from racro.engines import engine_metrics
from racro.engines.engine import NOT_STARTED
from racro.engines.probe import Probe
from racro.engines.silence import SilenceWatch
from racro.servekit.health import Problem
from racro.servekit.peer_timeout import peer_timeout

_log = logging.getLogger(__name__)

_FIRST_BACK_OFF_S = 0.5
_LONGEST_BACK_OFF_S = 30.0
# What has to come back from elsewhere (a hub, a volume) takes longer, and each try is work.
_LONGEST_SLOW_BACK_OFF_S = 300.0
# A child that served this long was healthy: its end starts the back-off afresh.
_HEALTHY_AFTER_S = 60.0
_POLL_S = 0.1
# A first answer may have to wait for kernels that are compiled.
_PROBE_TIMEOUT_S = 120.0
_TERMINATE_TIMEOUT_S = 5.0
# Its last words are there at once; who else holds its pipe may hold it for ever.
_LISTEN_ON_S = 1.0
_LAST_WORDS = 5


class State(Enum):
    """Says how far a supervisor and its child are. The value is what clients may see."""

    NOT_STARTED = NOT_STARTED
    STARTING = "the engine is starting"
    READY = "the engine is ready"
    ENDED = "the engine ended"
    GIVEN_UP = "the engine does not start"
    UNSUPERVISED = "the engine is not supervised any more"


class Retry(Enum):
    """Says when another child is started after a cause: within 30 seconds, 5 minutes, or never."""

    SOON = "soon"
    SLOWLY = "slowly"
    NEVER = "never"


@dataclass(frozen=True)
class Cause:
    """Tells why a child ends, as it prints, and when another one may fare better."""

    problem: str
    retry: Retry


@dataclass(frozen=True)
class _End:
    """Tells how a child ended, and which counter the next one's start goes into."""

    told: str
    restarts: Counter


def _no_cause(_: str) -> Cause | None:
    return None


class Supervisor:
    """Keeps one child process running, restarted with exponential back-off whenever it ends.

    `command(port)` is its command line; `would_answer(port)` raises or returns False until it
    serves. From then on `probe` asks whether it still answers; after `restart_unanswered_after_s`
    without an answer (None: never) it is ended and started again. `diagnose` finds the cause of an
    end in a line of its output. Its server is to ask for `key`, which is a new one at each start,
    and comes to it in the environment variable `key_env`: everybody on the machine can read a
    command line. The child must die with its parent by itself (`PR_SET_PDEATHSIG`): a killed
    supervisor cannot end it any more.
    """

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        would_answer: Callable[[int], Awaitable[bool]],
        *,
        key_env: str,
        probe: Probe,
        restart_unanswered_after_s: float | None,
        diagnose: Callable[[str], Cause | None] = _no_cause,
        environment: Mapping[str, str] = {},
    ) -> None:
        self._command = command
        self._would_answer = would_answer
        self._key_env = key_env
        self._diagnose = diagnose
        self._environment = environment
        self._silence = SilenceWatch(probe, limit_s=restart_unanswered_after_s)
        self._cause: Cause | None = None
        self._ready_at: float | None = None
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._state = State.NOT_STARTED
        self._problem = Problem(self._state.value)
        self._task: asyncio.Task[None] | None = None
        self.port = 0
        self.key = ""
        self.pid: int | None = None

    @property
    def problem(self) -> Problem | None:
        """Tell why the child would not answer; in detail, the cause and its last lines."""
        if self._state is State.READY:
            return Problem(self._silence.told) if self._silence.is_told else None
        lines = f"its last words: {' | '.join(self._last_words)}" if self._last_words else ""
        detail = "; ".join(filter(None, (self._problem.detail, lines)))
        return Problem(self._problem.public, detail)

    @property
    def has_ready_child(self) -> bool:
        """Whether its child has been ready and runs; it may hang."""
        return self._state is State.READY

    def note_byte(self) -> None:
        """Count what the child said to a client as an answer to whether it still answers."""
        self._silence.note_byte()

    def _become(self, state: State, *, public: str | None = None, detail: str = "") -> None:
        self._state = state
        self._problem = Problem(public or state.value, detail)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._keep_running())
        self._task.add_done_callback(self._report_end)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _report_end(self, task: asyncio.Task[None]) -> None:
        """Supervision never ends by itself: if it does, /readyz and the log must say so."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._become(State.UNSUPERVISED)
            _log.critical("supervision failed", exc_info=error)

    async def _keep_running(self) -> None:
        loop = asyncio.get_running_loop()
        pauses = _pauses()
        while True:
            self._become(State.STARTING)
            known, self._cause, self._ready_at = self._cause, None, None
            self.port, self.key = free_port(), secrets.token_urlsafe()
            end = await self._run_once()
            # Large weights load for longer than that, and may then not fit.
            if self._ready_at is not None and loop.time() - self._ready_at > _HEALTHY_AFTER_S:
                pauses = _pauses()
            cause = self._cause
            if cause is not None and cause.retry is Retry.NEVER and self._ready_at is None:
                self._become(State.GIVEN_UP, detail=cause.problem)
                _log.critical("%s", self.problem)
                return
            pause_s = next(pauses)
            if cause is None or cause.retry is not Retry.SLOWLY:
                pause_s = min(pause_s, _LONGEST_BACK_OFF_S)
            self._become(
                State.ENDED,
                public=f"the engine {end.told}, restart in {pause_s:g} s",
                detail="" if cause is None else cause.problem,
            )
            if cause is None or cause != known:
                _log.error("%s", self.problem)
            await asyncio.sleep(pause_s)
            end.restarts.inc()

    async def _run_once(self) -> _End:
        """Start the child and return how it ended; cancelled, end it first."""
        child = await asyncio.create_subprocess_exec(
            *self._command(self.port),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # A terminal's Ctrl-C goes to us alone; we then end the child in order.
            start_new_session=True,
            env=self._child_environment(),
        )
        self.pid = child.pid
        assert child.stdout is not None  # noqa: S101 - it is a pipe
        listener = asyncio.create_task(self._listen(child.stdout))
        hang = asyncio.create_task(self._until_it_hangs())
        end = asyncio.create_task(_exit_code(child))
        try:
            await asyncio.wait({hang, end}, return_when=asyncio.FIRST_COMPLETED)
            return self._end_of(end, hang)
        finally:
            self.pid = None
            hang.cancel()
            end.cancel()
            if self._state is State.READY:
                # No request may be sent to it while it is ended.
                self._become(State.ENDED)
            await self._end(child)
            # Workers of an engine that was killed live on in its group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await self._read_out(listener)
            self._silence.reset()

    async def _read_out(self, listener: asyncio.Task[None]) -> None:
        """Let what was printed be read, though a process outside the group may hold the pipe."""
        await asyncio.wait({listener}, timeout=_LISTEN_ON_S)
        listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener

    def _end_of(self, end: asyncio.Task[int], hang: asyncio.Task[None]) -> _End:
        if end.done():
            return _End(f"ended with code {end.result()}", engine_metrics.ENDED)
        hang.result()
        silent = f"was ended after {self._silence.seconds:.0f} s without an answer"
        return _End(silent, engine_metrics.UNANSWERED)

    async def _until_it_hangs(self) -> None:
        """Return when the child was ready and has not answered for as long as it may."""
        await self._announce_when_ready()
        await self._silence.until_limit(self.port)

    def _child_environment(self) -> dict[str, str]:
        ours = {self._key_env: self.key, "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **self._environment, **ours}

    async def _announce_when_ready(self) -> None:
        while not await self._answers():  # noqa: ASYNC110 - nothing tells us sooner
            await asyncio.sleep(_POLL_S)
        # What a child complained of while it loaded did not end it.
        self._cause = None
        self._become(State.READY)
        self._ready_at = asyncio.get_running_loop().time()
        _log.info("engine ready", extra={"engine_pid": self.pid})

    async def _answers(self) -> bool:
        try:
            async with peer_timeout(_PROBE_TIMEOUT_S):
                return await self._would_answer(self.port)
        except NotStarted:
            return False
        except Exception as error:  # noqa: BLE001 - whatever it meets, the engine is not ready
            self._become(State.STARTING, detail=f"a probe failed: {str(error) or 'no answer'}")
            return False

    async def _listen(self, output: asyncio.StreamReader) -> None:
        """Keep the last lines for /readyz; all of them are in the debug log."""
        while line := await _read_line(output):
            text = line.decode(errors="replace").rstrip()
            self._last_words.append(text)
            self._cause = self._cause or self._diagnose(text)
            _log.debug("engine: %s", text)

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        if child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            await asyncio.wait_for(_exit_code(child), _TERMINATE_TIMEOUT_S)
        except TimeoutError:
            child.kill()
            await _exit_code(child)


def _pauses() -> Iterator[float]:
    return backoff(_FIRST_BACK_OFF_S, _LONGEST_SLOW_BACK_OFF_S)


async def _exit_code(child: asyncio.subprocess.Process) -> int:
    """`child.wait()` waits for the pipe, too, whose other end workers hold (CPython gh-119710)."""
    while child.returncode is None:  # noqa: ASYNC110 - nothing tells us sooner
        await asyncio.sleep(_POLL_S)
    return child.returncode


async def _read_line(output: asyncio.StreamReader) -> bytes:
    try:
        return await output.readline()
    except ValueError:
        # A line over the reader's limit; what was read of it is dropped.
        return b"(a very long line)\n"
