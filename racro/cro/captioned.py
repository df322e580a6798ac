"""What is rewarded: a caption of images, for a question whose answer is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Captioned:
    """`question` is what the reasoner is asked, its options in it; `answer` is an option's letter
    where there are `options` (letter -> text).
    """

    id: str
    question: str
    caption: str
    answer: str
    options: Mapping[str, str] = field(default_factory=dict)
