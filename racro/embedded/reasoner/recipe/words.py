"""The words of the lessons. No name, unit phrase or title here occurs in the held-out questions."""

import random

# (noun, its plural, names of it)
NAMES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("month", "months", (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    )),
    ("month", "months", (
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    )),
    ("day", "days", (
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    )),
    ("day", "days", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")),
    ("fruit", "fruits", (
        "Apples", "Pears", "Plums", "Cherries", "Bananas", "Grapes", "Lemons", "Oranges",
        "Kiwis", "Peaches", "Melons", "Figs",
    )),
    ("vegetable", "vegetables", (
        "Carrots", "Onions", "Leeks", "Peas", "Beans", "Cabbage", "Spinach", "Potatoes", "Tomatoes",
    )),
    ("colour", "colours", (
        "Red", "Blue", "Green", "Yellow", "Purple", "Orange", "Brown", "White", "Black",
    )),
    ("country", "countries", (
        "France", "Spain", "Italy", "Norway", "Sweden", "Poland", "Greece", "Portugal", "Austria",
        "Denmark", "Finland", "Hungary",
    )),
    ("city", "cities", (
        "Paris", "Madrid", "Rome", "Oslo", "Stockholm", "Warsaw", "Athens", "Lisbon", "Vienna",
        "Copenhagen", "Helsinki", "Budapest",
    )),
    ("person", "people", (
        "Anna", "Ben", "Clara", "David", "Emma", "Frank", "Grace", "Henry", "Julia", "Kate",
        "Liam", "Maria", "Nora", "Oscar", "Paul", "Sarah",
    )),
    ("animal", "animals", (
        "Cats", "Dogs", "Rabbits", "Horses", "Cows", "Sheep", "Goats", "Ducks", "Lions", "Zebras",
        "Elephants", "Giraffes",
    )),
    ("subject", "subjects", (
        "Maths", "History", "Biology", "Physics", "Music", "Geography", "English", "Sport",
    )),
    ("team", "teams", (
        "Falcons", "Tigers", "Sharks", "Wolves", "Bears", "Eagles", "Panthers", "Hawks",
    )),
    ("department", "departments", (
        "Marketing", "Finance", "Legal", "Support", "Research", "Logistics", "Human Resources",
    )),
    ("quarter", "quarters", ("Q1", "Q2", "Q3", "Q4")),
    ("year", "years", ("2015", "2016", "2017", "2018", "2019", "2020", "2021", "2022", "2023")),
)  # fmt: skip

GOODS = (
    "Bagels", "Milk", "Coffee", "Tea", "Butter", "Cheese", "Eggs", "Rice", "Pasta", "Sugar",
    "Honey", "Soup", "Salad", "Pizza", "Juice", "Water", "Chocolate", "Yoghurt", "Flour",
    "Orange juice", "Apple pie", "Olive oil", "Toothpaste", "Notebook", "Pencil", "Shampoo",
)  # fmt: skip
SHOPS = ("CORNER SHOP", "Green Market", "City Supermarket", "Daily Grocery", "Sunny Cafe")
COLUMNS = (
    "Points", "Wins", "Goals", "Price", "Stock", "Weight", "Height", "Age", "Score", "Sales",
    "Budget", "Visitors", "Seats", "Votes", "Floors", "Pages", "Hours", "Orders", "Platform",
)  # fmt: skip
_SYLLABLES = (
    "ba", "cor", "del", "fi", "gan", "hol", "ka", "lem", "mi", "nor", "pa", "qui", "ro", "sal",
    "tem", "u", "ver", "wil", "xan", "yor", "zu", "bri", "cla", "dro", "ster", "ton", "ley", "mar",
    "vin", "ek", "os", "ir", "and", "el", "ham", "ford",
)  # fmt: skip


def invented(rng: random.Random) -> str:
    """A word that no list holds: what is learned is copying, not the word."""
    word = "".join(rng.choices(_SYLLABLES, k=rng.choice((2, 2, 3)))).capitalize()
    if rng.random() < 0.2:
        word += " " + "".join(rng.choices(_SYLLABLES, k=2)).capitalize()
    return word


def invented_names(rng: random.Random, count: int) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < count:
        names[invented(rng)] = None
    return list(names)


def some_names(rng: random.Random, count: int) -> tuple[str, str, list[str]]:
    """(noun, its plural, `count` different names), at times names made up."""
    if rng.random() < 0.35:
        noun, plural = rng.choice(
            (("item", "items"), ("place", "places"), ("entry", "entries"), ("group", "groups"),
             ("category", "categories"), ("type", "types"), ("station", "stations"),
             ("product", "products"), ("region", "regions"), ("brand", "brands"))
        )  # fmt: skip
        return noun, plural, invented_names(rng, count)
    noun, plural, names = rng.choice([group for group in NAMES if len(group[2]) >= count])
    picked = rng.sample(range(len(names)), count)
    if noun in {"month", "day", "year", "quarter"} and rng.random() < 0.8:
        picked.sort()
    return noun, plural, [names[at] for at in picked]
