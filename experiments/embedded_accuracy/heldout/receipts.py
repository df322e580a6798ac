"""Receipts, invoices and menus."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image

from experiments.embedded_accuracy.heldout import words
from experiments.embedded_accuracy.heldout.asking import Numbers, missing, numbers, spread, stated
from experiments.embedded_accuracy.heldout.paper import Line, Style, receipt
from experiments.embedded_accuracy.items import Drawing, Pair, Question

RULE: Line = ("", "")


@dataclass(frozen=True)
class Bill:
    """`total` is the word before the sum; a menu has none."""

    seed: int
    heading: tuple[str, ...]
    items: Sequence[str]
    count: int
    span: tuple[float, float, float]
    render: Callable[[Sequence[str], Sequence[Line]], Image.Image]
    asks: Callable[[Numbers], tuple[Question, ...]]
    form: str = "{:,.2f}"
    total: str = "TOTAL"


def receipts() -> Iterator[Drawing]:
    yield from (_draw_bill(f"heldout-receipt-{n:02}", b) for n, b in enumerate(BILLS, start=1))


def _draw_bill(name: str, bill: Bill) -> Drawing:
    rng = Random(bill.seed)
    items = rng.sample(list(bill.items), bill.count)
    prices = numbers(rng, items, spread(rng, bill.count, *bill.span), bill.form)
    lines = list(zip(prices.labels, prices.printed, strict=True))
    pairs = lines.copy()
    if bill.total:
        summed = (bill.total, bill.form.format(round(sum(prices.values), 2)))
        lines += [RULE, summed]
        pairs.append(summed)
    picture = bill.render(bill.heading, [RULE, *lines])
    printed = tuple(Pair((label,), value) for label, value in pairs)
    return Drawing(name, "receipt", picture, printed, bill.asks(prices))


def _sum_due(text: str) -> Callable[[Numbers], Question]:
    def ask(prices: Numbers) -> Question:
        return stated("lookup", text, prices.form.format(round(sum(prices.values), 2)))

    return ask


CREAM = Style("Caladea", 24, paper="#fbf5e6", ink="#3c2a1e")
SLATE = Style("Fredoka One", 24, paper="#26302f", ink="#f4f1e8")

BILLS = (
    Bill(6101, ("FOUNDRY HARDWARE", "Mill Lane 14", "Till 3"), words.HARDWARE, 4, (2.2, 19, 0.15),
         receipt(Style("Roboto")),
         lambda p: (
             p.lookup("What was paid for the {}?"),
             _sum_due("What did the whole purchase come to?")(p),
             p.most("Single out the dearest article on the slip."),
             missing("What change was handed back?"),
         ), form="${:,.2f}"),
    Bill(6102, ("Quayside Bakery", "Thank you for calling in"), words.PASTRIES, 5, (1.1, 6.4, 0.1),
         receipt(CREAM, 540, dotted=True),
         lambda p: (
             p.lookup("At what price is the {} listed?"),
             p.together("Work out what the {} and the {} cost together."),
             p.tally("Count the pastries on offer."),
         ), total=""),
    Bill(6103, ("INVOICE 6240", "Haldane Interiors"), words.FURNITURE, 4, (35, 480, 2.5),
         receipt(Style("Source Sans Pro", 23), 620),
         lambda p: (
             p.lookup("What was billed for the {}?"),
             p.gap("By how much does the {} exceed the {} in price?"),
             stated("lookup", "Which number is on the invoice?", "6240"),
         ), form="${:,.2f}", total="AMOUNT DUE"),
    Bill(6104, ("Harbour Kitchen", "Evening menu"), words.DISHES, 5, (5.5, 24, 0.25),
         receipt(SLATE, 600),
         lambda p: (
             p.lookup("What does one pay for the {}?"),
             p.least("Which dish of the evening costs the least money?"),
             p.outdoes("Is the {} dearer than the {}?", "no"),
             missing("What does the walnut cake cost?"),
         ), total=""),
    Bill(6105, ("Inkwell Stationers", "Receipt no. 8842"), words.STATIONERY, 5, (1.5, 28, 0.2),
         receipt(Style("Source Serif Pro", 21), 500),
         lambda p: (
             p.lookup("What was charged for the {}?"),
             p.name_of("Which of the articles got rung up at {}?"),
             p.outdoes("Did the {} cost more than the {}?", "yes"),
         ), total="TO PAY"),
    Bill(6106, ("RIDGE OUTFITTERS", "Camping hire, one week"), words.CAMPING, 4, (6, 85, 0.5),
         receipt(Style("Hanken Grotesk", 23, paper="#f3f6f1"), 560, dotted=True),
         lambda p: (
             p.lookup("What does hiring the {} cost?"),
             p.above("Count the articles charged above {}."),
             p.choice_value("The {} is hired out for"),
         ), form="${:,.2f}"),
    Bill(6107, ("Station Cafe", "Drinks"), words.CAFE, 6, (1.6, 5.2, 0.1),
         receipt(Style("Manrope", 22, paper="#fffaf3", ink="#4a2f1b"), 520, dotted=True),
         lambda p: (
             p.lookup("Tell me what the {} costs."),
             p.together("One {}, one {} and one {}: what is the bill?"),
             p.most("Which drink sets you back the most?"),
         ), total=""),
    Bill(6108, ("Needle and Bolt", "Order 3319", "Served by Okonjo"), words.SEWING, 5,
         (0.8, 14, 0.1),
         receipt(Style("Roboto", 24), 560),
         lambda p: (
             p.lookup("What did the {} set the buyer back?"),
             stated("lookup", "Who served the buyer?", "Okonjo"),
             p.gap("How much more do you pay for {} than for {}?"),
             missing("Was the order paid by card or in cash?"),
         ), total="SUM"),
)  # fmt: skip
