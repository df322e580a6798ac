"""The drawings on which the embedded captioner is developed; none of them is held out."""

from collections.abc import Iterator

from evaluation.development.bills import bills
from evaluation.development.figures import figures
from evaluation.development.paper import tables
from evaluation.development.plots import plots
from evaluation.development.texts import texts
from evaluation.items import Drawing


def drawings() -> Iterator[Drawing]:
    for family in (plots, tables, bills, figures, texts):
        yield from family()
