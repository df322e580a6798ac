"""The adapter as GGUF, which llama.cpp reads."""

from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]

_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def _as_llama_cpp_rotates(rows: Weights, heads: int) -> Weights:
    """Rotary halves side by side, as in llama.cpp's own conversion of queries and keys."""
    split = rows.reshape(heads, 2, rows.shape[0] // heads // 2, rows.shape[1])
    return split.swapaxes(1, 2).reshape(rows.shape)


def export_lora(
    weights: Mapping[tuple[int, str, str], Weights],
    path: Path,
    *,
    alpha: float,
    heads: int,
    key_value_heads: int,
    name: str,
) -> None:
    """`weights[layer, module, "A" | "B"]`: A of shape (rank, in), B of shape (out, rank)."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    writer.add_name(name)
    for (layer, module, half), matrix in sorted(weights.items()):
        if half == "B" and module.endswith(("q_proj", "k_proj")):
            matrix = _as_llama_cpp_rotates(  # noqa: PLW2901
                matrix, heads if module.endswith("q_proj") else key_value_heads
            )
        tensor = f"blk.{layer}.{_NAMES[module]}.weight.lora_{half.lower()}"
        writer.add_tensor(tensor, np.ascontiguousarray(matrix, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
