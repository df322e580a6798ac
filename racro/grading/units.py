"""Units by one name each. Nothing is converted."""

import re
from collections import Counter
from collections.abc import Mapping

from racro.grading.text import without_case

# Units that take the prefixes of the SI: their symbols, then their words in English.
_PREFIXABLE = {
    "m": "m meter metre",
    "g": "g gram gramme",
    "t": "t tonne",
    "s": "s sec second",
    "l": "L l liter litre",
    "A": "A amp ampere",
    "V": "V volt",
    "W": "W watt",
    "Wh": "Wh",
    "VA": "VA",
    "J": "J joule",
    "N": "N newton",
    "Pa": "Pa pascal",
    "bar": "bar",
    "Hz": "Hz hertz",
    "K": "K kelvin",
    "mol": "mol mole",
    "cd": "cd candela",
    "lm": "lm lumen",
    "lx": "lx lux",
    "ohm": "Ω ohm",
    "F": "F farad",
    "C": "C coulomb",
    "T": "T tesla",
    "H": "H henry henries",
    "S": "S siemens",
    "Wb": "Wb weber",
    "Bq": "Bq becquerel",
    "Gy": "Gy gray",
    "Sv": "Sv sievert",
    "eV": "eV electronvolt",
    "cal": "cal calorie",
    "bit": "bit",
    "byte": "B byte",
}
_LONG_SYMBOLS = frozenset({"bar", "mol", "cal", "bit"})
# BIPM, The International System of Units, 9th edition, table 7; `u` as it is typed for `μ`.
_PREFIXES = {
    "T": "T tera",
    "G": "G giga",
    "M": "M mega",
    "k": "k kilo",
    "h": "h hecto",
    "d": "d deci",
    "c": "c centi",
    "m": "m milli",
    "µ": "μ u micro",
    "n": "n nano",
    "p": "p pico",
    "f": "f femto",
}
# Of two that would be spelled alike, this one is meant: `ft` is no femtotonne, `dB` no decibyte.
_SPELLINGS = {
    "in": "in inch inches",
    "ft": "ft foot feet",
    "yd": "yd yard",
    "mi": "mi mile",
    "kg": "kilo",
    "t": "ton",
    "lb": "lb lbs pound",
    "oz": "oz ounce",
    "min": "min mins minute",
    "h": "h hr hrs hour",
    "day": "day",
    "week": "week",
    "month": "month",
    "year": "yr year",
    "ha": "ha hectare",
    "Å": "Å angstrom",
    "dB": "dB decibel",
    "kbyte": "KB",
    "kbit": "kb",
    "Mbit": "Mb",
    "Gbit": "Gb",
    "mM": "mM",
    "µM": "μM uM",
    "nM": "nM",
    "atm": "atm",
    "rpm": "rpm",
    "°": "° deg degree",
    "°C": "°C celsius",
    "°F": "°F fahrenheit",
    "rad": "rad radian",
    "%": "% percent pct",
    "$": "$ dollar USD",
    "€": "€ euro EUR",
    "£": "£ GBP",
    "¥": "¥ yen yuan JPY CNY RMB 元 円",
    "₹": "₹ rupee INR",
    "cent": "¢ cent",
    "unit": "unit",
}
# Chinese and Japanese write them without a space behind the number.
_CHINESE = {
    "mm": "毫米", "cm": "厘米", "m": "米", "km": "千米 公里", "g": "克", "kg": "千克 公斤",
    "s": "秒", "min": "分钟", "h": "小时", "l": "升", "ml": "毫升", "°": "度", "°C": "摄氏度",
}  # fmt: skip


def _prefixed() -> dict[str, str]:
    """Return the names of all multiples; a symbol goes with symbols, a word with words."""
    names: dict[str, str] = {}
    for unit, unit_names in _PREFIXABLE.items():
        for prefix, prefix_names in _PREFIXES.items():
            *symbols, word = prefix_names.split()
            for name in unit_names.split() if _takes(unit, prefix) else ():
                before = symbols if len(name) < 3 or name in _LONG_SYMBOLS else [word]  # noqa: PLR2004
                names |= {f"{each}{name}": f"{prefix}{unit}" for each in before}
    return names


def _takes(unit: str, prefix: str) -> bool:
    """Whether people write it: `dt` is a differential, and nobody weighs in millitonnes."""
    if prefix in {"h", "d", "c"}:
        return unit in {"m", "g", "l", "Pa"}
    return prefix in {"k", "M", "G", "T"} or unit not in {"t", "bit", "byte"}


def _named(table: Mapping[str, str]) -> dict[str, str]:
    return {name: unit for unit, names in table.items() for name in names.split()}


_NAMES = _prefixed() | _named(_PREFIXABLE) | _named(_SPELLINGS) | _named(_CHINESE)
# Right behind a number, these are variables.
_VARIABLES = frozenset("CFTHSB")
_OF_AMOUNTS = frozenset("$€£¥₹%") | {"cent", "unit"}
_WHOLE = {"mph": "h^-1 mi", "kph": "h^-1 km", "kmh": "h^-1 km"}
_REWRITES = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\s*\bper\b\s*", "/"),
        (r"(?:°|\bdegrees?)\s*(?:([CF])\b|(c)elsius|(f)ahrenheit)", r"°\1\2\3"),
        (r"\b(?:square|sq)\b\.?\s*([a-z]+)", r"\1^2"),
        (r"\b(?:cubic|cu)\b\.?\s*([a-z]+)", r"\1^3"),
        (r"\b([a-z]+)\s+squared\b", r"\1^2"),
        (r"\b([a-z]+)\s+cubed\b", r"\1^3"),
        (r"平方(\w+)", r"\1^2"),
        (r"立方(\w+)", r"\1^3"),
        (r"(?-i:\\Omega)(?![a-z])", "Ω"),
        (r"(?-i:\\mu)(?![a-z])\s*", "μ"),
        (r"/\s*\(([^()/]*)\)", r"/\1"),
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
    """Return a unit of the table, or a product of such; None for all else.

    `m/s`, `m s^{-1}` and `s^{-1} m` are one unit. A letter right behind a number that is a
    variable more often than a unit (`2T`) is none; with a space between (`2 T`) it is one.
    """
    if text[:1] in _VARIABLES and not text[1:].strip():
        return None
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    over, slash, under = text.strip().rstrip(".").partition("/")
    above, below = _product(over), _product(under)
    if above is None or below is None or (slash and not below):
        return None
    above.subtract(below)
    return " ".join(
        name if power == 1 else f"{name}^{power}" for name, power in sorted(above.items()) if power
    )


def is_measure(unit: str | None) -> bool:
    """Return whether it is a unit of the table, and none of money, a share or a count."""
    return unit is not None and unit not in _OF_AMOUNTS and known_unit(unit) is not None


def _product(text: str) -> Counter[str] | None:
    """Return the powers of its factors, none for nothing."""
    powers: Counter[str] = Counter()
    for factor in map(_power, text.split()):
        if factor is None:
            return None
        powers[factor[0]] += factor[1]
    return powers


def _power(text: str) -> tuple[str, int] | None:
    found = _PART.fullmatch(text)
    name = _name(found["name"]) if found else None
    return (name, int(found["power"] or 1)) if found and name else None


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
