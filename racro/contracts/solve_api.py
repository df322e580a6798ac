"""The contract of `POST /v1/solve`."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from racro.contracts.perception import CaptionProfile, PartFailure, RequestBody, ResponseBody, Usage

CacheMode = Literal["use", "refresh", "bypass"]
CacheResult = Literal["hit", "miss", "coalesced", "bypass"]

Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class SolveOptions(RequestBody):
    """Everything of a solve request but its images, which multipart carries as files; in their
    place `visual_context` may be the id of one that was perceived before.
    """

    question: Question
    model: str = "default"
    stream: bool = False
    tentative: bool = True
    cache: CacheMode = "use"
    caption_profile: CaptionProfile | None = None
    timeout_s: float = Field(default=120, gt=0)
    visual_context: str | None = None


class SolveRequest(SolveOptions):
    """Images are data URLs or http(s) URLs."""

    images: tuple[str, ...] = ()


class VisualContextRequest(RequestBody):
    """What to perceive now, to be asked about later. No question: a general caption."""

    images: tuple[str, ...] = Field(min_length=1)
    question: Question | None = None
    tentative: bool = True
    cache: CacheMode = "use"
    caption_profile: CaptionProfile | None = None
    timeout_s: float = Field(default=120, gt=0)


class VisualContext(ResponseBody):
    """Caption and tentative response of one question, and where they came from.

    `truncated` names the parts that the captioner's token limit cut; `failed` says why a
    tentative response is missing.
    """

    caption: str
    tentative: str | None = None
    truncated: tuple[str, ...] = ()
    failed: PartFailure | None = None
    model: str
    revision: str
    prompt_profile: str
    cache: CacheResult


class VisualContextResponse(ResponseBody):
    """`id` is for `/v1/solve`, until `expires_at` (seconds since 1970), for the same tenant."""

    id: str
    object: Literal["visual_context"] = "visual_context"
    expires_at: int
    visual_context: VisualContext
    usage: Usage


class ReasonerName(ResponseBody):
    model: str
    revision: str | None = None


class SolveUsage(ResponseBody):
    """Tokens spent for this request; a caption out of the cache costs none."""

    captioner: Usage = Usage()
    reasoner: Usage = Usage()


class Timing(ResponseBody):
    """Milliseconds of each stage; `first_token` and `reason` count from asking the reasoner."""

    perceive: float
    first_token: float
    reason: float
    total: float


class SolveResponse(ResponseBody):
    """`answer` is the short final answer, `text` the whole visible text of the reasoner.

    There is no `visual_context` where the reasoner saw the images itself.
    """

    id: str
    object: Literal["solve"] = "solve"
    answer: str
    text: str
    reasoning: str | None = None
    visual_context: VisualContext | None
    model: str
    reasoner: ReasonerName
    finish_reason: str | None = None
    usage: SolveUsage
    timing_ms: Timing
