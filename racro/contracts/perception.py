"""The captioner's contract: what `/v1/identity` and `/v1/perceive` carry."""

import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from racro.base.frozen import Frozen
from racro.contracts.marks import limit_marks

# A peer that says so in this header is told what a later contract has added; others, contract 1.
CONTRACT_HEADER = "x-racro-contract"
CONTRACT = 2
_CONTRACT_NUMBER = re.compile("[1-9][0-9]{0,8}")

Part = Literal["caption", "tentative"]
# What a caption is: a description of the images for the question, or their text as it stands first.
CaptionProfile = Literal["description", "screen"]


def contract_from_headers(headers: Mapping[str, str]) -> int:
    """Return the contract that both we and a peer know, by its header; 1 where it says none."""
    said = headers.get(CONTRACT_HEADER, "")
    return min(int(said), CONTRACT) if _CONTRACT_NUMBER.fullmatch(said) else 1


class RequestBody(Frozen):
    """A request of one of our APIs. Unknown fields are refused: they would not be honoured."""


class ResponseBody(Frozen):
    """An answer of one of our APIs. What a later version has added to it is ignored."""

    model_config = ConfigDict(extra="ignore")


def _known_parts(parts: Any) -> Any:
    """Leave out the parts that a later version knows, of a list or of a mapping."""
    if isinstance(parts, dict):
        return {part: value for part, value in parts.items() if part in get_args(Part)}
    if isinstance(parts, list):
        return [part for part in parts if part in get_args(Part)]
    return parts


class Usage(ResponseBody):
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


# The options that every captioner accepts, and that are in every cache key.
CONTRACT_1_OPTIONS = ("max_tokens", "temperature", "seed", "n")


class PerceiveOptions(RequestBody):
    """Per-request sampling; what is None falls to the captioner's own default.

    A further option needs a default, with which it is neither sent nor in a cache key.
    """

    max_tokens: int | None = Field(default=None, ge=1, le=65536)
    temperature: float | None = Field(default=None, ge=0, le=2)
    seed: int | None = None
    n: int = Field(default=1, ge=1, le=16)
    # Of a PDF, from its first one on; None: as many as the captioner's own setting says.
    max_pages: int | None = Field(default=None, ge=1, le=1000)
    # Of captions; a tentative response is the same under each.
    caption_profile: CaptionProfile = "description"

    def changed(self) -> dict[str, Any]:
        """Return the options that are not at their defaults, as JSON has them."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def shaping(self, part: Part) -> dict[str, Any]:
        """Return the options that are not at their defaults and change the text of that part."""
        changed = self.changed()
        if part == "tentative":
            changed.pop("caption_profile", None)
        return changed

    def accepted_by(self, identity: "Identity") -> Self:
        """Return the options that a captioner accepts, with the others at their defaults."""
        return type(self)(
            **{name: value for name, value in self.changed().items() if name in identity.options}
        )


class Identity(ResponseBody):
    """Who captions. `fingerprint` digests everything that shapes a caption: weights, adapter,
    prompt texts, default sampling, token limit, image preprocessing, composer.

    `parts` are those it can produce at all (an OCR captioner has no tentative response), `options`
    the names of the options that it accepts: contract 1 did not tell, and had four.
    """

    model: str
    revision: str
    prompt_profile: str
    fingerprint: str
    parts: Annotated[tuple[Part, ...], BeforeValidator(_known_parts)] = get_args(Part)
    options: tuple[str, ...] = CONTRACT_1_OPTIONS

    def as_of(self, contract: int) -> dict[str, Any]:
        """Return it with the fields that `contract` has."""
        return self.model_dump(mode="json", exclude={"options"} if contract == 1 else None)


class PerceiveRequest(RequestBody):
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


def _whole_counts(usage: Any) -> Any:
    """Leave out counts that are no whole numbers: no count costs a text."""
    if isinstance(usage, Usage):
        return usage
    counts = usage if isinstance(usage, dict) else {}
    return {name: count for name, count in counts.items() if type(count) is int}


class Generation(ResponseBody):
    """One sampled text. `finish_reason` is `stop`, or `length` when the token limit cut it."""

    text: str
    finish_reason: str = "stop"
    usage: Annotated[Usage, BeforeValidator(_whole_counts)] = Usage()


class PartFailure(ResponseBody):
    code: str
    message: str


class PerceiveResponse(ResponseBody):
    """`n` generations a part. A tentative response that failed is empty and named in `failed`.

    `pages` is how many pages of PDFs were shown; 0 where no image is one.
    """

    caption: tuple[Generation, ...] = ()
    tentative: tuple[Generation, ...] = ()
    failed: Annotated[dict[Part, PartFailure], BeforeValidator(_known_parts)] = Field(default={})
    model: str
    revision: str
    prompt_profile: str
    fingerprint: str
    pages: int = 0

    def as_of(self, contract: int) -> dict[str, Any]:
        """Return it with the fields that `contract` has."""
        return self.model_dump(mode="json", exclude={"pages"} if contract == 1 else None)

    def generations(self, part: Part) -> tuple[Generation, ...]:
        return self.caption if part == "caption" else self.tentative


class Delta(ResponseBody):
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
