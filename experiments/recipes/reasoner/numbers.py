"""Amounts as they are printed."""

from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True)
class Amount:
    """A number with its unit: `prefix` as in $5, `suffix` as in 5 km and 5%."""

    number: Decimal
    prefix: str = ""
    suffix: str = ""
    grouped: bool = False

    def __str__(self) -> str:
        number = f"{self.number:,}" if self.grouped else f"{self.number}"
        return f"{self.prefix}{number}{self.suffix}"

    def of(self, number: Decimal) -> "Amount":
        """Another number in the same unit."""
        return replace(self, number=number)
