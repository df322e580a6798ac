"""Settings of the reward: the table `[reward]` of a TOML file."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
)

from racro.base.frozen import Frozen
from racro.base.wrong_settings import WrongSettingsError
from racro.contracts.prompts import RACRO_V1, SolveProfile

# TOML has no null.
_NULL = "null"
Sent = TypeVar("Sent")
OrNull = Annotated[Sent | None, BeforeValidator(lambda value: None if value == _NULL else value)]


class Sampling(Frozen):
    """Of the reasoner; the paper's values. What is "null" is not sent: some servers refuse it."""

    temperature: OrNull[float] = Field(default=0.6, ge=0, le=2)
    top_p: OrNull[float] = Field(default=0.95, gt=0, le=1)
    max_tokens: OrNull[int] = Field(default=8192, ge=1)
    seed: int | None = Field(
        default=None, description="Of a caption's first rollout; the next one's is one more."
    )


class Terms(Frozen):
    """Weights of what is taken off the reward; 0 leaves a term out of it. See `racro.cro.terms`."""

    leak: float = Field(default=0, ge=0)
    length: float = Field(default=0, ge=0)
    length_limit: int = Field(
        default=4000, ge=1, description="Characters of a caption that cost nothing."
    )
    format: float = Field(default=0, ge=0)


def _is_set(variable: str) -> str:
    if not os.environ.get(variable):
        raise ValueError(f"environment variable {variable} is not set")
    return variable


Url = Annotated[
    str,
    StringConstraints(pattern=r"^https?://.+"),
    AfterValidator(lambda url: url.rstrip("/")),
]


class RewardSettings(Frozen):
    urls: tuple[Url, ...] = Field(
        min_length=1,
        description="Servers of OpenAI's chat API that serve the same reasoner, up to and "
        "including /v1.",
    )
    model: str = Field(min_length=1, description="The reasoner's name at these servers.")
    api_key_env: Annotated[str, AfterValidator(_is_set)] | None = Field(
        default=None, description="Environment variable that holds their API key."
    )
    prompt_profile: SolveProfile = Field(
        default=RACRO_V1, description="compact-v1 for reasoners of some hundred million parameters."
    )
    rollouts: int = Field(
        default=1, ge=1, description="Answers of the reasoner a caption; the paper takes one."
    )
    sampling: Sampling = Sampling()
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_tokens", description="The servers' name for sampling.max_tokens."
    )
    concurrency: int = Field(
        default=64, ge=1, description="Requests at a time, from each process that trains."
    )
    attempts: int = Field(
        default=4, ge=1, description="Tries of a rollout that fails, the first included."
    )
    deadline_s: float = Field(
        default=600,
        gt=0,
        description="Most that a rollout may take, its tries and the pauses between them together. "
        "Standing in line and waiting for a reasoner that is away do not count.",
    )
    patience_s: float = Field(
        default=900,
        ge=0,
        description="How long a rollout waits for a reasoner that cannot be connected to, or that "
        "says 429, 502 or 503.",
    )
    terms: Terms = Terms()
    graders: int = Field(default=2, ge=1, description="Processes that compare answers.")
    log: Path | None = Field(
        default=None, description="File that each rollout is appended to as a line of JSON."
    )

    @property
    def api_key(self) -> str | None:
        return None if self.api_key_env is None else os.environ[self.api_key_env]


class RewardFile(Frozen, extra="ignore"):
    """A file whose other tables are the trainer's."""

    reward: RewardSettings


M = TypeVar("M", bound=BaseModel)


def read_settings(path: Path, kind: type[M]) -> M:
    """A TOML file. Raises WrongSettingsError."""
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        findings = (
            f"{'.'.join(map(str, finding['loc'])) or 'the file'}: {finding['msg']}"
            for finding in error.errors(include_url=False, include_input=False)
        )
        raise WrongSettingsError(f"{path}: {'; '.join(findings)}") from error
    except (OSError, ValueError) as error:
        raise WrongSettingsError(f"{path} cannot be read: {error}") from error
