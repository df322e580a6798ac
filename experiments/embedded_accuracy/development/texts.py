"""Notes, signs, multiple-choice sheets, and texts in columns."""

from collections.abc import Iterator, Sequence

from experiments.embedded_accuracy.development.paper import BLUE, CREAM, NIGHT, WHITE, Sheet, drawn
from experiments.embedded_accuracy.items import NOT_TOLD, Drawing, Pair, Question

AMBER = "#ffd34d"


def sheet_of(
    lines: Sequence[str],
    *,
    title: str = "",
    width: int = 640,
    size: float = 22,
    paper: str = WHITE,
    ink: str = "#111111",
    centered: bool = False,
    builtin: bool = False,
) -> Sheet:
    step = int(size * 1.8)
    top = 120 if title else 50
    height = top + step * len(lines) + 20
    sheet = Sheet(width, height, paper=paper, ink=ink, size=size, builtin=builtin)
    if title:
        sheet.write((width / 2, 60), title, anchor="mm", size=size * 1.5, bold=True)
    for at, line in enumerate(lines):
        x, anchor = (width / 2, "mm") if centered else (50, "lm")
        sheet.write((x, top + step * at), line, anchor=anchor)
    return sheet


def text(name: str, sheet: Sheet, pairs: Sequence[Pair], *questions: Question) -> Drawing:
    return drawn(f"text-{name}", "text", sheet.image, tuple(pairs), questions)


def lookup(asked: str, expected: str) -> Question:
    return Question(asked, "lookup", expected)


def unanswerable(asked: str) -> Question:
    return Question(asked, "unanswerable", NOT_TOLD)


def yes_no(asked: str, expected: str) -> Question:
    return Question(asked, "yes_no", expected)


def note() -> Drawing:
    lines = (
        "Dear Emma,",
        "the train to Vienna leaves at 9:40",
        "from platform 7. Please bring two",
        "tickets and the blue suitcase.",
        "Yours, Oliver",
    )
    return text(
        "note",
        sheet_of(lines, paper=CREAM),
        (),
        lookup("At what time does the train leave?", "9:40"),
        lookup("What colour is the suitcase?", "blue"),
        unanswerable("How much does a ticket cost?"),
    )


def shopping() -> Drawing:
    items = ("Milk", "Eggs", "Bananas", "Bread", "Cheese", "Soap")
    return text(
        "shopping",
        sheet_of([f"• {item}" for item in items], title="Shopping list", width=480),
        (),
        Question("How many items are on the list?", "counting", str(len(items))),
        yes_no("Is Butter on the list?", "no"),
        unanswerable("What is the price of the milk?"),
    )


def opening_hours(*, dark: bool) -> Drawing:
    hours = {
        "Monday": "9:00 - 17:00",
        "Tuesday": "9:00 - 18:00",
        "Thursday": "10:00 - 20:00",
        "Saturday": "8:30 - 13:00",
        "Sunday": "Closed",
    }
    paper, ink = (NIGHT, AMBER) if dark else (WHITE, "#111111")
    sheet = Sheet(600, 150 + 48 * len(hours), paper=paper, ink=ink, size=24, builtin=not dark)
    sheet.write((300, 60), "Opening hours", anchor="mm", size=34, bold=True)
    for at, (day, when) in enumerate(hours.items()):
        sheet.write((70, 130 + 48 * at), day)
        sheet.write((530 if dark else 290, 130 + 48 * at), when, anchor="rm" if dark else "lm")
    return text(
        "hours-dark" if dark else "hours",
        sheet,
        [Pair((day,), when) for day, when in hours.items()],
        lookup("When does the shop open on Thursday?", "10:00"),
        yes_no("Is the shop open on Sunday?", "no"),
        unanswerable("What are the opening hours on Wednesday?"),
    )


def parking_sign() -> Drawing:
    lines = ("Monday to Friday", "8 am - 6 pm", "Maximum stay 2 hours")
    return text(
        "sign-parking",
        sheet_of(lines, title="PARKING", centered=True, paper=BLUE, ink=WHITE, size=28),
        (),
        lookup("How long may one stay at most?", "2 hours"),
        unanswerable("How much does parking cost?"),
    )


def warning_sign() -> Drawing:
    lines = ("Wet floor", "Please use the side entrance")
    return text(
        "sign-warning",
        sheet_of(lines, title="CAUTION", centered=True, paper=AMBER, size=30),
        (),
        lookup("Which entrance should be used?", "side entrance"),
        yes_no("Is the floor wet?", "yes"),
    )


def poster() -> Drawing:
    facts = {"Date": "14 September", "Time": "7:30 pm", "Place": "Town Hall", "Tickets": "$12"}
    return text(
        "poster",
        sheet_of([f"{key}: {value}" for key, value in facts.items()], title="Summer Concert"),
        [Pair((key,), value) for key, value in facts.items()],
        lookup("Where is the concert?", "Town Hall"),
        Question("How much do 3 tickets cost?", "arithmetic", "$36"),
        unanswerable("Who is playing?"),
    )


def contact() -> Drawing:
    facts = {"Name": "Clara Novak", "Phone": "555 0172", "City": "Lisbon", "Age": "34"}
    sheet = Sheet(640, 330, size=22)
    sheet.write((320, 60), "Member card", anchor="mm", size=32, bold=True)
    for at, (key, value) in enumerate(facts.items()):
        sheet.write((80, 130 + 46 * at), f"{key}:", bold=True)
        sheet.write((240, 130 + 46 * at), value)
    return text(
        "card",
        sheet,
        [Pair((key,), value) for key, value in facts.items()],
        lookup("What is the phone number?", "555 0172"),
        lookup("In which city does Clara live?", "Lisbon"),
        unanswerable("What is the street?"),
    )


def choice(
    name: str, asked: Sequence[str], options: Sequence[str], right: str, *, across: bool = False
) -> Drawing:
    letters = "ABCD"[: len(options)]
    marked = [f"{letter}) {option}" for letter, option in zip(letters, options, strict=True)]
    if across:
        sheet = sheet_of([*asked, "", ""], width=760, builtin=True)
        for at, option in enumerate(marked):
            y = sheet.height - 50
            sheet.write((60 + 175 * at, y), option)
    else:
        sheet = sheet_of([*asked, "", *marked], width=700)
    answer = letters[list(options).index(right)]
    return text(
        f"choice-{name}",
        sheet,
        (),
        Question("Which option is correct?", "choice", answer),
        Question("How many options are there?", "counting", str(len(options))),
    )


def choices() -> Iterator[Drawing]:
    cities = ("Lyon", "Paris", "Nice", "Lille")
    yield choice("capital", ("1. What is the capital of France?",), cities, "Paris")
    count = 4 * 6 + 3
    numbers = [str(count + off) for off in (-3, 2, 0, 10)]
    yield choice("sum", ("What is 4 x 6 + 3?",), numbers, str(count), across=True)
    asked = ("Question 5", "Tom has 12 apples and gives 5 away.", "How many are left?")
    yield choice("word-problem", asked, ("5", "7", "17"), str(12 - 5))


def columns(name: str, heads: tuple[str, str], left: Sequence[str], right: Sequence[str]) -> Sheet:
    sheet = Sheet(900, 110 + 40 * max(len(left), len(right)), size=20, builtin=name == "builtin")
    for x, head, lines in ((50, heads[0], left), (480, heads[1], right)):
        sheet.write((x, 50), head, size=25, bold=True)
        for at, line in enumerate(lines):
            sheet.write((x, 105 + 40 * at), line)
    return sheet


def news() -> Drawing:
    left = (
        "The new library opens on Monday.",
        "It has 12,000 books and a café.",
        "Entrance is free for children.",
        "Guided tours start at 10 am.",
    )
    right = (
        "The Falcons won 3 to 1 on Sunday.",
        "Grace Miller scored two goals.",
        "The next match is in Oslo.",
    )
    return text(
        "columns-news",
        columns("news", ("Library", "Football"), left, right),
        (),
        lookup("How many books does the library have?", "12,000"),
        lookup("Where is the next match?", "Oslo"),
        unanswerable("Who designed the library?"),
    )


def tasks() -> Drawing:
    left = ("Clean the kitchen", "Buy flowers", "Call Henry")
    right = ("Water the plants", "Pay the rent", "Book a hotel", "Send the parcel")
    longer = "Tomorrow" if len(right) > len(left) else "Today"
    return text(
        "columns-tasks",
        columns("builtin", ("Today", "Tomorrow"), left, right),
        (),
        Question("How many tasks are listed for today?", "counting", str(len(left))),
        Question("Which day has more tasks?", "comparison", longer),
        yes_no("Is Buy flowers a task for tomorrow?", "no"),
    )


def texts() -> Iterator[Drawing]:
    yield note()
    yield shopping()
    yield opening_hours(dark=False)
    yield opening_hours(dark=True)
    yield parking_sign()
    yield warning_sign()
    yield poster()
    yield contact()
    yield from choices()
    yield news()
    yield tasks()
