"""Defines how a supervisor asks a child that was ready whether it still answers."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol

from pydantic import Field

from racro.contracts.errors import NotStarted

# A busy machine makes an answer late; requests are refused where it comes later than this.
PATIENCE_S = 10.0
# A question is put again after so long: a server may have lost the first one.
ASKED_AGAIN_AFTER_S = 30.0

RestartUnansweredAfter = Annotated[
    float | None,
    Field(
        # Not before /readyz tells of it: a busy machine makes an answer late.
        ge=PATIENCE_S,
        allow_inf_nan=False,
        description="Restart an engine that has left a question unanswered for so many seconds; "
        "null: never. /readyz tells of it sooner.",
    ),
]


class Probe(Protocol):
    """Asks a child whether it still answers. One probe is used for all children of a supervisor."""

    def begin(self) -> None:
        """Forget the child before: another one is ready."""

    async def ask(self, port: int) -> None:
        """Return when the child has answered.

        It is asked again after an error, and no answer is too late: one that is merely slow is no
        fault. Raises RacroError where it gives no answer.
        """

    @property
    def patience_s(self) -> float:
        """Return how many seconds a child may be silent before requests are refused."""

    @property
    def silence(self) -> str:
        """Tell what a child that is silent leaves undone, as clients may see it."""


class HealthProbe:
    """Asks whether the child is well: `is_well(port)` raises RacroError or returns False if not."""

    patience_s = PATIENCE_S
    silence = "the engine has not answered"

    def __init__(self, is_well: Callable[[int], Awaitable[bool]]) -> None:
        self._is_well = is_well

    def begin(self) -> None:
        """Nothing is known of the child before."""

    async def ask(self, port: int) -> None:
        if not await self._is_well(port):
            raise NotStarted("the engine is not well")
