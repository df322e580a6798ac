"""What the development drawings are about: names, measures, and how numbers are printed."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Literal

Style = Literal["int", "tenths", "percent", "dollar", "thousands", "signed"]

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
SHORT_MONTHS = tuple(month[:3] for month in MONTHS)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHORT_WEEKDAYS = tuple(day[:3] for day in WEEKDAYS)
YEARS = tuple(str(year) for year in range(2014, 2026))
QUARTERS = ("Q1", "Q2", "Q3", "Q4")
FRUITS = ("Apples", "Bananas", "Cherries", "Grapes", "Lemons", "Mangoes", "Oranges", "Pears")
COLOURS = ("Red", "Blue", "Green", "Yellow", "Orange", "Purple", "Black", "White")
CAPITALS = ("Paris", "Berlin", "Madrid", "Rome", "Vienna", "Lisbon", "Oslo", "Warsaw", "Dublin")
COUNTRIES = ("France", "Germany", "Spain", "Italy", "Austria", "Portugal", "Norway", "Poland")
NAMES = ("Alice", "Ben", "Clara", "David", "Emma", "Frank", "Grace", "Henry", "Lucy", "Oliver")
ANIMALS = ("Dogs", "Cats", "Rabbits", "Horses", "Hamsters", "Parrots", "Turtles", "Sheep")
SUBJECTS = ("Maths", "English", "History", "Biology", "Physics", "Art", "Music", "Chemistry")
DEPARTMENTS = (
    *("Sales", "Marketing", "Research", "Finance", "Human Resources", "Customer Support"),
    "Information Technology",
    "Legal",
)
PARTS = ("Rent", "Food", "Travel", "Savings", "Clothing", "Insurance", "Leisure", "Energy")
PHONES = ("Battery life", "Screen size", "Camera quality", "Low price", "Brand name", "Design")


@dataclass(frozen=True)
class Topic:
    """`lookup` asks for one value, `noun` names what the labels are, and ordered labels keep their
    order in a drawing.
    """

    title: str
    noun: str
    measure: str
    lookup: str
    labels: tuple[str, ...]
    ordered: bool = False
    style: Style = "int"
    low: int = 10
    high: int = 99


SALES = Topic(
    "Units sold per month",
    "month",
    "number of units sold",
    "How many units were sold in {}?",
    MONTHS,
    True,
)
VISITORS = Topic(
    "Visitors per day",
    "day",
    "number of visitors",
    "How many visitors came on {}?",
    SHORT_WEEKDAYS,
    True,
    "int",
    80,
    420,
)
FRUIT = Topic(
    "Favourite fruits",
    "fruit",
    "number of votes",
    "How many votes did {} get?",
    FRUITS,
    False,
    "int",
    3,
    40,
)
REVENUE = Topic(
    "Revenue by year",
    "year",
    "revenue",
    "What was the revenue in {}?",
    YEARS,
    True,
    "dollar",
    120,
    980,
)
POPULATION = Topic(
    "Club members by city",
    "city",
    "number of members",
    "How many members does {} have?",
    CAPITALS,
    False,
    "thousands",
    1100,
    9800,
)
TEMPERATURE = Topic(
    "Average temperature (°C)",
    "month",
    "temperature",
    "What was the temperature in {}?",
    SHORT_MONTHS,
    True,
    "signed",
    -12,
    30,
)
RAIN = Topic(
    "Rainfall in cm",
    "month",
    "rainfall",
    "What was the rainfall in {}?",
    SHORT_MONTHS,
    True,
    "tenths",
    12,
    148,
)
SCORES = Topic(
    "Test scores",
    "student",
    "score",
    "What is the score of {}?",
    NAMES,
    False,
    "int",
    40,
    100,
)
GROWTH = Topic(
    "Growth by country",
    "country",
    "growth",
    "What is the growth of {}?",
    COUNTRIES,
    False,
    "percent",
    2,
    48,
)
STAFF = Topic(
    "Employees by department",
    "department",
    "number of employees",
    "How many employees are in {}?",
    DEPARTMENTS,
    False,
    "int",
    6,
    120,
)
PETS = Topic(
    "Pets in our school",
    "pet",
    "number of pets",
    "How many {} are there?",
    ANIMALS,
    False,
    "int",
    2,
    35,
)
HOURS = Topic(
    "Study hours by subject",
    "subject",
    "number of hours",
    "How many hours are spent on {}?",
    SUBJECTS,
    False,
    "tenths",
    8,
    65,
)
REASONS = Topic(
    "Why people choose a phone",
    "reason",
    "share",
    "What percentage is {}?",
    PHONES,
    False,
    "percent",
    5,
    60,
)
PROFIT = Topic(
    "Profit by quarter",
    "quarter",
    "profit",
    "What was the profit in {}?",
    QUARTERS,
    True,
    "dollar",
    1500,
    9400,
)

BUDGET = Topic(
    "Household budget",
    "category",
    "share",
    "What percentage goes to {}?",
    PARTS,
    False,
    "percent",
)
PET_SHARE = Topic(
    "Favourite animals",
    "animal",
    "share",
    "What percentage prefers {}?",
    ANIMALS,
    False,
    "percent",
)
CAR_COLOURS = Topic(
    "Car colours",
    "colour",
    "share",
    "What percentage of cars is {}?",
    COLOURS,
    False,
    "percent",
)
MARKET = Topic(
    "Exports by country",
    "country",
    "share",
    "What percentage goes to {}?",
    COUNTRIES,
    False,
    "percent",
)
SPENDING = Topic(
    "Spending by department",
    "department",
    "share",
    "What is the share of {}?",
    DEPARTMENTS,
    False,
    "percent",
)


def shown(value: Decimal, style: Style) -> str:
    match style:
        case "tenths":
            return f"{value:.1f}"
        case "percent":
            return f"{value}%"
        case "dollar":
            return f"-${-value:,}" if value < 0 else f"${value:,}"
        case "thousands":
            return f"{value:,}"
        case _:
            return f"{value}"


def some_labels(rng: Random, topic: Topic, count: int) -> tuple[str, ...]:
    if not topic.ordered:
        return tuple(rng.sample(topic.labels, count))
    start = rng.randint(0, len(topic.labels) - count)
    return topic.labels[start : start + count]


def some_values(rng: Random, topic: Topic, count: int) -> tuple[Decimal, ...]:
    """No two are equal."""
    scale = 10 if topic.style == "tenths" else 1
    drawn = rng.sample(range(topic.low, topic.high + 1), count)
    return tuple(Decimal(value) / scale for value in drawn)


def some_shares(rng: Random, count: int, *, tenths: bool) -> tuple[Decimal, ...]:
    """They sum to 100, no two are equal, and none is too thin to be labelled."""
    whole = 1000 if tenths else 100
    while True:
        cuts = sorted(rng.sample(range(1, whole), count - 1))
        shares = [end - start for start, end in zip([0, *cuts], [*cuts, whole], strict=True)]
        if len(set(shares)) == count and min(shares) * 14 >= whole:
            return tuple(Decimal(share) / (10 if tenths else 1) for share in shares)
