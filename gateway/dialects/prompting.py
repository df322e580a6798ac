"""How a chat request is put to its reasoner, as the reasoner's settings have it.

Under racro-v1 a conversation stays what it is, with visual contexts where images stood. The small
model behind compact-v1 knows one prompt and no conversation: a turn about images becomes that
prompt, which `/v1/solve` asks with, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Raw

from gateway.dialects.conversation import ImageTurn, place
from gateway.settings import ReasonerSection, SamplingSection
from racro.contracts.prompts import COMPACT_V1, NO_QUESTION, solve_messages
from racro.contracts.solve import VisualContext

# By any of these a client limits the tokens of an answer.
_TOKEN_LIMITS = ("max_tokens", "max_completion_tokens")


def relevant_turns(looks: Sequence[ImageTurn], settings: ReasonerSection) -> list[ImageTurn]:
    """Those of a conversation's looks that the reasoner will be told of."""
    current = [look for look in looks if look.current]
    return current if current and settings.prompt_profile == COMPACT_V1 else list(looks)


def reasoner_request(
    fields: Mapping[str, Raw],
    settings: ReasonerSection,
    looks: Sequence[ImageTurn],
    contexts: Sequence[VisualContext],
) -> dict[str, Any]:
    """The reasoner's request for a client's `fields`; `contexts` holds what each look brought."""
    about_images = any(look.current for look in looks)
    model = settings.model if about_images else settings.text_model or settings.model
    request: dict[str, Any] = {**fields, "model": model}
    compact = settings.prompt_profile == COMPACT_V1
    if compact:
        request |= _left_open(fields, settings.sampling)
    if compact and about_images:
        request["messages"] = _compact(looks, contexts)
    elif looks:
        placed = {look.index: (look, seen) for look, seen in zip(looks, contexts, strict=True)}
        request["messages"] = place(bytes(fields["messages"]), placed)
    return request


def _left_open(
    fields: Mapping[str, Raw], sampling: SamplingSection
) -> Iterator[tuple[str, float | int]]:
    """The reasoner's own sampling, as far as the client says nothing."""
    for name, value in sampling.model_dump().items():
        names = _TOKEN_LIMITS if name in _TOKEN_LIMITS else (name,)
        if all(bytes(fields.get(one, b"null")).strip() == b"null" for one in names):
            yield name, value


def _compact(looks: Sequence[ImageTurn], contexts: Sequence[VisualContext]) -> list[dict[str, str]]:
    questions = [look.question for look in looks if look.question]
    tentatives = [context.tentative for context in contexts if context.tentative]
    return solve_messages(
        COMPACT_V1,
        questions[-1] if questions else NO_QUESTION,
        "\n\n".join(context.caption for context in contexts),
        "\n\n".join(tentatives) or None,
    )
