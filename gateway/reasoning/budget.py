"""The share of a reasoner's context that visual contexts may take."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gateway.reasoning.reasoners import Reasoner
from racro.contracts.errors import ContextLengthExceeded
from racro.contracts.solve_api import VisualContext

# Every reasoner has its own tokenizer, and none runs here.
_BYTES_PER_TOKEN = 4


def visual_tokens(contexts: Sequence[VisualContext]) -> int:
    """Estimate the tokens of visual contexts from the length of their texts."""
    texts = [text for context in contexts for text in (context.caption, context.tentative or "")]
    return sum(len(text.encode()) for text in texts) // _BYTES_PER_TOKEN


@contextmanager
def visual_budget(reasoner: Reasoner, contexts: Sequence[VisualContext]) -> Iterator[None]:
    """Raise ContextLengthExceeded if the contexts are over budget.

    Where the reasoner itself says inside the block that the request is too long, the error also
    names their share of it.
    """
    tokens = visual_tokens(contexts)
    limit = reasoner.settings.visual_budget_tokens
    if tokens > limit:
        raise ContextLengthExceeded(
            f"the visual context takes about {tokens} tokens; "
            f"visual_budget_tokens of {reasoner.name!r} = {limit}"
        )
    try:
        yield
    except ContextLengthExceeded as error:
        if not contexts:
            raise
        raise ContextLengthExceeded(
            f"{error.message} (the visual context takes about {tokens} tokens of it)"
        ) from error
