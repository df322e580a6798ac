"""How the lessons word their questions, and whether a question is worded so."""

import re
from collections.abc import Iterator

from experiments.recipes.reasoner import lessons

FIELD = re.compile(r"\{\w+\}")


def _templates() -> Iterator[str]:
    for name, value in vars(lessons).items():
        if name.startswith("_") and isinstance(value, tuple):
            yield from (one for one in value if isinstance(one, str) and " " in one)


# With fewer words of its own a template says nothing: "{name}: {amount}".
TELLING = [one for one in _templates() if len(re.findall(r"\w+", FIELD.sub("", one))) >= 2]


def as_pattern(template: str) -> re.Pattern[str]:
    """A field stands for up to four words."""
    fixed = [re.escape(part) for part in FIELD.split(template)]
    return re.compile(r"\S+(?: \S+){0,3}".join(fixed), re.IGNORECASE)
