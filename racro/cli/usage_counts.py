"""What tenants used, added up from the counters of gateways."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Stage = Literal["captioner", "reasoner"]

# How an answer of a reasoner may have ended.
OUTCOMES = ("complete", "broken", "refused", "failed", "timeout", "left")
# What gateways call the tenants that they do not name.
OTHERS = "(other)"
ANSWERS, TOKENS = "racro_reasoner_answers_total", "racro_tokens_total"
IMAGES, PAGES = "racro_images_total", "racro_pages_total"
# The labels that each counter is read by.
COUNTERS = {
    ANSWERS: ("tenant", "reasoner", "outcome"),
    TOKENS: ("tenant", "stage", "reasoner", "direction"),
    IMAGES: ("tenant",),
    PAGES: ("tenant",),
}


@dataclass(frozen=True)
class Sample:
    """A value of a counter, by its labels; one that is empty may be missing."""

    counter: str
    labels: Mapping[str, str]
    value: float


@dataclass
class Usage:
    """What one tenant used of the captioner, or of one reasoner, `model`."""

    tenant: str
    stage: Stage
    model: str
    requests: dict[str, float] = field(default_factory=dict)
    prompt_tokens: float = 0
    completion_tokens: float = 0
    images: float = 0
    pages: float = 0

    def add(self, sample: Sample) -> None:
        """Add a counter's value to what it counts."""
        if sample.counter == ANSWERS:
            outcome = sample.labels.get("outcome", "")
            self.requests[outcome] = self.requests.get(outcome, 0) + sample.value
        elif sample.counter == IMAGES:
            self.images += sample.value
        elif sample.counter == PAGES:
            self.pages += sample.value
        elif sample.labels.get("direction") == "prompt":
            self.prompt_tokens += sample.value
        else:
            self.completion_tokens += sample.value

    def flat(self) -> dict[str, Any]:
        """Return it in whole numbers, with a field for each outcome."""
        by_outcome = {one: round(self.requests.get(one, 0)) for one in OUTCOMES}
        return {
            "tenant": self.tenant,
            "stage": self.stage,
            "model": self.model,
            "requests": sum(round(number) for number in self.requests.values()),
            **by_outcome,
            "prompt_tokens": round(self.prompt_tokens),
            "completion_tokens": round(self.completion_tokens),
            "images": round(self.images),
            "pages": round(self.pages),
        }


FIELDS = tuple(Usage("", "captioner", "").flat())
_IDENTITY = FIELDS[:3]


def add_up(samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """Return what was used, a row for each tenant's captioner and reasoners, without zeros."""
    rows: dict[tuple[str, Stage, str], Usage] = {}
    for sample in samples:
        tenant, model = sample.labels.get("tenant", ""), sample.labels.get("reasoner", "")
        stage: Stage = "reasoner" if model else "captioner"
        key = tenant, stage, model
        rows.setdefault(key, Usage(*key)).add(sample)
    flat = [rows[key].flat() for key in sorted(rows)]
    return [row for row in flat if any(row[name] for name in FIELDS if name not in _IDENTITY)]


def names_tenants(samples: Iterable[Sample]) -> bool:
    """Tell whether any counter says whose it is."""
    return any(sample.labels.get("tenant") for sample in samples)
