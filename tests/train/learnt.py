"""What a fine-tuning learns of a row, by TRL's own collator: in a process of its own, for within
pytest TRL would take tests/vllm for vLLM.

python -m tests.train.learnt MODEL IMAGE     writes the text whose tokens count in the loss
"""

import sys
from pathlib import Path

from racro.problems import Problem
from racro.training.captions import Example
from racro.training.processing import load_processor
from racro.training.rows import imitation
from racro.training.settings import SftSettings
from racro.training.trainers import CaptionSFTTrainer
from racro.training.trl_config import sft_config

if __name__ == "__main__":
    model, image = sys.argv[1:]
    settings = SftSettings.model_validate(
        {
            "output": Path(image).parent,
            "model": {"path": model},
            "data": {"train": ["captions.jsonl"]},
            "duration": {"steps": 1},
            "trl": {"bf16": False, "use_cpu": True},
        }
    )
    processor = load_processor(settings.model, settings.images)
    row = Example(Problem("p1", "Which?", (Path(image),), "B"), "A black field.")
    trainer = CaptionSFTTrainer(
        model=model,
        args=sft_config(settings, has_heldout=False),
        train_dataset=imitation([row]),
        processing_class=processor,
    )
    [batch] = trainer.get_train_dataloader()
    labels = batch["labels"]
    sys.stdout.write(processor.tokenizer.decode(labels[labels != -100]))
