r"""One spelling for what is written in many: Unicode's signs, LaTeX's wrappers, words."""

import re
import unicodedata
from itertools import pairwise

# Characters. What is longer is no short answer: it is right only if it is the same text.
LONGEST_ANSWER = 500

_SIGNS = str.maketrans(
    {
        "−": "-", "–": "-", "‐": "-", "‑": "-",
        "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": "/", "⁄": "/",
        "π": r"\pi ", "∞": r"\infty ", "∅": r"\emptyset ", "±": r"\pm ", "∪": r"\cup ",
        "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∈": r"\in ", "≈": r"\approx ", "∠": r"\angle ",
        "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "θ": r"\theta ",
        "º": "°", "“": '"', "”": '"', "’": "'", "‘": "'",
        "\u2009": r"\,", "\u202f": r"\,",
    }
)  # fmt: skip
_VULGAR_FRACTION = re.compile("(?=[¼-¾⅐-⅞])")
_SUPERSCRIPT = re.compile("[⁻]?[⁰¹²³⁴-⁹]+")
_WRAPPER = re.compile(
    r"\\(?:boxed|fbox|mbox|text|textbf|textit|textrm|mathrm|mathbf|mathit|operatorname)"
    r"\s*\{([^{}]*)\}"
)
_DOLLAR = re.compile(r"(?<!\\)\$")
_FORMULA_MARKS = re.compile(r"\\[()\[\]]|(?<!\\)\$")
_REWRITES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\\[dtc]frac(?![a-z])", r"\\frac"),
        (r"\\(?:left|right|displaystyle)(?![a-z])", ""),
        (r"(?<=\d)(?:\\[,!;]|\{,\})(?=\d{3}(?!\d))", ","),
        (r"\\[,;:! ]|\\q?quad(?![a-z])|(?<=\S)~", " "),
        (r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-z]))|\\(?:degree|circ)(?![a-z])", "°"),
        (r"\\([%$&#])", r"\1"),
        (r"\\(le|ge)q(?:slant)?(?![a-z])", r"\\\1"),
        (r"\\neq(?![a-z])", r"\\ne"),
        (r"\\varnothing(?![a-z])", r"\\emptyset"),
        (r"√\s*(\w+)|(?:√|(?<![a-z\\])sqrt)\s*\(([^()]*)\)", r"\\sqrt{\1\2}"),
        (r"\\sqrt\s*(\d)", r"\\sqrt{\1}"),
        (r"(?<![A-Za-z\\])pi(?![A-Za-z])", r"\\pi "),
        (r"(?<![A-Za-z\\])(sin|cos|tan|log|ln)(?=\s*[\d(\\]|\s+[a-z]\b)", r"\\\1 "),
        (r"(?<=[\w)}])\*\*(?=[\w({\\-])", "^"),
        (r"\^\s*(-?\d+)", r"^{\1}"),
        (r"\+/-|\bplus\s+or\s+minus\b", r"\\pm "),
        (r"(\\(?:sin|cos|tan|cot|sec|csc)\s*\(?\s*)(\d+(?:\.\d+)?)\s*°", r"\1\\frac{\2\\pi}{180}"),
        (r"(?<=\d)\s*(?:x|\\times)\s*(?=\d)", r"\\times "),
        (r"(?<=[\d%])\s*([:-])\s*(?=[\d$])", r"\1"),
        (r"\s+", " "),
    )
]
_WORD = re.compile(r"[^\W\d_]+")
# What may be dropped between words: all other signs say something.
_WORDS = re.compile(r"[^\W\d_]+(?:(?! - )[\s.,;:'\"()!?-]+[^\W\d_]+)*!?")
# Short ones may be symbols (mW and MW, Co and CO), letters in pairs genotypes (AABB and aabb).
_FOLDED = re.compile(
    r"(?<![\\\w])(?!(?:(?i:([a-z])\1))+\b)"
    r"(?:[^\W\d_]{3,}|(?i:no|or|in|on|at|of|to|by|it|is|as|up|we|he|am|pm))(?![\w^])"
)
_ARTICLE = re.compile(r"^(?i:the|an|a)\s+(?=\S\S)")
_SUBSCRIPT = re.compile(r"(?<=[A-Za-z)])_(?:\{(\d+)\}|(\d))(?!\d)")


def plain(text: str) -> str:
    """`text` with one spelling of each sign, and without what only typesets it."""
    if len(text) > LONGEST_ANSWER:
        return " ".join(text.split())
    # Before Unicode's normal form, which glues 1½ to 11/2 and takes the height from x².
    text = _VULGAR_FRACTION.sub(" ", text).translate(_SIGNS)
    text = _SUPERSCRIPT.sub(r"^{\g<0>}", text)
    text = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    while (unwrapped := _WRAPPER.sub(r" \1", text)) != text:
        text = unwrapped
    # A dollar sign without another is money.
    if len(_DOLLAR.findall(text)) % 2 == 0:
        text = _FORMULA_MARKS.sub("", text)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return _without_ends(text)


def _without_ends(text: str) -> str:
    """Without the quotes or emphasis around it, and the punctuation behind."""
    before = None
    while text != before:
        before = text
        text = text.strip().rstrip(".,;:?")
        if len(text) > 1 and text[0] == text[-1] and text[0] in "*`\"'_":
            text = text[1:-1]
    return text


def same_words(one: str, other: str) -> bool:
    """Without the case of words and a leading article; `H_2O` is `H2O`.

    Where it is nothing but words, punctuation does not count either.
    """
    return _words(one) == _words(other)


def _words(text: str) -> str:
    text = _SUBSCRIPT.sub(r"\1\2", text)
    text = _FOLDED.sub(lambda found: without_case(found[0]), text)
    text = _ARTICLE.sub("", text)
    words = _WORD.findall(text.replace("'", ""))
    # Of letters that may be variables, every sign counts: `x-y`, `AB`.
    only_words = _WORDS.fullmatch(text) and max(map(len, words)) > 2  # noqa: PLR2004
    return " ".join(words) if only_words else text


def without_case(word: str) -> str:
    """One of `word`, `Word` and `WORD`; `MHz` and `AaBb` are what they are."""
    return word.casefold() if word.isupper() or word[1:].islower() else word


def is_bracketed(text: str) -> bool:
    """Whether its first bracket is closed by its last character."""
    if text[:1] not in {"(", "[", "{"}:
        return False
    depths = _depths(text)
    return depths[-1] == 0 and all(depths[:-1])


def split_outside_brackets(text: str, separator: re.Pattern[str]) -> list[str]:
    depths = [0, *_depths(text)]
    cuts = [found.span() for found in separator.finditer(text) if depths[found.start()] == 0]
    ends = [(0, 0), *cuts, (len(text), len(text))]
    return [text[left[1] : right[0]].strip() for left, right in pairwise(ends)]


def _depths(text: str) -> list[int]:
    """How many brackets are open behind each character."""
    depth, depths = 0, []
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        depths.append(depth)
    return depths
