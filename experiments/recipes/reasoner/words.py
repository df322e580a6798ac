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
    ("flower", "flowers", (
        "Roses", "Tulips", "Lilies", "Daisies", "Orchids", "Poppies", "Violets", "Sunflowers",
    )),
    ("bird", "birds", (
        "Robin", "Sparrow", "Blackbird", "Heron", "Swan", "Owl", "Magpie", "Woodpecker", "Crane",
    )),
    ("tool", "tools", (
        "Screwdriver", "Saw", "Pliers", "Drill", "Wrench", "Chisel", "Spirit level",
    )),
    ("piece of furniture", "pieces of furniture", (
        "Chair", "Table", "Sofa", "Wardrobe", "Bookshelf", "Bed", "Stool", "Coffee table",
    )),
    ("dish", "dishes", (
        "Lasagne", "Goulash", "Paella", "Mushroom risotto", "Fish and chips", "Ramen", "Tacos",
        "Vegetable curry", "Beef stew",
    )),
    ("school year", "school years", (
        "Year 7", "Year 8", "Year 9", "Year 10", "Year 11", "Year 12", "Year 13",
    )),
    ("room", "rooms", (
        "Kitchen", "Bathroom", "Bedroom", "Cellar", "Attic", "Living room",
    )),
    ("shop", "shops", (
        "Bakery", "Butcher", "Pharmacy", "Florist", "Bookshop", "Hairdresser", "Shoe shop",
    )),
    ("hobby", "hobbies", (
        "Knitting", "Gardening", "Painting", "Fishing", "Hiking", "Board games",
        "Photography", "Stamp collecting",
    )),
    ("garment", "garments", (
        "Shirts", "Trousers", "Jackets", "Socks", "Scarves", "Gloves", "Rain coats", "T-shirts",
    )),
    ("material", "materials", (
        "Glass", "Concrete", "Plastic", "Leather", "Rubber", "Brick",
    )),
    ("airport", "airports", (
        "Norvik Airport", "Calder Field", "Port Sall", "Brenna International",
        "Lake Tarn Airport", "Quillon", "Eastwick Air Base",
    )),
    ("genre", "genres", (
        "Comedy", "Drama", "Thriller", "Western", "Horror", "Romance", "Science fiction",
        "Documentary", "Animation",
    )),
    ("programming language", "programming languages", (
        "Python", "Java", "Rust", "Ruby", "Kotlin", "Haskell", "JavaScript", "C++", "PHP",
    )),
    ("metal", "metals", (
        "Lead", "Nickel", "Aluminium", "Silver", "Titanium",
    )),
    ("language", "languages", (
        "French", "German", "Turkish", "Arabic", "Hindi", "Dutch", "Korean", "Swahili", "Polish",
    )),
    ("weekday", "weekdays", ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")),
    ("weekday", "weekdays", ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")),
    ("month", "months", (
        "Jan 2021", "Feb 2021", "Mar 2021", "Apr 2021", "May 2021", "Jun 2021", "Jul 2021",
        "Aug 2021",
    )),
    ("month", "months", (
        "September 2023", "October 2023", "November 2023", "December 2023", "January 2024",
        "February 2024", "March 2024",
    )),
    ("age group", "age groups", ("0-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")),
    ("version", "versions", ("v1.0", "v1.1", "v1.2", "v1.5", "v2.0", "v2.1", "v3.0", "v3.4")),
    # Not those that are the letters of a choice.
    ("letter", "letters", ("S", "T", "X", "Y", "Z")),
    ("code", "codes", (
        "B12", "A07", "C33", "D40", "F19", "K51", "M08", "T64", "X25", "Z90",
    )),
    ("week", "weeks", ("Week 1", "Week 2", "Week 3", "Week 4", "Week 5", "Week 6", "Week 7")),
    ("tree", "trees", ("Oak", "Birch", "Maple", "Willow", "Spruce", "Chestnut", "Poplar" )),
    ("source of energy", "sources of energy", (
        "Solar", "Wind", "Hydro", "Coal", "Natural gas", "Nuclear", "Biomass",
    )),
    ("job", "jobs", (
        "Teacher", "Nurse", "Plumber", "Architect", "Farmer", "Electrician", "Pilot", "Lawyer",
    )),
    ("answer", "answers", (
        "Very satisfied", "Satisfied", "Neutral", "Dissatisfied", "Very dissatisfied", "No answer",
    )),
    ("decade", "decades", ("1950s", "1960s", "1970s", "1980s", "1990s", "2000s", "2010s")),
)  # fmt: skip

PEOPLE = next(names for noun, _, names in NAMES if noun == "person")
GOODS = (
    "Bagels", "Milk", "Coffee", "Tea", "Butter", "Cheese", "Eggs", "Rice", "Pasta", "Sugar",
    "Honey", "Soup", "Salad", "Pizza", "Juice", "Water", "Chocolate", "Yoghurt", "Flour",
    "Orange juice", "Apple pie", "Olive oil", "Toothpaste", "Notebook", "Pencil", "Shampoo",
    "Bread rolls", "Croissant", "Mineral water", "Batteries", "Candles", "Light bulb", "Envelopes",
    "Soap", "Tissues", "Cereal", "Jam", "Mustard", "Ketchup", "Salmon fillet", "Minced beef",
    "Frozen peas", "Ice cream", "Biscuits", "Crisps", "Peanut butter", "Dog food", "Washing powder",
    "Green tea", "Hand cream", "Tuna can", "Oat milk", "Sandwich", "Muffin", "Umbrella",
)  # fmt: skip
SHOPS = (
    "CORNER SHOP", "Green Market", "City Supermarket", "Daily Grocery", "Sunny Cafe",
    "HARBOUR STORE", "Mill Lane Bakery", "The Old Pantry", "Fresh & Fair", "BISTRO LUNA",
    "Station Kiosk", "Hilltop Farm Shop", "Baker & Sons", "QUICK MART", "Riverside Deli",
    "Blue Door Books",
)  # fmt: skip
COLUMNS = (
    "Points", "Wins", "Goals", "Price", "Stock", "Weight", "Height", "Age", "Score", "Sales",
    "Budget", "Visitors", "Seats", "Votes", "Floors", "Pages", "Hours", "Orders", "Platform",
    "Rooms", "Members", "Chapters", "Calories", "Likes", "Downloads", "Matches", "Losses", "Draws",
    "Length", "Width", "Depth", "Speed", "Rating", "Population", "Employees", "Refunds", "Returns",
    "Clicks", "Errors", "Tickets", "Lessons", "Quantity", "Attempts", "Credits", "Fee", "Deposit",
    "Passengers", "Distance", "Bonus",
)  # fmt: skip
_ORDERED = frozenset((
    "month", "day", "weekday", "week", "year", "quarter", "decade", "school year", "age group",
    "version", "answer",
))  # fmt: skip
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
             ("product", "products"), ("region", "regions"), ("brand", "brands"),
             ("branch", "branches"), ("project", "projects"), ("model", "models"),
             ("village", "villages"), ("river", "rivers"), ("supplier", "suppliers"),
             ("candidate", "candidates"), ("sample", "samples"), ("class", "classes"),
             ("company", "companies"))
        )  # fmt: skip
        return noun, plural, invented_names(rng, count)
    noun, plural, names = rng.choice([group for group in NAMES if len(group[2]) >= count])
    picked = rng.sample(range(len(names)), count)
    if noun in _ORDERED and rng.random() < 0.8:
        picked.sort()
    return noun, plural, [names[at] for at in picked]
