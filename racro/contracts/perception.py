"""The captioner's contract: what `/v1/identity` and `/v1/perceive` carry."""

import re
import unicodedata
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from racro.base.frozen import Frozen
from racro.contracts.marks import limit_marks

Part = Literal["caption", "tentative"]


class Wire(Frozen):
    """A body that travels between the services and their clients."""


class Usage(Wire):
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def is_known(self) -> bool:
        """Whether anything was counted: some servers do not tell."""
        return self.prompt_tokens > 0 or self.completion_tokens > 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )


class Identity(Wire):
    """Who captions. `fingerprint` digests everything that shapes a caption: weights, adapter,
    prompt texts, default sampling, token limit, image preprocessing, composer.

    `parts` are those it can produce at all (an OCR captioner has no tentative response).
    """

    model: str
    revision: str
    prompt_profile: str
    fingerprint: str
    parts: tuple[Part, ...] = ("caption", "tentative")


class PerceiveOptions(Wire):
    """Per-request sampling; what is None falls to the captioner's own default."""

    max_tokens: int | None = Field(default=None, ge=1, le=65536)
    temperature: float | None = Field(default=None, ge=0, le=2)
    seed: int | None = None
    n: int = Field(default=1, ge=1, le=16)


class PerceiveRequest(Wire):
    """Images are data URLs. No question asks for a general caption."""

    question: Annotated[str, StringConstraints(min_length=1)] | None = None
    images: tuple[str, ...] = Field(min_length=1)
    parts: tuple[Part, ...] = Field(default=("caption",), min_length=1)
    options: PerceiveOptions = PerceiveOptions()
    stream: bool = False

    @model_validator(mode="after")
    def _tentative_answers_a_question(self) -> "PerceiveRequest":
        if "tentative" in self.parts and self.question is None:
            raise ValueError("a tentative response needs a question")
        return self


class Generation(Wire):
    """One sampled text. `finish_reason` is `stop`, or `length` when the token limit cut it."""

    text: str
    finish_reason: str = "stop"
    usage: Usage = Usage()


class PartFailure(Wire):
    code: str
    message: str


class PerceiveResponse(Wire):
    """`n` generations a part. A tentative response that failed is empty and named in `failed`."""

    caption: tuple[Generation, ...] = ()
    tentative: tuple[Generation, ...] = ()
    failed: dict[Part, PartFailure] = Field(default={})
    model: str
    revision: str
    prompt_profile: str
    fingerprint: str

    def generations(self, part: Part) -> tuple[Generation, ...]:
        return self.caption if part == "caption" else self.tentative


class Delta(Wire):
    """A piece of a part's text while it is being generated; `index` counts the n samples."""

    part: Part
    index: int = 0
    text: str


# Is called with each delta as soon as it is generated.
OnDelta = Callable[[Delta], Awaitable[None]]


async def ignore_delta(_: Delta) -> None:
    """Take a delta and do nothing with it, for callers that wait for the whole text."""


# Some tools turn CRLF into CRCRLF. Of many \r a search begins at the first: linear in their number.
_LINE_END = re.compile(r"(?<!\r)\r+\n")


def normalise_question(question: str) -> str:
    """The exact text a captioner gets, so that equal questions share one cache entry.

    Combining marks that follow thirty others are left out.
    """
    unix = _LINE_END.sub("\n", question)
    return unicodedata.normalize("NFC", limit_marks(unix)).strip()
