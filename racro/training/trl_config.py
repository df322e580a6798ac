"""Our settings as TRL's configurations."""

from dataclasses import fields
from typing import Any, TypeVar

from trl import GRPOConfig, SFTConfig

from racro.base.wrong_settings import WrongSettingsError
from racro.training.settings import CroSettings, Model, SftSettings, TrainingSettings

C = TypeVar("C", SFTConfig, GRPOConfig)
# A process that waits for the others may wait for a reasoner that is away, and then for its answer.
_LEAST_PATIENCE_S = 1800


def sft_config(settings: SftSettings, *, has_heldout: bool) -> SFTConfig:
    """Raises WrongSettingsError for what `[trl]` may not hold."""
    ours = _common(settings, has_heldout=has_heldout) | {
        "completion_only_loss": True,
        # TRL would cut rows; ours are left out before they come here.
        "max_length": None,
    }
    return _config(SFTConfig, ours, settings.trl)


def cro_config(settings: CroSettings, *, has_heldout: bool) -> GRPOConfig:
    """Raises WrongSettingsError for what `[trl]` may not hold."""
    reward, batch = settings.reward, settings.batch
    ours = _common(settings, has_heldout=has_heldout) | {
        "num_generations": batch.generations,
        "num_generations_eval": batch.generations_heldout,
        "max_completion_length": settings.length.completion,
        **settings.sampling.model_dump(),
        "beta": settings.grpo.beta,
        "loss_type": settings.grpo.loss,
        # TRL would keep the images of a step for a log of completions that is off.
        "log_multimodal": bool(settings.trl.get("log_completions", False)),
        "ddp_timeout": _LEAST_PATIENCE_S + int(reward.patience_s + reward.deadline_s),
    }
    if settings.vllm is not None:
        ours |= {
            "use_vllm": True,
            "vllm_mode": "server",
            "vllm_server_base_url": settings.vllm.url,
            "vllm_group_port": settings.vllm.group_port,
            "vllm_server_timeout": settings.vllm.timeout_s,
        }
    return _config(GRPOConfig, ours, settings.trl)


def _common(settings: TrainingSettings, *, has_heldout: bool) -> dict[str, Any]:
    optimiser, duration = settings.optimiser, settings.duration
    return {
        "output_dir": str(settings.output),
        "model_init_kwargs": _loading(settings.model),
        "seed": settings.seed,
        "num_train_epochs": duration.epochs or 1,
        "max_steps": duration.steps or -1,
        "learning_rate": optimiser.learning_rate,
        "lr_scheduler_type": optimiser.schedule,
        "warmup_steps": optimiser.warmup_steps,
        "weight_decay": optimiser.weight_decay,
        "max_grad_norm": optimiser.max_grad_norm,
        "per_device_train_batch_size": settings.batch.per_device,
        "per_device_eval_batch_size": settings.batch.per_device,
        "gradient_accumulation_steps": settings.batch.accumulation,
        "save_strategy": "steps",
        "save_steps": settings.checkpoints.every,
        "save_total_limit": settings.checkpoints.keep,
        "eval_strategy": "steps" if has_heldout else "no",
        "eval_steps": settings.evaluation.every,
        "logging_steps": settings.logging.every,
        "logging_nan_inf_filter": False,
        "report_to": settings.logging.to,
        "remove_unused_columns": False,
    }


def _loading(model: Model) -> dict[str, Any] | None:
    """How TRL loads the model, and CRO's reference. With an adapter we load it: see `model`."""
    if model.adapter is not None:
        return None
    return {"revision": model.revision or "main", "dtype": model.dtype}


def _config(kind: type[C], ours: dict[str, Any], theirs: dict[str, Any]) -> C:
    known = {field.name for field in fields(kind) if field.init}
    findings = [
        f"trl.{name}: TRL's {kind.__name__} has no such field"
        if name not in known
        else f"trl.{name}: another field of this file sets it"
        for name in theirs
        if name not in known or name in ours
    ]
    if findings:
        raise WrongSettingsError("; ".join(findings))
    try:
        return kind(**ours, **theirs)
    except (ValueError, TypeError) as error:
        raise WrongSettingsError(f"TRL's {kind.__name__} refuses the settings: {error}") from error
