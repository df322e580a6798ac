"""Settings of a training: a TOML file, `SftSettings` or `CroSettings`. Paths in it are as they are
given, from the folder that the command is run in.
"""

import re
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, field_validator, model_validator

from racro.base.frozen import Frozen
from racro.cro.settings import RewardSettings


class Model(Frozen):
    path: str = Field(min_length=1, description="A folder, or a name on the hub.")
    revision: str | None = Field(default=None, description="On the hub.")
    adapter: Path | None = Field(
        default=None, description="LoRA adapter of this model that the training begins from."
    )
    frozen: str | None = Field(
        default=None,
        description="Weights that are not trained, one regular expression for all of a name: "
        r"'model\.visual\..*' is Qwen's vision tower.",
    )
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        default="float32",
        description="Of the weights. In bfloat16 all of them cannot learn at the paper's rate: a "
        "step is smaller than their rounding. With LoRA, bfloat16 is right.",
    )

    @field_validator("frozen")
    @classmethod
    def _expression(cls, frozen: str | None) -> str | None:
        try:
            re.compile(frozen or "")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return frozen


class Data(Frozen):
    train: tuple[Path, ...] = Field(min_length=1)
    heldout: tuple[Path, ...] = Field(default=(), description="Instead of a share of `train`.")
    heldout_share: float = Field(default=0, ge=0, lt=1)
    split_seed: int = 0
    against: tuple[Path, ...] = Field(
        default=(),
        description="Evaluation sets: what shows or asks the same is left out of all the others.",
    )
    limit: int | None = Field(default=None, ge=1, description="Rows to train on at most.")
    heldout_limit: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_heldout(self) -> Self:
        if self.heldout and self.heldout_share:
            raise ValueError("heldout and heldout_share exclude one another")
        return self


class Images(Frozen):
    """None: as the model's own image processor has it."""

    min_pixels: int | None = Field(default=None, ge=1)
    max_pixels: int | None = Field(default=None, ge=1)


class Lora(Frozen):
    r: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0, ge=0, lt=1)
    target_modules: tuple[str, ...] | str = Field(
        default=r".*language_model.*\.(q|k|v|o|gate|up|down)_proj",
        description="Ends of their names, or one regular expression for all of a name. The default "
        "leaves the vision tower as it is: vLLM serves adapters of the language model for certain.",
    )


class Optimiser(Frozen):
    learning_rate: float = Field(default=1e-6, gt=0)
    schedule: str = Field(default="constant_with_warmup", description="One of transformers'.")
    warmup_steps: int = Field(default=0, ge=0)
    weight_decay: float = Field(default=0, ge=0)
    max_grad_norm: float = Field(default=1, ge=0, description="0: gradients are not clipped.")


class Batch(Frozen):
    """Rows a step: per_device × accumulation × processes."""

    per_device: int = Field(default=1, ge=1)
    accumulation: int = Field(default=1, ge=1)


class GroupBatch(Batch):
    """Captions a step: per_device × accumulation × processes; questions: that ÷ generations."""

    generations: int = Field(default=4, ge=2, description="Captions in a question's group.")
    generations_heldout: int = Field(default=1, ge=1)


class Duration(Frozen):
    """One of the two."""

    epochs: float | None = Field(default=None, gt=0)
    steps: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give epochs or steps, one of them")
        return self


class Length(Frozen):
    """In tokens. A row whose prompt is longer is left out; captions end at `completion`."""

    prompt: int | None = Field(default=None, ge=1, description="Image tokens included.")
    completion: int = Field(default=1024, ge=1)


class CaptionSampling(Frozen):
    """Of captions; the paper's temperature."""

    temperature: float = Field(default=1, gt=0)
    top_p: float = Field(default=1, gt=0, le=1)
    top_k: int = Field(default=0, ge=0, description="0: all tokens.")


class Grpo(Frozen):
    """`beta` weighs the KL divergence from the model at the start: in TRL the low-variance estimate
    (k3), times the ratio of new to old probability unless `trl.use_bias_correction_kl` is false.
    """

    beta: float = Field(default=0.001, ge=0)
    loss: str = Field(default="grpo", description="TRL's loss_type.")


class Vllm(Frozen):
    """A vLLM server that writes the captions and is sent the weights after each step."""

    url: str = Field(pattern=r"^https?://.+", description="Without /v1.")
    group_port: int = Field(default=51216, ge=1, le=65535, description="For the weights.")
    timeout_s: float = Field(default=600, gt=0, description="Until it has started.")


class Checkpoints(Frozen):
    every: int = Field(default=50, ge=1, description="Steps.")
    keep: int = Field(default=2, ge=2, description="One may be unfinished when another is lost.")


class Evaluation(Frozen):
    every: int = Field(default=50, ge=1, description="Steps. Of the held-out rows, if any.")


class Logging(Frozen):
    to: Literal["tensorboard", "wandb", "none"] = "tensorboard"
    every: int = Field(default=1, ge=1, description="Steps.")


class TrainingSettings(Frozen):
    """What both methods have."""

    output: Path
    seed: int = Field(default=0, ge=0)
    model: Model
    data: Data
    duration: Duration
    images: Images = Images()
    lora: Lora | None = Field(default=None, description="Without it all weights are trained.")
    optimiser: Optimiser = Optimiser()
    batch: Batch = Batch()
    length: Length = Length()
    checkpoints: Checkpoints = Checkpoints()
    evaluation: Evaluation = Evaluation()
    logging: Logging = Logging()
    trl: dict[str, Any] = Field(
        default_factory=dict, description="Anything else that TRL's configuration takes, verbatim."
    )

    @model_validator(mode="after")
    def _adapter_or_lora(self) -> Self:
        if self.model.adapter is not None and self.lora is not None:
            raise ValueError("model.adapter has its own shape: leave out the table lora")
        return self

    @model_validator(mode="after")
    def _frozen_or_adapter(self) -> Self:
        if self.model.frozen is not None and (self.lora or self.model.adapter):
            raise ValueError("an adapter leaves all of its base as it is: leave out model.frozen")
        return self


class SftSettings(TrainingSettings):
    pass


class CroSettings(TrainingSettings):
    batch: GroupBatch = GroupBatch()
    sampling: CaptionSampling = CaptionSampling()
    grpo: Grpo = Grpo()
    vllm: Vllm | None = Field(default=None, description="Without it transformers generates.")
    reward: RewardSettings


S = TypeVar("S", bound=TrainingSettings)
