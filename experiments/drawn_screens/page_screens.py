"""Draws web pages, tables and pages of documents."""

from random import Random

from experiments.drawn_screens.drawing_pen import SANS, SERIF, Pen, Screen
from experiments.drawn_screens.screen_words import CITIES, Writer

_INKS = ("#111111", "#1f2937", "#222222")


def web_page(rng: Random, name: str) -> Screen:
    """Draw a site's head, an article and a column beside it."""
    writer, face, ink = Writer(rng), rng.choice((*SANS, *SERIF)), rng.choice(_INKS)
    head = rng.choice(SANS)
    pen = Pen(
        *rng.choice(((1200, 760), (1280, 800), (1366, 768))), "#ffffff", rng.choice((1, 1, 1.5))
    )
    bar = rng.choice(("#0b3d62", "#26262b", "#f2f2f2", "#7a1f2b"))
    light = "#ffffff" if bar != "#f2f2f2" else ink
    pen.box(0, 0, pen.width, 56, bar)
    pen.block()
    x = pen.text(32, 14, writer.camel(), light, name=head, size=21, bold=True) + 40
    pen.block()
    for place in range(rng.randint(3, 5)):
        x = pen.text(x, 19, writer.title(1), light, name=head, size=15, new_line=place == 0) + 28
    _article(pen, writer, face, ink)
    _beside(pen, writer, face, ink)
    return pen.screen(name, "web page")


def _article(pen: Pen, writer: Writer, face: str, ink: str) -> None:
    right = pen.width * 0.66
    pen.block()
    y = pen.wrapped(
        32, 80, writer.title(5), ink, name=face, size=28, right=right, bold=True, leading=1.2
    )
    byline = f"By {writer.person()}, {writer.date()}"
    pen.text(32, y + 4, byline, "#6b7280", name=face, size=13.5)
    y += 34
    while y < pen.height - 110:
        y = pen.wrapped(32, y, writer.paragraph(3), ink, name=face, size=16, right=right) + 12
        if writer.rng.random() < 0.3 and y < pen.height - 130:
            pen.text(32, y, writer.title(3), ink, name=face, size=20, bold=True)
            y += 36


def _beside(pen: Pen, writer: Writer, face: str, ink: str) -> None:
    left = pen.width * 0.71
    pen.box(left - 14, 84, pen.width - 24, pen.height - 30, "#f5f6f8", radius=6)
    pen.block()
    pen.text(left, 98, writer.title(2), ink, name=face, size=17, bold=True)
    y = 134.0
    while y < pen.height - 130:
        y = pen.wrapped(
            left, y, writer.label(5), "#1d4ed8", name=face, size=14.5, right=pen.width - 36
        )
        pen.text(left, y, writer.date(), "#6b7280", name=face, size=12.5)
        y += 32


def table(rng: Random, name: str) -> Screen:
    """Draw a table of an application, a heading above it."""
    writer, face, ink = Writer(rng), rng.choice(SANS), rng.choice(_INKS)
    pen = Pen(
        *rng.choice(((1000, 600), (1160, 680), (1280, 720))), "#ffffff", rng.choice((1, 1, 1.5, 2))
    )
    pen.block()
    pen.text(28, 20, writer.title(2), ink, name=face, size=21, bold=True)
    columns = rng.sample(
        [
            ("Name", writer.person),
            ("City", lambda: rng.choice(CITIES)),
            ("Updated", writer.date),
            ("Status", lambda: rng.choice(("Active", "Pending", "Closed", "Failed"))),
            ("Total", writer.amount),
            ("Owner", writer.email),
            ("Version", writer.version),
            ("File", writer.file),
            ("Count", lambda: str(rng.randint(1, 9999))),
        ],
        rng.randint(4, 6),
    )
    width = (pen.width - 56) / len(columns)
    pen.box(28, 62, pen.width - 28, 96, "#eef1f5")
    pen.block()
    y = 71.0
    bold = True
    while y < pen.height - 40:
        row = [head for head, _ in columns] if bold else [make() for _, make in columns]
        for place, cell in enumerate(row):
            left = 40 + place * width
            pen.text(
                left,
                y,
                cell,
                ink,
                name=face,
                size=14,
                bold=bold,
                right=left + width - 12,
                new_line=place == 0,
            )
        bold = False
        pen.line(28, y + 25, pen.width - 28, y + 25, "#d1d5db")
        y += 34
    return pen.screen(name, "table")


def document(rng: Random, name: str) -> Screen:
    """Draw a page of a document, in one or two columns."""
    writer, face, ink = Writer(rng), rng.choice(SERIF), "#111111"
    pen = Pen(612, 792, "#ffffff", rng.choice((1.6, 2, 2.4)))
    pen.block()
    y = pen.wrapped(
        60, 52, writer.title(5), ink, name=face, size=20, right=552, bold=True, leading=1.2
    )
    pen.text(60, y + 4, f"{writer.person()}, {writer.person()}", ink, name=face, size=11)
    top = y + 34
    columns = rng.choice(((60, 552), (60, 296)))
    edges = [columns] if columns[1] == 552 else [columns, (316, 552)]
    section = 1
    for left, right in edges:
        pen.block()
        y = top
        while y < 660:
            if rng.random() < 0.5:
                heading = f"{section}. {writer.title(2)}"
                pen.text(left, y, heading, ink, name=face, size=13, bold=True, right=right)
                section += 1
                y += 22
            y = (
                pen.wrapped(
                    left, y, writer.paragraph(2), ink, name=face, size=11, right=right, leading=1.35
                )
                + 8
            )
    pen.block()
    pen.text(300, 760, str(rng.randint(1, 300)), ink, name=face, size=10)
    return pen.screen(name, "document")
