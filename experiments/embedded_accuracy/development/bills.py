"""Receipts, invoices and menus."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from experiments.embedded_accuracy.development.asks import some, yes_or_no
from experiments.embedded_accuracy.development.paper import (
    CREAM,
    NIGHT,
    WHITE,
    Sheet,
    drawn,
    seeded,
)
from experiments.embedded_accuracy.items import NOT_TOLD, Drawing, Pair, Question

GROCERIES = ("Bread", "Milk", "Butter", "Eggs", "Tomatoes", "Cheese", "Apples", "Orange juice")
HARDWARE = ("Hammer", "Paint brush", "Screws 40 mm", "Light bulb", "Duct tape", "Work gloves")
CAFE = ("Espresso", "Cappuccino", "Green tea", "Cheesecake", "Croissant", "Iced coffee")
STARTERS = ("Tomato soup", "Garlic bread", "Green salad")
MAINS = ("Grilled salmon", "Mushroom risotto", "Roast chicken", "Beef burger")
DESSERTS = ("Apple pie", "Ice cream", "Chocolate cake")
SERVICES = ("Web design", "Logo redesign", "Hosting (1 year)", "Training day")


@dataclass(frozen=True)
class Item:
    name: str
    cents: int
    quantity: int = 1

    @property
    def line(self) -> int:
        return self.cents * self.quantity


@dataclass(frozen=True)
class Bill:
    """`counted` says how quantities are printed, if at all; `tax` is in percent."""

    header: tuple[str, ...]
    items: tuple[Item, ...]
    currency: str = ""
    tax: int = 0
    counted: str = ""
    total: str = "TOTAL"
    footer: str = ""

    def money(self, cents: int) -> str:
        return f"{self.currency}{cents / 100:,.2f}"

    def label(self, item: Item) -> str:
        return f"{item.quantity} x {item.name}" if self.counted == "joined" else item.name

    @property
    def subtotal(self) -> int:
        return sum(item.line for item in self.items)

    @property
    def sums(self) -> tuple[tuple[str, int], ...]:
        if not self.tax:
            return ((self.total, self.subtotal),)
        tax = round(self.subtotal * self.tax / 100)
        before = (("Subtotal", self.subtotal), (f"Tax {self.tax}%", tax))
        return (*before, (self.total, self.subtotal + tax))

    @property
    def lines(self) -> tuple[tuple[str, int], ...]:
        return (*((self.label(item), item.line) for item in self.items), *self.sums)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple(Pair((label,), self.money(cents)) for label, cents in self.lines)


def some_items(
    rng: Random, names: Sequence[str], count: int, high: int, *, counted: bool
) -> tuple[Item, ...]:
    """No two line prices are equal."""
    while True:
        chosen = rng.sample(names, count)
        items = tuple(
            Item(name, 5 * rng.randint(12, high), rng.randint(1, 4) if counted else 1)
            for name in chosen
        )
        if len({item.line for item in items}) == count:
            return items


def bill_questions(rng: Random, bill: Bill) -> tuple[Question, ...]:
    dear = max(bill.items, key=lambda item: item.line)
    first, second = rng.sample(bill.items, 2)
    more, less = max(first.line, second.line), min(first.line, second.line)
    asked = rng.choice(bill.items)
    questions = [
        Question(f"How much was paid for {asked.name}?", "lookup", bill.money(asked.line)),
        Question("What is the total?", "lookup", bill.money(bill.sums[-1][1])),
        Question("Which item has the highest price on its line?", "comparison", dear.name),
        Question(
            f"Did {first.name} cost more than {second.name}?",
            "yes_no",
            yes_or_no(first.line > second.line),
        ),
        Question(
            f"What is the difference between {first.name} and {second.name}?",
            "arithmetic",
            bill.money(more - less),
        ),
        Question("How many different items were bought?", "counting", str(len(bill.items))),
        Question("Who was the cashier?", "unanswerable", NOT_TOLD),
        Question("How much was paid for Lobster?", "unanswerable", NOT_TOLD),
    ]
    return some(rng, questions, 3)


def receipt(bill: Bill, width: int, size: float, *, builtin: bool = False) -> Sheet:
    step = int(size * 1.9)
    count = len(bill.header) + len(bill.lines) + bool(bill.footer) + 2
    sheet = Sheet(width, step * count + 80, size=size, builtin=builtin)
    y = 50.0
    for at, line in enumerate(bill.header):
        title = at == 0
        lettering = size * 1.3 if title else size * 0.9
        sheet.write((width / 2, y), line, anchor="mm", size=lettering, bold=title)
        y += step
    sheet.line((40, y), (width - 40, y))
    y += step
    for item in bill.items:
        left = 40.0
        if bill.counted == "column":
            sheet.write((left, y), str(item.quantity))
            left += 56
        priced(sheet, (left, width - 40), y, bill.label(item), bill.money(item.line))
        y += step
    sheet.line((40, y), (width - 40, y))
    y += step
    for at, (label, cents) in enumerate(bill.sums, 1):
        last = at == len(bill.sums)
        priced(sheet, (40, width - 40), y, label, bill.money(cents), bold=last)
        y += step
    if bill.footer:
        sheet.write((width / 2, y), bill.footer, anchor="mm", size=size * 0.9)
    return sheet


def priced(
    sheet: Sheet,
    edges: tuple[float, float],
    y: float,
    label: str,
    price: str,
    *,
    bold: bool = False,
    dotted: bool = False,
) -> None:
    left, right = edges
    sheet.write((left, y), label, bold=bold)
    sheet.write((right, y), price, anchor="rm", bold=bold)
    if dotted:
        start = left + sheet.length(label) + 8
        end = right - sheet.length(price) - 8
        dots = "." * int((end - start) / sheet.length("."))
        sheet.write((end, y), dots, anchor="rm")


def receipts() -> Iterator[Drawing]:
    for name, header, names, count, currency, tax, counted, size in (
        ("corner", ("CORNER SHOP", "12 March 2024"), GROCERIES, 4, "", 0, "", 24),
        (
            "market",
            ("FRESH MARKET", "14 Station Road, Leeds", "Date: 03/05/2024 17:42"),
            GROCERIES,
            6,
            "",
            8,
            "",
            20,
        ),
        (
            "hardware",
            ("Tool House", "8 Mill Lane", "Tel. 555 0134"),
            HARDWARE,
            5,
            "$",
            10,
            "column",
            20,
        ),
        ("cafe", ("Blue Bird Café", "Table 7"), CAFE, 4, "$", 0, "joined", 22),
        ("euro", ("CAFÉ CENTRAL", "21.06.2024"), CAFE, 5, "€", 0, "", 22),
        ("pound", ("Green Grocer", "Receipt no. 4417"), GROCERIES, 7, "£", 5, "column", 18),
    ):
        rng = seeded(f"receipt-{name}")
        items = some_items(rng, names, count, 180, counted=bool(counted))
        total = rng.choice(("TOTAL", "Total", "Amount due"))
        footer = rng.choice(("Thank you!", "Please come again", ""))
        bill = Bill(header, items, currency, tax, counted, total, footer)
        sheet = receipt(bill, 520, size, builtin=name == "market")
        questions = bill_questions(rng, bill)
        yield drawn(f"receipt-{name}", "receipt", sheet.image, bill.pairs, questions)


def invoice(bill: Bill) -> Sheet:
    step = 46
    sheet = Sheet(880, 300 + step * (len(bill.lines) + 1), size=20)
    sheet.write((50, 60), "INVOICE", size=34, bold=True)
    for at, line in enumerate(bill.header):
        sheet.write((50, 112 + 30 * at), line, size=18)
    y = 130 + 30 * len(bill.header)
    sheet.draw.rectangle((40, y - 23, 840, y + 23), fill=NIGHT)
    rights = (500, 680, 826)
    sheet.write((54, y), "Description", bold=True, ink=WHITE)
    for right, head in zip(rights, ("Qty", "Unit price", "Amount"), strict=True):
        sheet.write((right, y), head, anchor="rm", bold=True, ink=WHITE)
    for item in bill.items:
        y += step
        cells = (str(item.quantity), bill.money(item.cents), bill.money(item.line))
        sheet.write((54, y), item.name)
        for right, cell in zip(rights, cells, strict=True):
            sheet.write((right, y), cell, anchor="rm")
    sheet.line((40, y + 23), (840, y + 23))
    for at, (label, cents) in enumerate(bill.sums, 1):
        y += step
        priced(sheet, (540, 826), y, label, bill.money(cents), bold=at == len(bill.sums))
    return sheet


def invoices() -> Iterator[Drawing]:
    for name, header, names, count, currency, tax, high in (
        (
            "design",
            ("Bright Studio Ltd", "Invoice no. 2024-118", "Date: 4 June 2024"),
            SERVICES,
            3,
            "$",
            20,
            9000,
        ),
        ("tools", ("Tool House", "Invoice no. 77"), HARDWARE, 5, "", 8, 400),
        ("plain", ("Office Plus", "Due date: 30 April 2025"), SERVICES, 4, "€", 0, 6000),
    ):
        rng = seeded(f"invoice-{name}")
        items = some_items(rng, names, count, high, counted=True)
        bill = Bill(header, items, currency, tax, total="Total")
        questions = bill_questions(rng, bill)
        yield drawn(f"invoice-{name}", "receipt", invoice(bill).image, bill.pairs, questions)


Section = tuple[str, tuple[Item, ...]]


def menu(title: str, sections: Sequence[Section], bill: Bill, style: str) -> Sheet:
    count = sum(len(items) + 1 for _, items in sections)
    dark = style == "dark"
    ink = "#ffd34d" if dark else "#111111"
    paper = NIGHT if dark else CREAM
    sheet = Sheet(640, 150 + 46 * count, paper=paper, ink=ink, size=21, builtin=style == "builtin")
    sheet.write((320, 60), title, anchor="mm", size=34, bold=True)
    y = 130
    for heading, items in sections:
        if heading:
            sheet.write((320, y), heading, anchor="mm", size=24, bold=True)
            y += 46
        for item in items:
            price = bill.money(item.line)
            priced(sheet, (60, 580), y, item.name, price, dotted=style != "dark")
            y += 46
    return sheet


def menu_questions(rng: Random, bill: Bill) -> tuple[Question, ...]:
    dear = max(bill.items, key=lambda item: item.line)
    cheap = min(bill.items, key=lambda item: item.line)
    first, second = rng.sample(bill.items, 2)
    questions = [
        Question(f"How much is the {first.name}?", "lookup", bill.money(first.line)),
        Question("What is the most expensive item?", "comparison", dear.name),
        Question("What is the cheapest item?", "comparison", cheap.name),
        Question(
            f"What do {first.name} and {second.name} cost together?",
            "arithmetic",
            bill.money(first.line + second.line),
        ),
        Question(
            f"Is {first.name} cheaper than {second.name}?",
            "yes_no",
            yes_or_no(first.line < second.line),
        ),
        Question("How much is the Lobster?", "unanswerable", NOT_TOLD),
    ]
    return some(rng, questions, 3)


def menus() -> Iterator[Drawing]:
    for name, title, currency, style, parts in (
        ("dinner", "Dinner Menu", "", "plain", (("Starters", STARTERS), ("Mains", MAINS))),
        ("cafe", "Blue Bird Café", "$", "dark", (("", CAFE),)),
        ("desserts", "Desserts", "€", "plain", (("", DESSERTS),)),
        ("lunch", "LUNCH", "$", "builtin", (("Mains", MAINS[:3]), ("Desserts", DESSERTS))),
    ):
        rng = seeded(f"menu-{name}")
        names = [item for _, part in parts for item in part]
        priced_items = some_items(rng, names, len(names), 500, counted=False)
        by_name = {item.name: item for item in priced_items}
        sections = [(head, tuple(by_name[item] for item in part)) for head, part in parts]
        bill = Bill((title,), priced_items, currency)
        pairs = tuple(
            Pair((item.name,), bill.money(item.line)) for _, part in sections for item in part
        )
        sheet = menu(title, sections, bill, style)
        yield drawn(f"menu-{name}", "receipt", sheet.image, pairs, menu_questions(rng, bill))


def bills() -> Iterator[Drawing]:
    for family in (receipts, invoices, menus):
        yield from family()
