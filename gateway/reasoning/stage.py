"""The stage in which a reasoner answers: within its budget, timed and traced."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gateway import metrics
from gateway.reasoning.budget import visual_budget
from gateway.reasoning.reasoners import Reasoner
from racro.contracts.perception import Usage
from racro.contracts.solve_api import VisualContext
from racro.servekit.tracing import generation, record_usage


class ReasonStage:
    """Holds the `usage` of an answer, which is to be set before the stage ends."""

    def __init__(self) -> None:
        self.usage = Usage()


@contextmanager
def reason_stage(
    reasoner: Reasoner, contexts: Sequence[VisualContext], watch: metrics.Stopwatch
) -> Iterator[ReasonStage]:
    """Check the visual contexts against the reasoner's budget, then time and trace the stage.

    The tokens that it used are counted when it ends without an error. Raises ContextLengthExceeded.
    """
    stage = ReasonStage()
    with (
        visual_budget(reasoner, contexts),
        watch.stage("reason"),
        generation(reasoner.settings.model) as span,
    ):
        yield stage
        record_usage(span, stage.usage)
    metrics.count_tokens("reasoner", stage.usage)
