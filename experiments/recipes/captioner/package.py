"""A trained captioner as it is packaged: for transformers in half precision, and as GGUF.

python -m experiments.recipes.captioner.package CHECKPOINT
"""

import sys
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast, Qwen2VLForConditionalGeneration

from experiments.recipes.captioner.export import export_captioner
from experiments.recipes.captioner.model import save
from racro.embedded.captioner import CHECKPOINT, MODEL, PROJECTOR


def package(checkpoint: Path) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(checkpoint)
    captioner = Qwen2VLForConditionalGeneration.from_pretrained(checkpoint)
    export_captioner(captioner, tokenizer, MODEL, PROJECTOR)
    save(captioner.to(torch.float16), tokenizer, CHECKPOINT)


if __name__ == "__main__":
    package(Path(sys.argv[1]))
