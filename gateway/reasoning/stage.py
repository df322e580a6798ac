"""The stage in which a reasoner answers: within its budget, timed and traced."""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from types import TracebackType
from typing import Literal, Self

from gateway import metrics
from gateway.reasoning.budget import check_budget, with_visual_share
from gateway.reasoning.reasoners import Reasoner
from gateway.tenancy.fair_queue import NoRoom, ShareTaken, Ticket
from racro.contracts.errors import ContextLengthExceeded, RequestError
from racro.contracts.perception import Usage
from racro.contracts.solve_api import VisualContext
from racro.servekit.context import time_left_s
from racro.servekit.gen_ai_metrics import OTHER_ERROR, observe_generation
from racro.servekit.tracing import error_type, generation, record_usage


class ReasonStage:
    """Times and traces the answer of a reasoner to visual contexts that are within its budget.

    How it ended is counted, for the tenant of its `ticket`, once that had its place: what our own
    queue refused, and what left it or timed out there, no reasoner was asked. `usage` is to be set
    before the stage ends, and `is_broken` where the answer itself says that it is; what `usage`
    tells is counted if it ends without an error. Raises ContextLengthExceeded on entry where the
    contexts are over budget; where the reasoner itself says inside that the request is too long,
    the error names their share of it.
    """

    def __init__(
        self,
        reasoner: Reasoner,
        contexts: Sequence[VisualContext],
        watch: metrics.Stopwatch,
        ticket: Ticket,
        *,
        model: str | None = None,
    ) -> None:
        """`model` is the one that the reasoner's server is asked for, if not its `model`."""
        self.usage: Usage | None = None
        self.is_broken = False
        self._reasoner = reasoner
        self._contexts = contexts
        self._watch = watch
        self._ticket = ticket
        watch.reasoner = reasoner.name
        self._model = reasoner.settings.model if model is None else model
        self._generation = generation(self._model)

    def __enter__(self) -> Self:
        check_budget(self._reasoner, self._contexts)
        self._span = self._generation.__enter__()
        self._started = perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        # One that is asked again, without a field, may be refused by our own queue then.
        if self._ticket.has_entered and not isinstance(error, NoRoom | ShareTaken):
            self._count(error, perf_counter() - self._started)
        self._generation.__exit__(kind, error, traceback)
        if isinstance(error, ContextLengthExceeded) and self._contexts:
            raise with_visual_share(error, self._contexts) from error
        return False

    def _count(self, error: BaseException | None, seconds: float) -> None:
        reasoner, usage, tenant = self._reasoner, self.usage, self._ticket.tenant.label
        metrics.count_answer(reasoner.name, self._outcome(error), tenant=tenant)
        model = self._model
        if error is not None:
            observe_generation(model, seconds, error=self._error_type(error))
            return
        broken = OTHER_ERROR if self.is_broken else None
        observe_generation(model, seconds, usage=usage, error=broken)
        self._watch.record("reason", seconds)
        if usage is not None:
            record_usage(self._span, usage)
            metrics.count_tokens("reasoner", usage, reasoner=reasoner.name, tenant=tenant)

    def _error_type(self, error: BaseException) -> str:
        """Return what GenAI metrics tell of an error: of timeout and left, which it was."""
        if isinstance(error, asyncio.CancelledError):
            return self._outcome(error)
        return error_type(error)

    def _outcome(self, error: BaseException | None) -> metrics.Outcome:
        """Return how the answer ended, by the error that ends the stage."""
        if error is None:
            return "broken" if self.is_broken else "complete"
        if isinstance(error, asyncio.CancelledError):
            return "timeout" if time_left_s() <= 0 else "left"
        if "first_token" in self._watch.stages:
            return "broken"
        return "refused" if isinstance(error, RequestError) else "failed"
