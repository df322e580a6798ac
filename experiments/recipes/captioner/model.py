"""The captioner's architecture: Qwen2-VL's own, of a few million parameters and with small patches.

Its tokenizer knows each word of the recipe as a token, any other text by its bytes.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLImageProcessor,
)

from experiments.recipes.captioner.canvas import HEIGHT, WIDTH

PATCH, MERGED = 8, 2
_SIGHT, _SPEECH = 128, 160  # widths of what sees and of what writes
_HEAD = 32
SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
_VOCABULARY = 1024
# How Qwen2's tokenizers part text, digits one by one: llama.cpp has it built in, by this name.
PRE_TOKENIZER = "qwen2"
_PARTS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}{% if part.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}{% endfor %}"
    "{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PARTS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=_VOCABULARY,
            special_tokens=list(SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",  # noqa: S106
        pad_token="<|endoftext|>",  # noqa: S106
        chat_template=CHAT_TEMPLATE,
    )


def make_captioner(
    tokenizer: PreTrainedTokenizerFast, *, seed: int
) -> Qwen2VLForConditionalGeneration:
    start, end, pad, image, video = tokenizer.convert_tokens_to_ids(list(SPECIAL[3:]))
    torch.manual_seed(seed)
    return Qwen2VLForConditionalGeneration(
        Qwen2VLConfig(
            text_config={
                "vocab_size": len(tokenizer),
                "hidden_size": _SPEECH,
                "intermediate_size": 416,
                "num_hidden_layers": 4,
                "num_attention_heads": _SPEECH // _HEAD,
                "num_key_value_heads": _SPEECH // _HEAD,
                "max_position_embeddings": 1024,
                "rope_parameters": {
                    "rope_type": "default",
                    "mrope_section": [4, 6, 6],
                    "rope_theta": 10000.0,
                },
                "tie_word_embeddings": True,
                "bos_token_id": None,
                "eos_token_id": tokenizer.eos_token_id,
            },
            vision_config={
                "depth": 4,
                "embed_dim": _SIGHT,
                "num_heads": _SIGHT // _HEAD,
                "mlp_ratio": 4,
                "hidden_size": _SPEECH,
                "patch_size": PATCH,
                "spatial_merge_size": MERGED,
            },
            vision_start_token_id=start,
            vision_end_token_id=end,
            vision_token_id=pad,
            image_token_id=image,
            video_token_id=video,
            tie_word_embeddings=True,
        )
    )


def image_processor() -> Qwen2VLImageProcessor:
    """A larger picture is made as small as those that the captioner learnt from."""
    return Qwen2VLImageProcessor(
        patch_size=PATCH,
        merge_size=MERGED,
        min_pixels=(PATCH * MERGED) ** 2,
        max_pixels=WIDTH * HEIGHT,
    )


def save(
    model: Qwen2VLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> None:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    image_processor().save_pretrained(folder)
