"""The share of a reasoner's context that visual contexts may take."""

from collections.abc import Sequence

from gateway.reasoning.reasoners import Reasoner
from racro.contracts.errors import ContextLengthExceeded
from racro.contracts.solve_api import VisualContext

# Every reasoner has its own tokenizer, and none runs here.
_BYTES_PER_TOKEN = 4


def visual_tokens(contexts: Sequence[VisualContext]) -> int:
    """Estimate the tokens of visual contexts from the length of their texts."""
    texts = [text for context in contexts for text in (context.caption, context.tentative or "")]
    return sum(len(text.encode()) for text in texts) // _BYTES_PER_TOKEN


def check_budget(reasoner: Reasoner, contexts: Sequence[VisualContext]) -> None:
    """Raises ContextLengthExceeded if visual contexts take more than the reasoner's budget."""
    if not contexts:
        return
    tokens, limit = visual_tokens(contexts), reasoner.settings.visual_budget_tokens
    if tokens > limit:
        raise ContextLengthExceeded(
            f"the visual context takes about {tokens} tokens; "
            f"visual_budget_tokens of {reasoner.name!r} = {limit}"
        )


def with_visual_share(
    error: ContextLengthExceeded, contexts: Sequence[VisualContext]
) -> ContextLengthExceeded:
    """Returns a reasoner's own error with the share that visual contexts have of its context."""
    tokens = visual_tokens(contexts)
    return ContextLengthExceeded(
        f"{error.message} (the visual context takes about {tokens} tokens of it)"
    )
