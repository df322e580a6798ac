"""Comparison of a captioner's copies, which differ where a rollout stopped half way."""

from collections.abc import Sequence

from racro.cli.doctor.captioner_check import Copy
from racro.cli.doctor.check_report import Finding, bad, good
from racro.cli.probing import shown
from racro.contracts.perception import Identity

_CHECK = "captioner"
_ALIKE = (
    "captions of one are not found for another, so images are captioned again and answers depend "
    "on the copy: finish the rollout, or give all the same release, model and settings"
)
_TOLD = ("model", "revision", "prompt_profile", "parts", "options")


def compare_copies(copies: Sequence[Copy]) -> list[Finding]:
    """Tell whether all copies that answered have one fingerprint, and if not, what differs."""
    known = [(copy.place, copy.identity) for copy in copies if copy.identity is not None]
    if len(known) < 2:  # noqa: PLR2004
        return []
    _, first = known[0]
    places: dict[str, list[str]] = {}
    examples: dict[str, Identity] = {}
    for place, identity in known:
        places.setdefault(identity.fingerprint, []).append(place)
        examples.setdefault(identity.fingerprint, identity)
    if len(places) == 1:
        return [good(_CHECK, f"all {len(known)} copies have the same fingerprint")]
    told = "; ".join(
        f"{shown(fingerprint)[:12]} at {', '.join(at)}{_difference(first, examples[fingerprint])}"
        for fingerprint, at in places.items()
    )
    return [bad(_CHECK, f"copies have different fingerprints: {told}", _ALIKE)]


def _difference(first: Identity, other: Identity) -> str:
    """What another identity than the first tells differently, in parentheses."""
    if other.fingerprint == first.fingerprint:
        return ""
    changed = [
        f"{name} {shown(getattr(other, name))} instead of {shown(getattr(first, name))}"
        for name in _TOLD
        if getattr(other, name) != getattr(first, name)
    ]
    return f" ({', '.join(changed) or 'same model and revision: settings or release differ'})"
