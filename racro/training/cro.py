"""Caption Reward Optimization (arXiv 2506.04559): GRPO, rewarded by the reasoner's success."""

import asyncio

from racro.cro.reasoner_errors import ReasonerRefused
from racro.cro.reward import Reward
from racro.cro.trl import reward_function
from racro.training.callbacks import HeldoutRewardsMissing
from racro.training.loop import rows_that_fit, run_training
from racro.training.model import lora_config, model_to_train
from racro.training.preparation import Preparation
from racro.training.processing import load_processor
from racro.training.rows import exploration
from racro.training.settings import CroSettings
from racro.training.trainers import CaptionGRPOTrainer
from racro.training.training_error import Stopped
from racro.training.trl_config import cro_config


def train(preparation: Preparation[CroSettings]) -> None:
    """Raises WrongSettingsError, WrongBase, WrongData or Stopped."""
    settings = preparation.settings
    config = cro_config(settings, has_heldout=bool(preparation.data.heldout))
    processor = load_processor(settings.model, settings.images)
    rows, heldout = rows_that_fit(preparation, processor)
    reward = Reward(settings.reward)
    trainer = CaptionGRPOTrainer(
        model=model_to_train(settings.model),
        reward_funcs=reward_function(reward),
        args=config,
        train_dataset=exploration(rows),
        eval_dataset=exploration(heldout) if heldout else None,
        processing_class=processor,
        peft_config=lora_config(settings.lora),
        callbacks=[HeldoutRewardsMissing()],
    )
    try:
        run_training(trainer, preparation, metric="reward", highest=True)
    except ReasonerRefused as error:
        raise Stopped(str(error)) from error
    finally:
        # It was opened in TRL's own event loop.
        asyncio.run_coroutine_threadsafe(reward.aclose(), trainer.async_loop).result()
