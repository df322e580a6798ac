"""A Qwen2.5-VL of exact architecture, random weights and 1.2 million parameters: it needs no hub,
and trains on a CPU. Its tokenizer is a BPE learnt from the prompts.

python tests/train/models.py FOLDER     makes FOLDER/base and FOLDER/other
"""

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessor,
)

from experiments.recipes.captioner.model import CHAT_TEMPLATE, SPECIAL
from racro.contracts.prompts import caption_prompt

HIDDEN = 128


def make_captioner(folder: Path, *, seed: int) -> None:
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    start, end, pad, image, video = tokenizer.convert_tokens_to_ids(list(SPECIAL[3:]))
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(
        Qwen2_5_VLConfig(
            text_config={
                "vocab_size": len(tokenizer),
                "hidden_size": HIDDEN,
                "intermediate_size": 2 * HIDDEN,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "num_key_value_heads": 2,
                "max_position_embeddings": 2048,
                "rope_parameters": {
                    "rope_type": "default",
                    "mrope_section": [4, 6, 6],
                    "rope_theta": 1e6,
                },
                "tie_word_embeddings": False,
                "bos_token_id": tokenizer.bos_token_id,
                "eos_token_id": tokenizer.eos_token_id,
            },
            vision_config={
                "depth": 2,
                "hidden_size": HIDDEN,
                "intermediate_size": 2 * HIDDEN,
                "num_heads": 4,
                "out_hidden_size": HIDDEN,
                "fullatt_block_indexes": [1],
            },
            vision_start_token_id=start,
            vision_end_token_id=end,
            vision_token_id=pad,
            image_token_id=image,
            video_token_id=video,
            tie_word_embeddings=False,
        )
    )
    model.save_pretrained(folder)
    Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=56 * 56).save_pretrained(folder)


def _tokenizer() -> PreTrainedTokenizerFast:
    prompt = caption_prompt("How tall is bar 3?")
    texts = [prompt.system or "", prompt.user, "A chart of 4 bars: 10, 20, 30 and 40."]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=list(SPECIAL),
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHAT_TEMPLATE,
    )


if __name__ == "__main__":
    into = Path(sys.argv[1])
    make_captioner(into / "base", seed=1)
    make_captioner(into / "other", seed=2)
