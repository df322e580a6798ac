"""Text notes, signs and multiple-choice sheets."""

from collections.abc import Iterator

from PIL import Image

from experiments.embedded_accuracy.heldout.asking import missing, stated
from experiments.embedded_accuracy.heldout.paper import Style, written
from experiments.embedded_accuracy.items import Drawing, Pair, Question

SIGN = Style("Roboto", 26, paper="#17456b", ink="#ffffff", accent="#ffffff")
PAPER = Style("Caladea", 25, paper="#fcf8ec")
POSTER = Style("Fredoka One", 25, paper="#fff6d8", accent="#b5532a")
EXAM = Style("Source Serif Pro", 23)


def notes() -> Iterator[Drawing]:
    yield _opening_hours()
    yield _shift_note()
    yield _barrel_quiz()
    yield _weight_quiz()
    yield _fair_poster()
    yield _road_sign()


def _note(
    number: int, picture: Image.Image, questions: tuple[Question, ...], *pairs: tuple[str, str]
) -> Drawing:
    printed = tuple(Pair((label,), value) for label, value in pairs)
    return Drawing(f"heldout-note-{number:02}", "text", picture, printed, questions)


def _opening_hours() -> Drawing:
    rooms = (("Steam Room", "7:30"), ("Salt Cave", "10:15"), ("Swimming Hall", "6:00"))
    lines = [*(f"{room}: {hour}" for room, hour in rooms), "Lockers take a one dollar coin."]
    questions = (
        stated("lookup", "From what time may guests use the Salt Cave?", "10:15"),
        stated("comparison", "Which part of the baths opens first?", "Swimming Hall"),
        missing("What do the baths charge for admission?"),
    )
    picture = written(PAPER, 620)("Bath house hours", lines)
    return _note(1, picture, questions, *rooms)


def _shift_note() -> Drawing:
    lines = [
        "Kilns 1 and 4 are lit, kiln 3 is cold.",
        "Kiln 1 holds 84 tiles and kiln 4 holds 57.",
        "The lift is out of order.",
        "Ring Abernathy before you open a door.",
    ]
    questions = (
        stated("lookup", "Who must be rung before a door is opened?", "Abernathy"),
        stated("yes_no", "Can the lift be used?", "no"),
        stated("arithmetic", "By what number of tiles does kiln 1 outdo kiln 4?", "27"),
    )
    return _note(2, written(Style("Source Sans Pro", 25), 660)("Night shift", lines), questions)


def _barrel_quiz() -> Drawing:
    lines = [
        "A wagon carries 18 barrels of tar. At the mill",
        "it takes on 7 more. What number has it now?",
        "(A) 11",
        "(B) 24",
        "(C) 25",
        "(D) 126",
    ]
    questions = (
        stated("choice", "Which letter answers the question on the sheet?", "C"),
        stated("counting", "Count the options on the sheet.", "4"),
    )
    return _note(3, written(EXAM, 700)("Question 7", lines), questions)


def _weight_quiz() -> Drawing:
    densities = (("Quartz", "2.6"), ("Gypsum", "2.3"), ("Barite", "4.5"), ("Mica", "2.8"))
    lines = [
        "    ".join(f"{mineral} {density}" for mineral, density in densities),
        "Which of these minerals is the densest?",
        "A. Gypsum",
        "B. Mica",
        "C. Quartz",
        "D. Barite",
    ]
    questions = (
        stated("choice", "Write down the letter of the correct option.", "D"),
        stated("lookup", "What density does the sheet print for gypsum?", "2.3"),
    )
    return _note(
        4, written(Style("Hanken Grotesk", 23), 720)("Mineral test", lines), questions, *densities
    )


def _fair_poster() -> Drawing:
    events = (("Lantern parade", "19:30"), ("Stilt race", "16:00"), ("Polka contest", "17:15"))
    lines = [*(f"{event} at {hour}" for event, hour in events), "Entry $4"]
    questions = (
        stated("lookup", "At what time does the polka contest start?", "17:15"),
        stated("comparison", "What comes last on the programme?", "Lantern parade"),
        missing("Where does the fair take place?"),
    )
    return _note(
        5,
        written(POSTER, 560, framed=True)("Harbour Fair", lines),
        questions,
        *events,
        ("Entry", "$4"),
    )


def _road_sign() -> Drawing:
    places = (("Sandholm", "6 km"), ("Tarn Bay", "17 km"), ("Westmoor", "26 km"))
    questions = (
        stated("lookup", "What distance is posted for Tarn Bay?", "17 km"),
        stated(
            "arithmetic",
            "By how much is the road to Westmoor longer than the one to Sandholm?",
            "20 km",
        ),
        stated("yes_no", "Is Sandholm the nearest place on the sign?", "yes"),
    )
    picture = written(SIGN, 520, framed=True)("Ring road", [f"{p}   {far}" for p, far in places])
    return _note(6, picture, questions, *places)
