"""The reasoner's request for a client's chat request, as the reasoner's settings ask for it.

Under most prompt profiles a conversation stays what it is, with visual contexts where images stood.
A model whose profile is its only prompt knows no conversation: a turn about images becomes that
prompt, which `/v1/solve` asks with, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from msgspec import Raw

from gateway.dialects.chat_conversation import ChatConversation
from gateway.dialects.context_insertion import insert_contexts
from gateway.dialects.conversation import ImageTurn
from gateway.perception.missing import NotedPerception
from gateway.perception.request import Perception
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

Outcome = Perception | NotedPerception
Placed = tuple[ImageTurn, VisualContext | str]


def relevant_turns(turns: Sequence[ImageTurn], settings: ReasonerSection) -> list[ImageTurn]:
    """Return the turns that the reasoner's request tells of; images of those that are left out are
    not captioned.
    """
    if not PROFILES[settings.prompt_profile].is_only_prompt or not any(t.current for t in turns):
        return list(turns)
    return [
        turn if turn.current else replace(turn, left_out=True)
        for turn in turns
        if turn.current or not turn.follow_up
    ]


def reasoner_request(
    fields: Mapping[str, Raw],
    conversation: ChatConversation,
    settings: ReasonerSection,
    turns: Sequence[ImageTurn],
    outcomes: Sequence[Outcome],
) -> dict[str, Any]:
    """Return the reasoner's request for a client's `fields`, which hold the conversation.

    `outcomes` are what came of the images of those turns that are not left out.
    """
    captioned = [turn for turn in turns if not turn.left_out]
    seen = [_in_place(*pair) for pair in zip(captioned, outcomes, strict=True)]
    about_images = any(turn.current and _is_about_images(turn, context) for turn, context in seen)
    model = settings.model if about_images else settings.text_model or settings.model
    request: dict[str, Any] = {**fields, "model": model}
    only_prompt = PROFILES[settings.prompt_profile].is_only_prompt
    if only_prompt and conversation.takes_sampling:
        request |= _left_open(fields, settings.sampling_fields, conversation.token_limits)
    if only_prompt and about_images:
        request |= conversation.prompt(_only_prompt(settings.prompt_profile, seen))
        request = {name: value for name, value in request.items() if value is not None}
    elif turns:
        left_out = {turn.index: (turn, LEFT_OUT_IMAGE) for turn in turns if turn.left_out}
        placed = left_out | {turn.index: (turn, context) for turn, context in seen}
        request |= conversation.fields(insert_contexts(conversation, placed), placed.keys())
    return request


def _in_place(turn: ImageTurn, outcome: Outcome) -> Placed:
    """Return a turn with its visual context, or with the line that stands in place of one."""
    if isinstance(outcome, Perception):
        return turn, outcome.context
    lines = {
        position: missing_image(missing.reason, follow_up=turn.follow_up)
        for position, missing in outcome.missing.items()
    }
    turn = replace(turn, lines=lines)
    if outcome.perception is not None:
        return turn, outcome.perception.context
    return turn, next(iter(lines.values()))


def _is_about_images(turn: ImageTurn, context: VisualContext | str) -> bool:
    """Tell whether a turn asks about images. Words that follow ones that cannot be seen do not."""
    return not turn.follow_up or isinstance(context, VisualContext)


def _left_open(
    fields: Mapping[str, Raw],
    sampling: Mapping[str, float | int],
    token_limits: tuple[str, ...],
) -> Iterator[tuple[str, float | int]]:
    """Return the reasoner's own sampling parameters, without those that the client sets.

    By any of the `token_limits` a client limits the tokens of an answer.
    """
    for name, value in sampling.items():
        is_limit = name in ChatConversation.token_limits
        names = token_limits if is_limit else (name,)
        if all(bytes(fields.get(one, b"null")).strip() == b"null" for one in names):
            yield (token_limits[0] if is_limit and name not in token_limits else name), value


def _only_prompt(profile: SolveProfile, seen: Sequence[Placed]) -> list[dict[str, str]]:
    """Return the profile's prompt for the last question of those turns and all their contexts."""
    questions = [turn.question for turn, _ in seen if turn.question]
    contexts = [context for _, context in seen if isinstance(context, VisualContext)]
    tentatives = [context.tentative for context in contexts if context.tentative]
    return solve_messages(
        profile,
        questions[-1] if questions else NO_QUESTION,
        "\n\n".join(text for placed in seen for text in _texts(*placed)),
        "\n\n".join(tentatives) or None,
    )


def _texts(turn: ImageTurn, context: VisualContext | str) -> Iterator[str]:
    """Yield the caption of a turn, and each line in place of an image without one."""
    if isinstance(context, VisualContext):
        yield context.caption
    yield from dict.fromkeys(turn.lines.values())
