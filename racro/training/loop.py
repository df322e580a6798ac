"""What is the same for both methods: the rows that fit, and the training from start to report."""

import logging

from transformers import ProcessorMixin, Trainer

from racro.training.callbacks import Best, MetricsFile, WholeCheckpoints, save_model
from racro.training.captions import Example
from racro.training.model import freeze
from racro.training.model_card import write_report
from racro.training.preparation import Preparation, is_first_process, tell_left_out
from racro.training.rows import fitting
from racro.training.run_folder import FINAL, step_of
from racro.training.settings import S
from racro.training.training_error import WrongData

_logger = logging.getLogger(__name__)


def rows_that_fit(
    preparation: Preparation[S], processor: ProcessorMixin
) -> tuple[list[Example], list[Example]]:
    """(train, held-out), after all that is left out was told. Raises WrongData where none is left
    of one of them.
    """
    data, length = preparation.data, preparation.settings.length
    train, train_left_out = fitting(data.train, processor, length)
    heldout, heldout_left_out = fitting(data.heldout, processor, length)
    if is_first_process():
        left_out = [*data.left_out, *train_left_out, *heldout_left_out]
        tell_left_out(left_out, preparation.run.folder)
    if not train or (data.heldout and not heldout):
        raise WrongData(f"length: no {'held-out ' if train else ''}row is short enough")
    _logger.info("%d rows to train on, %d held out", len(train), len(heldout))
    return train, heldout


def run_training(
    trainer: Trainer, preparation: Preparation[S], *, metric: str, highest: bool
) -> None:
    """Goes on from the last whole checkpoint. `metric` of the held-out rows says which weights are
    best. Raises WrongSettingsError or Stopped.
    """
    run, record = preparation.run, preparation.record
    if (frozen := preparation.settings.model.frozen) is not None:
        freeze(trainer.model, frozen)
    trainer.add_callback(WholeCheckpoints(trainer))
    trainer.add_callback(MetricsFile())
    trainer.add_callback(Best(trainer, record, metric=f"eval_{metric}", highest=highest))
    last = run.to_go_on_from()
    if last is not None:
        _logger.info("going on from step %d", step_of(last))
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    if trainer.is_world_process_zero():
        write_report(run.folder, record, trainer.state.log_history, metric=metric)
    save_model(trainer, run.folder / FINAL, {**record, "step": trainer.state.global_step})
    trainer.accelerator.end_training()
