"""Questions about values of which everything is known, with their answers computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from experiments.embedded_accuracy.development.words import Style, Topic, shown
from experiments.embedded_accuracy.items import NOT_TOLD, Pair, Question


@dataclass(frozen=True)
class Series:
    topic: Topic
    labels: tuple[str, ...]
    values: tuple[Decimal, ...]
    style: Style

    @property
    def printed(self) -> tuple[str, ...]:
        return tuple(shown(value, self.style) for value in self.values)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        cells = zip(self.labels, self.printed, strict=True)
        return tuple(Pair((label,), value) for label, value in cells)


@dataclass(frozen=True)
class Column:
    """`values` is empty where the cells are words; a cell is empty where nothing is printed."""

    name: str
    cells: tuple[str, ...]
    values: tuple[Decimal, ...] = ()
    style: Style = "int"


@dataclass(frozen=True)
class Grid:
    title: str
    noun: str
    rows: tuple[str, ...]
    columns: tuple[Column, ...]
    charted: bool = False

    def said(self, column: Column) -> str:
        return f"{column.name} value" if self.charted else column.name

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple(
            Pair((row, column.name), column.cells[at])
            for at, row in enumerate(self.rows)
            for column in self.columns
            if column.cells[at]
        )


def plural(noun: str) -> str:
    return noun[:-1] + "ies" if noun.endswith(("ty", "ry")) else noun + "s"


def some(rng: Random, questions: Sequence[Question], count: int) -> tuple[Question, ...]:
    return tuple(rng.sample(questions, min(count, len(questions))))


def yes_or_no(told: bool) -> str:
    return "yes" if told else "no"


def count_question(noun: str, count: int) -> Question:
    return Question(f"How many {plural(noun)} are shown?", "counting", str(count))


def extreme_questions(
    noun: str, measure: str, labels: Sequence[str], values: Sequence[Decimal]
) -> list[Question]:
    highest, lowest = labels[values.index(max(values))], labels[values.index(min(values))]
    return [
        Question(f"Which {noun} has the highest {measure}?", "comparison", highest),
        Question(f"Which {noun} has the lowest {measure}?", "comparison", lowest),
    ]


def unprinted_questions(rng: Random, series: Series) -> tuple[Question, ...]:
    """What can be asked where values are to be read off an axis or an angle."""
    topic, labels, values = series.topic, series.labels, series.values
    return (
        count_question(topic.noun, len(labels)),
        rng.choice(extreme_questions(topic.noun, topic.measure, labels, values)),
        missing_question(rng, series),
    )


def missing_question(rng: Random, series: Series) -> Question:
    others = [label for label in series.topic.labels if label not in series.labels]
    absent = rng.choice(others or ["2031"])
    return Question(series.topic.lookup.format(absent), "unanswerable", NOT_TOLD)


def series_questions(rng: Random, series: Series, count: int = 3) -> tuple[Question, ...]:
    topic, labels, values = series.topic, series.labels, series.values
    (more, less) = sorted(rng.sample(range(len(labels)), 2), key=values.__getitem__, reverse=True)
    first, second = rng.sample(range(len(labels)), 2)
    limit = sorted(values)[len(values) // 2]
    lookup = rng.randrange(len(labels))
    questions = [
        Question(topic.lookup.format(labels[lookup]), "lookup", series.printed[lookup]),
        rng.choice(extreme_questions(topic.noun, topic.measure, labels, values)),
        Question(
            f"How much higher is {labels[more]} than {labels[less]}?",
            "arithmetic",
            shown(values[more] - values[less], series.style),
        ),
        Question(
            f"Is {labels[first]} more than {labels[second]}?",
            "yes_no",
            yes_or_no(values[first] > values[second]),
        ),
        rng.choice(
            [
                count_question(topic.noun, len(labels)),
                Question(
                    f"How many {plural(topic.noun)} are above {shown(limit, series.style)}?",
                    "counting",
                    str(sum(value > limit for value in values)),
                ),
            ]
        ),
        missing_question(rng, series),
    ]
    if topic.style not in {"percent", "signed"}:
        total = shown(sum(values, Decimal()), series.style)
        questions.append(Question(f"What is the total {topic.measure}?", "arithmetic", total))
    return some(rng, questions, count)


def grid_questions(rng: Random, grid: Grid, count: int = 3) -> tuple[Question, ...]:
    numeric = rng.choice([column for column in grid.columns if column.values])
    at = rng.randrange(len(grid.rows))
    first, second = rng.sample(range(len(grid.rows)), 2)
    measure = grid.said(numeric)
    values = numeric.values
    questions = [
        Question(f"What is the {measure} of {grid.rows[at]}?", "lookup", numeric.cells[at]),
        rng.choice(extreme_questions(grid.noun, measure, grid.rows, values)),
        Question(
            f"Is the {measure} of {grid.rows[first]} higher than that of {grid.rows[second]}?",
            "yes_no",
            yes_or_no(values[first] > values[second]),
        ),
        count_question(grid.noun, len(grid.rows)),
        Question(f"What is the height of {grid.rows[at]}?", "unanswerable", NOT_TOLD),
        Question(
            f"What is the sum of the {measure}{'s' if grid.charted else ''}?",
            "arithmetic",
            shown(sum(values, Decimal()), numeric.style),
        ),
        *(
            Question(f"What is the {column.name} of {row}?", "unanswerable", NOT_TOLD)
            for column in grid.columns
            for row, cell in zip(grid.rows, column.cells, strict=True)
            if not cell
        ),
        *(
            Question(f"What is the {column.name} of {grid.rows[at]}?", "lookup", column.cells[at])
            for column in grid.columns
            if not column.values and column.cells[at]
        ),
    ]
    return some(rng, questions, count)
