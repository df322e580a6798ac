"""Why something would not work now, told to clients and to operators."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem as clients may see it, and a `detail` for operators, with addresses and paths."""

    public: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.public}; {self.detail}" if self.detail else self.public
