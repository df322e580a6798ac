"""The embedded default: the names and settings that captioner, reasoner and gateway agree on.

Code reads them here; `tests/repo/test_embedded_default.py` holds the YAML files of compose and Helm
against them.
"""

from collections.abc import Mapping
from typing import Any

from racro.contracts.prompts import COMPACT_V1, SolveProfile

# What our adapter was trained for.
PROMPT_PROFILE: SolveProfile = COMPACT_V1

# The packaged weights with our adapter, and without it.
REASONER = "smollm2-135m"
TEXT_REASONER = "smollm2-135m-instruct"

# The longer side, in pixels, to which OCR reduces an image that is larger.
READ_SIDE = 2000

# The same question always gets the same answer.
SAMPLING: Mapping[str, Any] = {"temperature": 0, "top_p": 1, "max_tokens": 256}

# How the gateway asks the reasoner, `reasoners.<name>` of its settings without the URL.
REASONER_SETTINGS: Mapping[str, Any] = {
    "model": REASONER,
    "text_model": TEXT_REASONER,
    "context_tokens": 8192,
    "visual_budget_tokens": 2048,
    "prompt_profile": PROMPT_PROFILE,
    "sampling": dict(SAMPLING),
}
