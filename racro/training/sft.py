"""Supervised fine-tuning: the captioner imitates captions."""

from racro.training.loop import rows_that_fit, run_training
from racro.training.model import lora_config, model_to_train
from racro.training.preparation import Preparation
from racro.training.processing import load_processor
from racro.training.rows import imitation
from racro.training.settings import SftSettings
from racro.training.trainers import CaptionSFTTrainer
from racro.training.trl_config import sft_config


def train(preparation: Preparation[SftSettings]) -> None:
    """Raises WrongSettingsError, WrongBase, WrongData or Stopped."""
    settings = preparation.settings
    config = sft_config(settings, has_heldout=bool(preparation.data.heldout))
    processor = load_processor(settings.model, settings.images)
    rows, heldout = rows_that_fit(preparation, processor)
    trainer = CaptionSFTTrainer(
        model=model_to_train(settings.model),
        args=config,
        train_dataset=imitation(rows),
        eval_dataset=imitation(heldout) if heldout else None,
        processing_class=processor,
        peft_config=lora_config(settings.lora),
    )
    run_training(trainer, preparation, metric="loss", highest=False)
