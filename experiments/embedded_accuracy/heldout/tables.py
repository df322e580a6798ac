"""Tables with columns of numbers and of words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image

from experiments.embedded_accuracy.heldout import words
from experiments.embedded_accuracy.heldout.asking import Numbers, Words, missing, numbers, spread
from experiments.embedded_accuracy.heldout.paper import Sheet, Style, table
from experiments.embedded_accuracy.items import Drawing, Pair, Question


@dataclass(frozen=True)
class NumberColumn:
    head: str
    low: float
    high: float
    step: float = 1
    form: str = "{:,.0f}"

    def fill(self, rng: Random, labels: tuple[str, ...]) -> Numbers:
        values = spread(rng, len(labels), self.low, self.high, self.step)
        return numbers(rng, labels, values, self.form)


@dataclass(frozen=True)
class WordColumn:
    head: str
    options: tuple[str, ...]

    def fill(self, rng: Random, labels: tuple[str, ...]) -> Words:
        """Every option at least once where the rows allow it."""
        extra = [rng.choice(self.options) for _ in range(len(labels) - len(self.options))]
        chosen = rng.sample([*self.options, *extra], len(labels))
        return Words(rng, labels, tuple(chosen))


@dataclass(frozen=True)
class Table:
    seed: int
    title: str
    row_head: str
    labels: Sequence[str]
    count: int
    columns: tuple[NumberColumn | WordColumn, ...]
    render: Callable[[Sheet], Image.Image]
    asks: Callable[["Filled"], tuple[Question, ...]]


@dataclass(frozen=True)
class Filled:
    columns: tuple[Words, ...]

    def text(self, index: int) -> Words:
        return self.columns[index]

    def number(self, index: int) -> Numbers:
        column = self.columns[index]
        if not isinstance(column, Numbers):
            raise TypeError(f"column {index} holds words")
        return column


def tables() -> Iterator[Drawing]:
    yield from (_draw_table(f"heldout-table-{n:02}", t) for n, t in enumerate(TABLES, start=1))


def _draw_table(name: str, content: Table) -> Drawing:
    rng = Random(content.seed)
    labels = tuple(rng.sample(list(content.labels), content.count))
    filled = Filled(tuple(column.fill(rng, labels) for column in content.columns))
    heads = tuple(column.head for column in content.columns)
    rows = tuple(
        (label, *(column.printed[index] for column in filled.columns))
        for index, label in enumerate(labels)
    )
    picture = content.render(Sheet(content.title, (content.row_head, *heads), rows))
    pairs = tuple(
        Pair((row[0], head), cell)
        for row in rows
        for head, cell in zip(heads, row[1:], strict=True)
    )
    return Drawing(name, "table", picture, pairs, content.asks(filled))


MIDNIGHT = Style("Roboto", paper="#1d2430", ink="#eef1f6", accent="#4f7cac", stripe="#2a3342")

TABLES = (
    Table(5101, "Telescopes of the ridge", "Telescope", words.TELESCOPES, 5,
          (NumberColumn("Mirror cm", 80, 640, 10), NumberColumn("Opened", 1951, 2019, 2, "{:.0f}")),
          table(Style("Roboto"), "grid"),
          lambda t: (
              t.number(1).lookup("When did {} open?"),
              t.number(1).least("Which telescope opened earliest?"),
              t.number(0).gap("How much wider, in cm, is the mirror of {} than that of {}?"),
          )),
    Table(5102, "Dance finals", "Couple", words.SURNAMES, 5,
          (WordColumn("Dance", ("Tango", "Rumba", "Foxtrot", "Bolero")),
           NumberColumn("Points", 18, 40, 1)),
          table(Style("Source Serif Pro", accent="#7a3b4e", stripe="#f6eef0"), "zebra"),
          lambda t: (
              t.text(0).lookup("What did {} dance?"),
              t.number(1).most("Who won the finals on points?"),
              t.text(0).matching("Tally the couples who danced the {}."),
          )),
    Table(5103, "River gauges", "River", words.RIVERS, 5,
          (NumberColumn("Level m", 0.6, 5.8, 0.1, "{:.1f}"), NumberColumn("Flow m3/s", 12, 190, 3)),
          table(Style("Source Sans Pro", 21), "rows", right_aligned=True),
          lambda t: (
              t.number(0).lookup("Read off the level of the {}."),
              t.number(1).outdoes("Does the {} carry a stronger flow than the {}?", "yes"),
              missing("What temperature has the water of the gauges?"),
          )),
    Table(5104, "Flights tonight", "Flight", ("LX 204", "KD 631", "SV 118", "LX 377", "QN 905"), 5,
          (WordColumn("To", ("Oakhaven", "Tarn Bay", "Westmoor", "Sandholm", "Fallowmere")),
           WordColumn("Gate", ("A2", "B7", "C4", "D1", "B3"))),
          table(MIDNIGHT, "zebra"),
          lambda t: (
              t.text(1).lookup("From which gate does {} leave?"),
              t.text(0).name_of("Which flight heads for {}?"),
              t.text(1).choice_value("The gate of flight {} is"),
              missing("At what time does the flight to Tarn Bay take off?"),
          )),
    Table(5105, "Mineral shelf", "Mineral", words.MINERALS, 6,
          (NumberColumn("Grams", 120, 980, 5), NumberColumn("Price", 4, 60, 0.25, "${:.2f}")),
          table(Style("Caladea", 21, accent="#5b6b3a"), "none", right_aligned=True),
          lambda t: (
              t.number(1).lookup("What is asked for the piece of {}?"),
              t.number(1).together("Buying {} and {}, what would you hand over?"),
              t.number(0).most("Pick out the heaviest mineral on the shelf."),
          )),
    Table(5106, "Regatta, final A", "Crew", words.TEAMS, 5,
          (NumberColumn("Lane", 1, 11, 1), NumberColumn("Seconds", 371, 420, 0.1, "{:.1f}")),
          table(Style("Hanken Grotesk", accent="#1f6f78", stripe="#e6f2f3"), "zebra"),
          lambda t: (
              t.number(1).lookup("What time, in seconds, did {} row?"),
              t.number(1).least("Whose boat was fastest?"),
              t.number(1).outdoes("Was {} slower than {}?", "no"),
          )),
    Table(5107, "Instrument hire", "Instrument", words.INSTRUMENTS, 6,
          (WordColumn("Case", ("hard", "soft", "padded")), NumberColumn("Fee", 12, 90)),
          table(Style("Caladea", 21, accent="#555555"), "grid"),
          lambda t: (
              t.text(0).lookup("What kind of case comes with the {}?"),
              t.number(1).lookup("What fee does the list ask for the {}?"),
              t.text(0).matching("Count the instruments with a {} case."),
              missing("Who owns the instruments for hire?"),
          )),
    Table(5108, "Satellite passes", "Satellite", words.SATELLITES, 5,
          (NumberColumn("Height km", 310, 990, 5), NumberColumn("Mass kg", 85, 2400, 10)),
          table(MIDNIGHT, "rows", right_aligned=True),
          lambda t: (
              t.number(1).lookup("What does {} weigh?"),
              t.number(0).least("Which satellite flies lowest?"),
              t.number(1).gap("By how many kilograms does {} outweigh {}?"),
          )),
    Table(5109, "Room hire", "Room", words.MUSEUM_ROOMS, 4,
          (NumberColumn("Seats", 20, 180, 5), NumberColumn("Fee", 90, 700, 5, "${:,.0f}"),
           WordColumn("Floor", ("ground", "first", "second"))),
          table(Style("Manrope", 19), "grid"),
          lambda t: (
              t.number(1).lookup("What fee is due for the {}?"),
              t.text(2).lookup("On which floor is the {}?"),
              t.number(0).above("Count the rooms with seats for over {}."),
              t.number(1).choice_least("Lowest fee:"),
          )),
    Table(5110, "Park survey", "Park", words.PARKS, 5,
          (NumberColumn("Hectares", 8, 95, 1), NumberColumn("Benches", 12, 160, 2)),
          table(Style("Source Sans Pro", 22, paper="#faf7ef", accent="#4d6a4a"), "none"),
          lambda t: (
              t.number(0).lookup("How large, in hectares, is {}?"),
              t.number(1).together("Benches of {}, {} and {}: add them up."),
              t.number(0).outdoes("Does {} cover more ground than {}?", "no"),
              missing("What does a bench cost the park office?"),
          )),
    Table(5111, "Planet models", "Planet", words.PLANETS, 5,
          (NumberColumn("Sold", 11, 90, 1), WordColumn("Paint", ("matt", "gloss", "none"))),
          table(Style("Fredoka One", 22, accent="#6a4c93", stripe="#f0ebf7"), "zebra"),
          lambda t: (
              t.number(0).lookup("Tell me what number of {} models were sold."),
              t.text(1).lookup("What does the table say about the paint of {}?"),
              t.number(0).second("Which planet model ranks second by copies sold?"),
          )),
    Table(5112, "Bridge tolls", "Bridge", words.BRIDGES, 5,
          (NumberColumn("Car", 1, 6, 0.1, "${:.2f}"), NumberColumn("Truck", 7, 22, 0.1, "${:.2f}")),
          table(Style("Roboto", 21, accent="#9b3d2e"), "rows"),
          lambda t: (
              t.number(0).lookup("What does a car pay at {}?"),
              t.number(1).most("Where do trucks pay the dearest toll?"),
              t.number(1).lookup("What toll is charged to a truck at {}?"),
              t.number(0).outdoes("Do cars pay a steeper toll at {} than at {}?", "yes"),
          )),
)  # fmt: skip
