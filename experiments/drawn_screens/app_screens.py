"""Draws dialogs, settings panes, chat windows and dashboards."""

from random import Random

from experiments.drawn_screens.drawing_pen import SANS, Pen, Screen
from experiments.drawn_screens.screen_words import CITIES, MONTHS, Writer

# Paper, surface, ink, faint ink, accent.
_PALETTES = (
    ("#f3f4f6", "#ffffff", "#111827", "#6b7280", "#2563eb"),
    ("#ffffff", "#f5f5f4", "#1c1917", "#57534e", "#0f766e"),
    ("#17181c", "#23252b", "#e5e7eb", "#9ca3af", "#3b82f6"),
    ("#eef2f7", "#ffffff", "#14213d", "#64748b", "#b91c1c"),
)


def dialog(rng: Random, name: str) -> Screen:
    """Draw a dialog over a page that is darkened."""
    paper, surface, ink, faint, accent = rng.choice(_PALETTES)
    writer, face = Writer(rng), rng.choice(SANS)
    pen = Pen(*rng.choice(((760, 480), (900, 560), (1024, 640))), paper, rng.choice((1, 1.5, 2)))
    left, right = pen.width / 2 - 250, pen.width / 2 + 250
    top, bottom = 70, 410
    pen.box(0, 0, pen.width, pen.height, "#5b6068" if paper != "#17181c" else "#0b0c0e")
    pen.box(left, top, right, bottom, surface, outline=faint, radius=8)
    pen.block()
    pen.text(left + 24, top + 20, writer.title(3), ink, name=face, size=20, bold=True, right=right)
    y = pen.wrapped(
        left + 24, top + 60, writer.paragraph(2), ink, name=face, size=15, right=right - 24
    )
    if rng.random() < 0.5:
        for _ in range(2):
            pen.box(left + 24, y + 10, left + 40, y + 26, None, outline=faint, radius=2)
            pen.text(left + 50, y + 8, writer.label(5), ink, name=face, size=15, right=right - 20)
            y += 28
    else:
        pen.text(left + 24, y + 6, writer.label(3) + ":", faint, name=face, size=13)
        pen.box(left + 24, y + 26, right - 24, y + 58, None, outline=faint, radius=4)
        pen.text(left + 34, y + 33, writer.email(), ink, name=face, size=15)
    pen.block()
    pen.box(right - 250, bottom - 56, right - 140, bottom - 20, None, outline=faint, radius=5)
    pen.text(right - 222, bottom - 47, "Cancel", ink, name=face, size=15)
    pen.box(right - 126, bottom - 56, right - 24, bottom - 20, accent, radius=5)
    pen.text(
        right - 104,
        bottom - 47,
        writer.verb().capitalize(),
        "#ffffff",
        name=face,
        size=15,
        new_line=False,
    )
    return pen.screen(name, "dialog")


def settings_pane(rng: Random, name: str) -> Screen:
    """Draw settings: sections at the left, labels with switches and values at the right."""
    paper, surface, ink, faint, accent = rng.choice(_PALETTES)
    writer, face = Writer(rng), rng.choice(SANS)
    pen = Pen(*rng.choice(((1000, 680), (1180, 760), (1280, 800))), paper, rng.choice((1, 1, 1.5)))
    pen.box(0, 0, 230, pen.height, surface)
    pen.block()
    pen.text(20, 22, "Settings", ink, name=face, size=20, bold=True)
    for place in range(rng.randint(7, 11)):
        pen.text(
            24,
            66 + 34 * place,
            writer.title(rng.randint(1, 2)),
            ink,
            name=face,
            size=14.5,
            right=222,
        )
    y = 24.0
    pen.block()
    pen.text(262, y, writer.title(2), ink, name=face, size=22, bold=True)
    y += 46
    while y + 70 < pen.height:
        pen.block()
        pen.text(
            262, y, writer.label(3), ink, name=face, size=15.5, bold=True, right=pen.width - 260
        )
        # The value stands at the end of the label's row.
        if rng.random() < 0.5:
            pen.box(
                pen.width - 90, y, pen.width - 50, y + 22, rng.choice((accent, faint)), radius=11
            )
        else:
            value = rng.choice((writer.amount(), writer.title(1), writer.date(), "Enabled"))
            pen.box(
                pen.width - 190, y - 4, pen.width - 40, y + 26, surface, outline=faint, radius=4
            )
            pen.text(pen.width - 178, y + 1, value, ink, name=face, size=14.5, new_line=False)
        pen.wrapped(
            262, y + 25, writer.sentence(), faint, name=face, size=13, right=pen.width - 250
        )
        y += 84
    return pen.screen(name, "settings")


def chat_window(rng: Random, name: str) -> Screen:
    """Draw conversations at the left and messages in bubbles."""
    paper, surface, ink, faint, accent = rng.choice(_PALETTES)
    writer, face = Writer(rng), rng.choice(SANS)
    pen = Pen(*rng.choice(((1000, 700), (1200, 760))), paper, rng.choice((1, 1, 1.5, 2)))
    pen.box(0, 0, 250, pen.height, surface)
    for place in range(rng.randint(6, 8)):
        y = 20.0 + 66 * place
        pen.block()
        pen.box(14, y, 50, y + 36, accent, radius=18)
        pen.text(62, y, writer.person(), ink, name=face, size=14.5, bold=True, right=190)
        pen.text(200, y + 1, writer.time(), faint, name=face, size=12, right=246, new_line=False)
        pen.text(62, y + 20, writer.sentence(), faint, name=face, size=13, right=240)
    y = 18.0
    while y < pen.height - 150:
        mine = rng.random() < 0.45
        left = pen.width - 430 if mine else 280
        pen.block()
        who = "You" if mine else writer.person()
        end = pen.text(left, y, who, faint, name=face, size=12.5)
        pen.text(end + 10, y, writer.time(), faint, name=face, size=12.5, new_line=False)
        text = writer.paragraph(rng.choice((1, 1, 2)))
        lines = pen.span(text, face, 15) / 350 + 1.6
        pen.box(
            left - 4, y + 18, left + 400, y + 26 + 22 * lines, accent if mine else surface, radius=8
        )
        y = pen.wrapped(
            left + 10,
            y + 26,
            text,
            "#ffffff" if mine else ink,
            name=face,
            size=15,
            right=left + 385,
        )
        y += 34
    return pen.screen(name, "chat")


def dashboard(rng: Random, name: str) -> Screen:
    """Draw cards with figures, a chart of bars and a list."""
    paper, surface, ink, faint, accent = rng.choice(_PALETTES)
    writer, face = Writer(rng), rng.choice(SANS)
    pen = Pen(*rng.choice(((1180, 720), (1280, 760), (1366, 768))), paper, rng.choice((1, 1, 1.5)))
    pen.block()
    pen.text(24, 16, writer.title(2), ink, name=face, size=22, bold=True)
    pen.text(
        pen.width - 230, 22, f"Updated {writer.date()} {writer.time()}", faint, name=face, size=13
    )
    width = (pen.width - 48 - 3 * 16) / 4
    for place in range(4):
        left = 24 + place * (width + 16)
        pen.box(left, 62, left + width, 160, surface, radius=6)
        pen.block()
        pen.text(
            left + 16, 74, writer.title(2), faint, name=face, size=13.5, right=left + width - 8
        )
        pen.text(left + 16, 96, writer.amount(), ink, name=face, size=26, bold=True)
        percent = f"{rng.choice('+-')}{rng.randint(1, 30)}.{rng.randint(0, 9)}%"
        change = f"{percent} since {rng.choice(MONTHS)}"
        pen.text(left + 16, 134, change, accent, name=face, size=13, right=left + width - 8)
    _bars(pen, writer, face, (surface, ink, faint, accent))
    _ranking(pen, writer, face, (surface, ink, faint, accent))
    return pen.screen(name, "dashboard")


def _bars(pen: Pen, writer: Writer, face: str, colors: tuple[str, str, str, str]) -> None:
    surface, ink, faint, accent = colors
    right, bottom = pen.width * 0.62, pen.height - 24
    pen.box(24, 178, right, bottom, surface, radius=6)
    pen.block()
    pen.text(40, 192, writer.title(3), ink, name=face, size=16, bold=True)
    pen.block()
    floor, roof = bottom - 44, 240
    step = writer.rng.choice((10, 25, 50, 200))
    for tick in range(5):
        y = floor - (floor - roof) * tick / 4
        pen.line(80, y, right - 16, y, faint)
        pen.text(42, y - 8, str(step * tick), faint, name=face, size=12.5)
    months = writer.rng.randint(6, 9)
    across = (right - 110) / months
    pen.block()
    for place in range(months):
        left = 90 + place * across
        height = (floor - roof) * writer.rng.uniform(0.1, 0.95)
        pen.box(left, floor - height, left + 0.6 * across, floor, accent)
        pen.text(
            left + 4, floor + 10, MONTHS[place], ink, name=face, size=12.5, new_line=place == 0
        )


def _ranking(pen: Pen, writer: Writer, face: str, colors: tuple[str, str, str, str]) -> None:
    surface, ink, faint, _ = colors
    left, right = pen.width * 0.62 + 16, pen.width - 24
    pen.box(left, 178, right, pen.height - 24, surface, radius=6)
    pen.block()
    pen.text(left + 16, 192, writer.title(2), ink, name=face, size=16, bold=True)
    y = 232.0
    for city in writer.rng.sample(CITIES, 9):
        pen.text(left + 16, y, city, ink, name=face, size=14)
        amount = f"{writer.rng.randint(100, 9999)}"
        pen.text(right - 90, y, amount, ink, name=face, size=14, new_line=False)
        pen.line(left + 16, y + 24, right - 16, y + 24, faint)
        y += 38
        if y > pen.height - 60:
            break
