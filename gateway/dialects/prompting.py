"""The reasoner's request for a client's chat request, as the reasoner's settings ask for it.

Under most prompt profiles a conversation stays what it is, with visual contexts where images stood.
A model whose profile is its only prompt knows no conversation: a turn about images becomes that
prompt, which `/v1/solve` asks with, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Raw

from gateway.dialects.context_insertion import insert_contexts
from gateway.dialects.conversation import ImageTurn
from gateway.perception.missing import MissingPerception
from gateway.settings import ReasonerSection
from racro.contracts.prompts import (
    LEFT_OUT_IMAGE,
    NO_QUESTION,
    PROFILES,
    SolveProfile,
    missing_image,
    solve_messages,
)
from racro.contracts.solve_api import VisualContext

# By any of these a client limits the tokens of an answer.
_TOKEN_LIMITS = ("max_tokens", "max_completion_tokens")


def relevant_turns(turns: Sequence[ImageTurn], settings: ReasonerSection) -> list[ImageTurn]:
    """Return the turns whose images the reasoner's request tells of."""
    current = [turn for turn in turns if turn.current and not turn.left_out]
    only_prompt = PROFILES[settings.prompt_profile].is_only_prompt
    return current if current and only_prompt else list(turns)


def reasoner_request(
    fields: Mapping[str, Raw],
    settings: ReasonerSection,
    turns: Sequence[ImageTurn],
    contexts: Sequence[VisualContext | MissingPerception],
) -> dict[str, Any]:
    """Return the reasoner's request for a client's `fields`, given the visual contexts of those
    turns that are not left out, or why there is none.
    """
    about_images = any(turn.current for turn in turns)
    model = settings.model if about_images else settings.text_model or settings.model
    request: dict[str, Any] = {**fields, "model": model}
    only_prompt = PROFILES[settings.prompt_profile].is_only_prompt
    if only_prompt:
        request |= _left_open(fields, settings.sampling_fields)
    if only_prompt and about_images:
        request["messages"] = _only_prompt(settings.prompt_profile, turns, contexts)
    elif turns:
        remaining = iter(contexts)
        placed = {
            turn.index: (
                turn,
                LEFT_OUT_IMAGE if turn.left_out else _in_place(next(remaining), turn),
            )
            for turn in turns
        }
        request["messages"] = insert_contexts(bytes(fields["messages"]), placed)
    return request


def _in_place(context: VisualContext | MissingPerception, turn: ImageTurn) -> VisualContext | str:
    """Return a visual context, or the line that stands in its place."""
    if isinstance(context, VisualContext):
        return context
    return missing_image(context.reason, follow_up=turn.follow_up)


def _left_open(
    fields: Mapping[str, Raw], sampling: Mapping[str, float | int]
) -> Iterator[tuple[str, float | int]]:
    """Return the reasoner's own sampling parameters, without those that the client sets."""
    for name, value in sampling.items():
        names = _TOKEN_LIMITS if name in _TOKEN_LIMITS else (name,)
        if all(bytes(fields.get(one, b"null")).strip() == b"null" for one in names):
            yield name, value


def _only_prompt(
    profile: SolveProfile,
    turns: Sequence[ImageTurn],
    contexts: Sequence[VisualContext | MissingPerception],
) -> list[dict[str, str]]:
    """Return the profile's prompt for the last question of those turns and all their contexts."""
    questions = [turn.question for turn in turns if turn.question]
    placed = [_in_place(context, turn) for context, turn in zip(contexts, turns, strict=True)]
    seen = [context for context in placed if isinstance(context, VisualContext)]
    tentatives = [context.tentative for context in seen if context.tentative]
    return solve_messages(
        profile,
        questions[-1] if questions else NO_QUESTION,
        "\n\n".join(one if isinstance(one, str) else one.caption for one in placed),
        "\n\n".join(tentatives) or None,
    )
