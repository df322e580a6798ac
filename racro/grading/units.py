"""Units by one name each. Nothing is converted."""

import re

from racro.grading.text import without_case

_SPELLINGS = {
    "mm": "mm millimeter millimetre",
    "cm": "cm centimeter centimetre",
    "dm": "dm decimeter decimetre",
    "m": "m meter metre",
    "km": "km kilometer kilometre",
    "in": "in inch inches",
    "ft": "ft foot feet",
    "yd": "yd yard",
    "mi": "mi mile",
    "mg": "mg milligram",
    "g": "g gram",
    "kg": "kg kilogram kilo",
    "t": "tonne ton",
    "lb": "lb lbs pound",
    "oz": "oz ounce",
    "ms": "ms millisecond",
    "s": "s sec second",
    "min": "min mins minute",
    "h": "h hr hrs hour",
    "day": "day",
    "week": "week",
    "month": "month",
    "year": "yr year",
    "ml": "mL ml milliliter millilitre",
    "l": "L liter litre",
    "ha": "ha hectare",
    "N": "N newton",
    "J": "J joule",
    "kJ": "kJ kilojoule",
    "W": "W watt",
    "kW": "kW kilowatt",
    "kWh": "kWh",
    "V": "V volt",
    "A": "A amp ampere",
    "mA": "mA milliamp",
    "ohm": "Ω ohm",
    "Hz": "Hz hertz",
    "Pa": "Pa pascal",
    "K": "K kelvin",
    "mol": "mol mole",
    "°": "° deg degree",
    "°C": "°C celsius",
    "°F": "°F fahrenheit",
    "rad": "rad radian",
    "%": "% percent pct",
    "$": "$ dollar USD",
    "€": "€ euro EUR",
    "£": "£ GBP",
    "¥": "¥ yen yuan JPY CNY RMB",
    "₹": "₹ rupee INR",
    "cent": "¢ cent",
    "unit": "unit",
}
_NAMES = {name: unit for unit, names in _SPELLINGS.items() for name in names.split()}
_WHOLE = {"mph": "mi/h", "kph": "km/h", "kmh": "km/h"}
_REWRITES = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\s*\bper\b\s*", "/"),
        (r"(?:°|\bdegrees?)\s*(?:([CF])\b|(c)elsius|(f)ahrenheit)", r"°\1\2\3"),
        (r"\b(?:square|sq)\b\.?\s*([a-z]+)", r"\1^2"),
        (r"\b(?:cubic|cu)\b\.?\s*([a-z]+)", r"\1^3"),
        (r"\b([a-z]+)\s+squared\b", r"\1^2"),
        (r"\b([a-z]+)\s+cubed\b", r"\1^3"),
        (r"\s*(?:\\cdot|\*)\s*", " "),
    )
]
_PART = re.compile(r"(?P<name>[^\W\d_]+|°[CF]?|[%$€£¥₹¢])(?:\^?\{?(?P<power>-?[1-3])\}?)?")
# Behind a number these say how large it is, or that it goes on; they are nothing that is counted.
_NOT_COUNTED = re.compile(
    r"and|not|per|plus|minus|times|squared|cubed|factorial|sqrt|root|exp|log|sin|cos|tan"
    r"|half|halves|thirds?|quarters?"
    r"|(?:four|fif|six|seven|eigh|nin|ten|eleven|twelf|\w+teen|\w+tie|hundred|thousand|\w+illion)ths?"
    r"|zeros?|zeroes|tens|pairs?|dozens?|score|gross|hundreds?|thousands?|lakhs?|crores?|\w+illions?"
    r"|more|less|fewer|below|above|short|remainder|percentile|wrong|incorrect|false"
    r"|alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|rho|sigma|tau|upsilon"
    r"|phi|chi|psi|omega"
)


def known_unit(text: str) -> str | None:
    """The name of a unit of the table, of its powers, or of its parts; None for all else."""
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    text = text.strip().rstrip(".")
    parts = [_product(part) for part in text.split("/")]
    if len(parts) > 2 or None in parts:  # noqa: PLR2004
        return None
    return "/".join(filter(None, parts))


def _product(text: str) -> str | None:
    factors = [_power(factor) for factor in text.split()]
    return " ".join(filter(None, factors)) if factors and None not in factors else None


def _power(text: str) -> str | None:
    found = _PART.fullmatch(text)
    name = _name(found["name"]) if found else None
    if found is None or name is None:
        return None
    return f"{name}^{found['power']}" if found["power"] not in {None, "1"} else name


def _name(text: str) -> str | None:
    """The case of short names counts: `mA` and `MA` differ, `Metres` and `metres` do not."""
    if text in _NAMES:
        return _NAMES[text]
    if len(text) == 2 and text[0] == "°":  # noqa: PLR2004
        return text.upper()
    lower = text.lower()
    if len(lower) < 3:  # noqa: PLR2004
        return None
    return _WHOLE.get(lower) or _NAMES.get(lower) or _NAMES.get(lower.removesuffix("s"))


def counted(text: str) -> str | None:
    """What is counted, in one word of three letters or more: `apples` of ` apples`.

    Shorter ones may be variables of a formula.
    """
    word = text.strip()
    counts = re.fullmatch(r"\s[^\W\d_]{3,}", text) and not _NOT_COUNTED.fullmatch(word.casefold())
    return without_case(word) if counts else None
