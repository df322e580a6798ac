"""The captioner as GGUF, which llama.cpp reads: what writes in one file, what sees in another."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from transformers import PreTrainedTokenizerFast, Qwen2VLForConditionalGeneration

from experiments.recipes.captioner.model import PRE_TOKENIZER, image_processor
from racro.embedded.captioner import NAME

_LAYER = re.compile(r"layers\.(\d+)\.(.+)\.(weight|bias)")
_TEXT = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
_BLOCK = re.compile(r"blocks\.(\d+)\.(.+)\.(weight|bias)")
_VISION = {
    "attn.proj": "attn_out",
    "norm1": "ln1",
    "norm2": "ln2",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
}
_MERGER = {"merger.ln_q": "v.post_ln", "merger.mlp.0": "mm.0", "merger.mlp.2": "mm.2"}


def export_captioner(
    model: Qwen2VLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    language_model: Path,
    projector: Path,
) -> None:
    """What the captioner service's llama engine takes: two files."""
    _export_language_model(model, tokenizer, language_model)
    _export_projector(model, projector)


def _export_language_model(
    model: Qwen2VLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, path: Path
) -> None:
    config = model.config.get_text_config()
    writer = gguf.GGUFWriter(path, "qwen2vl")
    writer.add_name(NAME)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_sections([*config.rope_parameters["mrope_section"], 0])
    _add_tokenizer(writer, tokenizer)
    _add_text_tensors(writer, model.model.language_model.state_dict())
    _write(writer)


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: PreTrainedTokenizerFast) -> None:
    state: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    special = {token["content"] for token in state["added_tokens"]}
    tokens = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE_TOKENIZER)
    writer.add_token_list([token for token, _ in tokens])
    writer.add_token_types(
        [
            gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL
            for token, _ in tokens
        ]
    )
    writer.add_token_merges([" ".join(pair) for pair in state["model"]["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


def _add_text_tensors(writer: gguf.GGUFWriter, weights: Mapping[str, torch.Tensor]) -> None:
    for name, weight in weights.items():
        if match := _LAYER.fullmatch(name):
            layer, module, kind = match.groups()
            _add(writer, f"blk.{layer}.{_TEXT[module]}.{kind}", weight)
        elif name == "embed_tokens.weight":
            # The head is tied to it: llama.cpp takes it where there is no output.weight.
            _add(writer, "token_embd.weight", weight)
        else:
            _add(writer, {"norm.weight": "output_norm.weight"}[name], weight)


def _export_projector(model: Qwen2VLForConditionalGeneration, path: Path) -> None:
    """What llama.cpp calls a multimodal projector: the vision tower with its merger."""
    vision = model.config.vision_config
    processor = image_processor()
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type(gguf.GGUFType.MMPROJ)
    writer.add_name(NAME)
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type(gguf.VisionProjectorType.QWEN2VL)
    # Without limits llama.cpp would show it pictures larger than any that it has seen.
    writer.add_uint32(gguf.Keys.ClipVision.IMAGE_MIN_PIXELS, processor.size["shortest_edge"])
    writer.add_uint32(gguf.Keys.ClipVision.IMAGE_MAX_PIXELS, processor.size["longest_edge"])
    writer.add_vision_image_size(int(processor.size["longest_edge"] ** 0.5))
    writer.add_vision_patch_size(vision.patch_size)
    writer.add_vision_spatial_merge_size(vision.spatial_merge_size)
    writer.add_vision_embedding_length(vision.embed_dim)
    writer.add_vision_feed_forward_length(int(vision.embed_dim * vision.mlp_ratio))
    writer.add_vision_projection_dim(vision.hidden_size)
    writer.add_vision_block_count(vision.depth)
    writer.add_vision_head_count(vision.num_heads)
    writer.add_vision_attention_layernorm_eps(1e-6)
    writer.add_vision_image_mean(processor.image_mean)
    writer.add_vision_image_std(processor.image_std)
    _add_vision_tensors(writer, model.model.visual.state_dict())
    _write(writer)


def _add_vision_tensors(writer: gguf.GGUFWriter, weights: Mapping[str, torch.Tensor]) -> None:
    for name, weight in weights.items():
        if name == "patch_embed.proj.weight":
            # Of two frames one kernel each: a still picture is both.
            for frame, suffix in enumerate(("", ".1")):
                _add(writer, f"v.patch_embd.weight{suffix}", weight[:, :, frame])
        elif match := _BLOCK.fullmatch(name):
            block, module, kind = match.groups()
            if module == "attn.qkv":
                for part, third in zip("qkv", weight.chunk(3), strict=True):
                    _add(writer, f"v.blk.{block}.attn_{part}.{kind}", third)
            else:
                _add(writer, f"v.blk.{block}.{_VISION[module]}.{kind}", weight)
        else:
            module, _, kind = name.rpartition(".")
            _add(writer, f"{_MERGER[module]}.{kind}", weight)


def _add(writer: gguf.GGUFWriter, name: str, weight: torch.Tensor) -> None:
    """Matrices in half precision; llama.cpp wants vectors in full."""
    kind = np.float32 if weight.ndim == 1 else np.float16
    writer.add_tensor(name, np.ascontiguousarray(weight.detach().float().numpy(), dtype=kind))


def _write(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
