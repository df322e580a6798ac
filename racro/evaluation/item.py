"""One item: two solves, three answers, each graded; of a reasoner that sees one of each."""

import asyncio
import base64
from typing import Any

from racro.answers.extract import final_answer
from racro.contracts.completion import RESULTS
from racro.contracts.solve_api import SolveResponse, VisualContext
from racro.evaluation.failures import ItemError
from racro.evaluation.gateway_client import Gateway
from racro.evaluation.results import Graded, Result, Solved, System
from racro.grading import Grader
from racro.problems import Problem, image_bytes


class Evaluator:
    """Asks the gateway's reasoner `model` and grades what comes."""

    def __init__(self, gateway: Gateway, grader: Grader, *, model: str) -> None:
        self._gateway = gateway
        self._grader = grader
        self._model = model

    async def __call__(self, problem: Problem) -> Result:
        """Raises ItemError, EvaluationError.

        The tentative response comes of the same look at the image as the caption, and the second
        solve finds that caption in the gateway's cache: one captioner call an item. A reasoner that
        sees the images itself is asked once.
        """
        request = {
            "question": problem.prompt,
            "images": await asyncio.to_thread(_data_urls, problem),
            "model": self._model,
        }
        joint = await self._solve({**request, "tentative": True})
        context = joint.visual_context
        if context is None:
            return await self._graded_native(problem, joint)
        _refuse_half(context)
        if context.tentative is None:
            caption_only = joint
        else:
            caption_only = await self._solve({**request, "tentative": False})
            _refuse_other_systems(joint, caption_only)
        return await self._graded(problem, context, joint, caption_only)

    async def _solve(self, request: dict[str, Any]) -> SolveResponse:
        """Return a whole answer. Raises ItemError for one that ended otherwise, EvaluationError.

        Gateways of this version give no other.
        """
        response = await self._gateway.solve(request)
        if response.finish_reason not in RESULTS:
            raise ItemError(
                f"the reasoner's answer ended with finish_reason {response.finish_reason!r}",
                code="unfinished_answer",
            )
        return response

    async def _graded_native(self, problem: Problem, answered: SolveResponse) -> Result:
        solved = await self._solved(problem, answered)
        return Result(
            id=problem.id,
            category=problem.category,
            expected=problem.answer,
            caption="",
            tentative=None,
            truncated=(),
            cache="",
            captioner=None,
            reasoner=System(answered.reasoner.model, answered.reasoner.revision),
            joint=solved,
            caption_only=solved,
            tentative_alone=None,
        )

    async def _graded(
        self,
        problem: Problem,
        context: VisualContext,
        joint: SolveResponse,
        caption_only: SolveResponse,
    ) -> Result:
        return Result(
            id=problem.id,
            category=problem.category,
            expected=problem.answer,
            caption=context.caption,
            tentative=context.tentative,
            truncated=context.truncated,
            cache=context.cache,
            captioner=System(context.model, context.revision, context.prompt_profile),
            reasoner=System(joint.reasoner.model, joint.reasoner.revision),
            joint=await self._solved(problem, joint),
            caption_only=await self._solved(problem, caption_only),
            tentative_alone=await self._tentative(problem, context.tentative),
        )

    async def _solved(self, problem: Problem, response: SolveResponse) -> Solved:
        return Solved(
            answer=response.answer,
            right=await self._is_right(problem, response.answer),
            text=response.text,
            finish_reason=response.finish_reason,
            usage=response.usage.model_dump(),
            timing_ms=response.timing_ms.model_dump(),
        )

    async def _tentative(self, problem: Problem, text: str | None) -> Graded | None:
        if text is None:
            return None
        answer = final_answer(text)
        return Graded(answer, await self._is_right(problem, answer))

    async def _is_right(self, problem: Problem, answer: str) -> bool:
        return await self._grader.is_right(answer, problem.answer, problem.options)


def _data_urls(problem: Problem) -> list[str]:
    """The gateway sniffs the type, so none is claimed."""
    try:
        images = [image_bytes(image) for image in problem.images]
    except OSError as error:
        raise ItemError(f"an image cannot be read: {error}", code="unreadable_image") from error
    return [
        f"data:application/octet-stream;base64,{base64.b64encode(data).decode()}" for data in images
    ]


def _refuse_half(context: VisualContext) -> None:
    """An answer without the tentative response that was to be had is not the joint answer."""
    if failed := context.failed:
        raise ItemError(
            f"the tentative response failed: {failed.message} ({failed.code})",
            code="no_tentative_response",
        )


def _refuse_other_systems(joint: SolveResponse, caption_only: SolveResponse) -> None:
    """What the two answers are compared for is the tentative response alone."""
    if caption_only.reasoner != joint.reasoner:
        raise ItemError(
            "the reasoner was replaced between the two answers", code="another_reasoner"
        )
    if _caption(caption_only) != _caption(joint):
        raise ItemError(
            "the second answer is of another caption: does the gateway's cache work?",
            code="another_caption",
        )


def _caption(response: SolveResponse) -> str | None:
    return None if response.visual_context is None else response.visual_context.caption
