"""The cache key of a visual context, built here and nowhere else.

The reasoner is not in it: a new reasoner finds every caption of the old one.
"""

import hashlib
import json
from collections.abc import Sequence

from racro.contracts.perception import Part, PerceiveOptions

SCHEMA_VERSION = 1


def visual_context_key(
    *,
    tenant: str,
    image_digests: Sequence[str],
    question: str | None,
    fingerprint: str,
    options: PerceiveOptions,
    part: Part,
) -> str:
    """`racro:<schema>:<part>:<SHA-256 of everything that shapes the text>`.

    `question` is the normalised text the captioner gets. JSON keeps the fields apart, so that no
    two different requests share an encoding.
    """
    shaped_by = [
        SCHEMA_VERSION,
        tenant,
        list(image_digests),
        question,
        fingerprint,
        options.model_dump(mode="json"),
        part,
    ]
    encoded = json.dumps(shaped_by, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return f"racro:{SCHEMA_VERSION}:{part}:{hashlib.sha256(encoded.encode()).hexdigest()}"
