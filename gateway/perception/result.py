"""The parts of a visual context, from wherever they came, put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.cache.entry import Entry
from gateway.perception.request import Perception, PerceptionRequest
from racro.contracts.errors import RacroError, UpstreamError
from racro.contracts.marks import limit_marks
from racro.contracts.perception import Part, PartFailure, Usage
from racro.contracts.solve_api import CacheResult, VisualContext

# A visual context counts as what the most expensive of its parts was.
_PRECEDENCE: tuple[CacheResult, ...] = ("miss", "coalesced", "hit")


@dataclass(frozen=True)
class PartsResult:
    """Parts that were fetched or generated together, and where they came from.

    `usage` are the tokens that this process spent on them, `failed` the parts that are missing.
    """

    entries: dict[Part, Entry]
    source: CacheResult
    failed: dict[Part, PartFailure] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)


def assemble(
    request: PerceptionRequest,
    cached: Mapping[Part, Entry],
    outcomes: Sequence[PartsResult | RacroError],
    *,
    joined: bool,
) -> Perception:
    """Make a perception of the parts that were `cached` and of the outcomes for the others.

    `joined`: all of the outcomes are of other requests, which have paid for them. Raises the first
    error among the outcomes where there is no caption; a missing tentative response is marked.
    """
    errors = [outcome for outcome in outcomes if isinstance(outcome, RacroError)]
    results = [outcome for outcome in outcomes if isinstance(outcome, PartsResult)]
    entries = dict(cached)
    failures = [PartFailure(code=error.code, message=error.message) for error in errors]
    for result in results:
        entries |= result.entries
        failures += result.failed.values()
    caption, tentative = entries.get("caption"), entries.get("tentative")
    if caption is None:
        raise errors[0] if errors else _without_caption(results)
    context = VisualContext(
        caption=limit_marks(caption.text),
        tentative=limit_marks(tentative.text) if tentative else None,
        truncated=tuple(part for part, entry in entries.items() if entry.finish_reason == "length"),
        failed=failures[0] if failures and tentative is None else None,
        model=caption.model,
        revision=caption.revision,
        prompt_profile=caption.prompt_profile,
        cache=_source(request, outcomes, joined=joined),
    )
    usage = Usage() if joined else sum((result.usage for result in results), Usage())
    return Perception(context, usage, request.image_digests)


def _without_caption(results: Sequence[PartsResult]) -> UpstreamError:
    """Return what says that the captioner's answers have no caption, and why."""
    failed = [result.failed["caption"].message for result in results if "caption" in result.failed]
    return UpstreamError(": ".join(["the captioner answered without a caption", *failed[:1]]))


def _source(
    request: PerceptionRequest, outcomes: Sequence[PartsResult | RacroError], *, joined: bool
) -> CacheResult:
    """Return where a visual context came from; a failure counts as a miss."""
    if request.cache == "bypass":
        return "bypass"
    sources = {
        outcome.source if isinstance(outcome, PartsResult) else "miss" for outcome in outcomes
    }
    source: CacheResult = next((one for one in _PRECEDENCE if one in sources), "hit")
    return "coalesced" if joined and source == "miss" else source
