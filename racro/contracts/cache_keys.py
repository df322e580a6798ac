"""The keys of what gateways share, built here and nowhere else.

The reasoner is in none of them: a new reasoner finds every caption of the old one.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence

from racro.contracts.perception import CONTRACT_1_OPTIONS, Part, PerceiveOptions

# A gateway reads what gateways of its own schema wrote and nothing else.
SCHEMA_VERSION = 1

_PREFIX = f"racro:{SCHEMA_VERSION}"
_CONTEXT = f"{_PREFIX}:context"
# A glob that every visual_context_key and kept_context_key matches, and no other key.
VISUAL_CONTEXTS = f"{_CONTEXT}:*"
PROBE_KEY = f"{_PREFIX}:probe"
LIMITS_PREFIX = f"{_PREFIX}:limit"


def tenant_tag(tenant: str, secret: bytes) -> str:
    """What stands for a tenant in keys: nobody who reads them can tell who it is, or guess one."""
    return hmac.digest(secret, tenant.encode(), "sha256").hex()[:32]


_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode


def visual_context_key(
    *,
    tenant: str,
    image_digests: Sequence[str],
    question: str | None,
    fingerprint: str,
    options: PerceiveOptions,
    part: Part,
) -> str:
    """`racro:<schema>:context:<part>:<SHA-256 of everything that shapes the text>`.

    `tenant` is a tenant_tag, or empty where tenants share. `question` is the normalised text that
    the captioner gets. JSON keeps the fields apart, so that no two different requests share an
    encoding. An option that contract 1 did not have is left out at its default.
    """
    first = options.model_dump(mode="json", include=set(CONTRACT_1_OPTIONS))
    shaped_by = [
        SCHEMA_VERSION,
        tenant,
        list(image_digests),
        question,
        fingerprint,
        first | options.shaping(part),
        part,
    ]
    return f"{_CONTEXT}:{part}:{hashlib.sha256(_encode(shaped_by).encode()).hexdigest()}"


def kept_context_key(tenant: str, identifier: str) -> str:
    """Of a visual context that is kept for one who answers later: its tenant, nobody else."""
    digest = hashlib.sha256(json.dumps([SCHEMA_VERSION, tenant, identifier]).encode()).hexdigest()
    return f"{_CONTEXT}:kept:{digest}"


def lease_key(key: str) -> str:
    """Of the lease on making what will stand under `key`."""
    return f"{_PREFIX}:lease:{key.removeprefix(_CONTEXT)}"
