"""Receipts, invoices and price lists: a label and its price in each line."""

import re
from collections.abc import Sequence

from racro.embedded.composer.layout import Picture
from racro.embedded.composer.tables import grid_in, has_head, told_rows
from racro.embedded.composer.words import Word, joined, rows

_FEWEST, _SHARE = 2, 0.4
_PRICE = re.compile(
    r"(?P<label>.*?)[\s.…·_]*(?<![\d,.])"
    r"(?P<price>[-−]?\s?(?:[$€£¥₹]\s?\d[\d,]*(?:[.,]\d{1,2})?|\d[\d,]*[.,]\d{2})"
    r"(?:\s?(?:[$€£¥₹]|EUR|USD|GBP))?)"
)
_SUM = re.compile(
    r"(sub|grand)?\s?-?total\b|sum\b|amount due|balance|tax\b|vat\b|cash\b|change\b|tip\b|to pay",
    re.IGNORECASE,
)
_LEADERS = re.compile(r"[\s.…·_]{3,}$|[.…·_]+$")


def receipt(picture: Picture) -> list[str] | None:
    in_rows = rows(picture.words)
    texts = [" ".join(word.text for word in row) for row in in_rows]
    priced = [_priced(text) for text in texts]
    found = [line for line in priced if line]
    if len(found) < max(_FEWEST, _SHARE * len(in_rows)) or not _is_aligned(in_rows, picture.unit):
        return None
    has_sum = any(_SUM.match(label) for label, _ in found)
    if columns := _in_columns(picture, has_sum=has_sum):
        return columns
    if not has_sum and _has_head(in_rows, priced):
        return None
    opening = "Receipt." if has_sum else "Price list."
    return [opening, *(_told(line, text) for line, text in zip(priced, texts, strict=True))]


def _told(line: tuple[str, str] | None, text: str) -> str:
    return f"{line[0]}: {line[1]}" if line else text


def _priced(text: str) -> tuple[str, str] | None:
    found = _PRICE.fullmatch(text)
    label = _LEADERS.sub("", found["label"]).strip(" :") if found else ""
    return (label, found["price"]) if found and any(c.isalpha() for c in label) else None


def _is_aligned(in_rows: Sequence[Sequence[Word]], unit: float) -> bool:
    """Whether most prices end (or begin) at the same place."""
    prices = [row[-1] for row in in_rows if _priced(" ".join(word.text for word in row))]
    for edges in ([word.right for word in prices], [word.left for word in prices]):
        middle = sorted(edges)[len(edges) // 2]
        if sum(abs(edge - middle) < unit for edge in edges) > len(edges) / 2:
            return True
    return False


def _has_head(in_rows: Sequence[Sequence[Word]], priced: Sequence[tuple[str, str] | None]) -> bool:
    """Whether a word that is no price stands at the head of the prices."""
    first = next(at for at, line in enumerate(priced) if line)
    if first == 0 or len(in_rows[first - 1]) < _FEWEST:
        return False
    head, price = in_rows[first - 1][-1], in_rows[first][-1]
    return head.right > price.left and head.left < price.right


def _in_columns(picture: Picture, *, has_sum: bool) -> list[str] | None:
    """An invoice whose lines have more than a price: told as a table is."""
    grid = grid_in(picture)
    if not has_sum or grid is None:
        return None
    texts = grid.texts()
    items = [row for row in texts if not any(_SUM.match(cell) for cell in row[:-1])]
    if not items or len(items[0]) <= _FEWEST or not has_head(items):
        return None
    sums = [row for row in texts if row not in items]
    told = [f"{' '.join(filter(None, row[:-1]))}: {row[-1]}" for row in sums]
    before = [joined(row) for row in grid.before]
    after = [joined(row) for row in grid.after]
    return ["Receipt.", *before, *told_rows(items, has_head=True), *told, *after]
