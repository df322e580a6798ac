"""The drawings on which the embedded captioner is developed; none of them is held out."""

from collections.abc import Iterator

from experiments.embedded_accuracy.development.bills import bills
from experiments.embedded_accuracy.development.figures import figures
from experiments.embedded_accuracy.development.paper import tables
from experiments.embedded_accuracy.development.plots import plots
from experiments.embedded_accuracy.development.texts import texts
from experiments.embedded_accuracy.items import Drawing


def drawings() -> Iterator[Drawing]:
    for family in (plots, tables, bills, figures, texts):
        yield from family()
