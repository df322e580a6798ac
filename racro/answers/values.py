r"""The short value in a sentence or a line: an option's letter, a number with a unit, words."""

import re
import unicodedata

_LATEX_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_LATEX_ESCAPE = re.compile(r"\\([%$#&])")
_LATEX_MATH = re.compile(
    r"\$\$(?P<display>.*)\$\$|\$(?P<inline>.*)\$|\\\((?P<round>.*)\\\)|\\\[(?P<square>.*)\\\]",
    re.DOTALL,
)
_LETTER = r"[$\"'“_]{0,2}[(（\[【]?([A-HＡ-Ｈ])[)）\]】]?[$\"'”_]{0,2}"
_OPTION = re.compile(
    rf"(?:(?i:option|choice|letter|选项|選項|選択肢)\s*(?:[:：]\s*)?)?{_LETTER}"
    r"(?:\.(?!\s[A-Z]\.)|[:;!),。，；、：]|$|\s+(?:[–—-]\s|(?:because|since|as|for|with)\b)|\s?(?=[选選项項、。，入でがはだ입이]))"
)
_SEVERAL = re.compile(
    rf"{_LETTER}(?:\s*(?:,\s*(?:and|or)\b|,|、|&|/|\band\b|\bor\b|和)\s*{_LETTER}(?![\w]))+"
)
_NUMBER = r"[-+−]?[$€£¥]?\d(?:[\d.,]*\d)?(?:/\d+)?"
_UNIT = (
    r"[%€£]|°[CF]?"
    r"|(?:(?:square|cubic|sq|hundred|thousand|million|billion|trillion|degrees)\s)?"
    r"(?!(?:and|or|not|to|than|times|by|of|from|out|as)\b)"
    r"[^\W\d_]{1,20}(?:\^?\{?[23]\}?|[²³])?(?:/[^\W\d_]{1,12})?"
)
# A colon between figures is one of a time or a ratio.
_IS = (
    r"(?:=|\b(?:is|are|was|ist|sind|beträgt|est|es)\b|(?<!\d)(?<!\d )[:：]|(?<=\d):(?=\s)|[是为])"
    r"\s*\**"
)
_LAST_VALUE = re.compile(
    rf"{_IS}({_NUMBER}(?:\s?(?:{_UNIT}))?)"
    r"(?:\s(?:high|tall|long|wide|deep|old|in\s(?:total|all)))?\**\s*[.!。]?$"
)
_LAST_FORMULA = re.compile(rf"{_IS}(\$[^$]+\$|\\\((?:[^\\]|\\[^()])+\\\))\**\s*[.!。]?$")
_ASSIGNED = r"[A-Za-z]\w?\s*=\s*[^=,;，]{1,40}"
_ASSIGNMENTS = re.compile(
    rf"(?<![\w\\,;，])(?<![,;，] )(?<!\band )(?<!\bor ){_ASSIGNED}"
    rf"(?:(?:[,;，]|\s(?:and|or)\b)+\s*{_ASSIGNED})+$"
)
# "So it is option D.", "It's D."
_CLOSING_OPTION = re.compile(rf"(?i:\b(?:option|choice)|\bit(?:['’]s|\s+is))\s+{_LETTER}[.!]?$")
# "isn't 5 but 7"
_CORRECTION = re.compile(
    r"(?:n['’]t|\bnot(?!\s+only)|\bno\s+longer)\s[^.;]{1,80}?\bbut(?:\s+rather)?\s+", re.IGNORECASE
)
# More than a word behind it is a sentence that explains it.
_YES_OR_NO = re.compile(r"(?i:(yes|no)),\s+(?!(?i:yes|no)\b)\w+[,;]?\s+\S")
# What a sentence says beyond its value: why it is right, or what is wrong.
_REASONS = re.compile(
    r"(?:[,;(–—]\s{0,3})?\b(?:because|since(?!\s+\d)|due\s+to|based\s+on|given\s+that"
    r"|as\s+(?:it|the|this|that|we|they|shown|can|there)|rather\s+than|instead\s+of|(?:and|but)\s+not)\b"
    r"|[,;]\s{0,3}(?:which|not|denn|weil|porque|puesto)\b"
    r"|[，,；、]?(?:因为|因為|由于|由於|なぜなら|왜냐하면)"
    r"|\s\((?:rounded|approximately|because|since|which|the|as|to)\b",
    re.IGNORECASE,
)
# Behind a letter or a number these give a reason, too; behind words they may be part of the
# answer: "Love, for all".
_REASONS_OF_FIGURES = re.compile(
    r"[,;]\s{0,3}(?:as|so|where|for|meaning|that\s+is|with|da|car)\b"
    r"|\s\((?=[A-Za-z]+\s[^()]*\)[\s.*]*$)",
    re.IGNORECASE,
)
_CONCLUSION = re.compile(
    r"(?:(?i:so|thus|hence|therefore|finally|in\s+conclusion|also|daher|somit|donc|por\s+lo\s+tanto)\b"
    # Without a comma it may be part of the answer: "so far".
    r"(?:\s*[,:]\s*|\s+(?=(?i:the|it|we|there|this|that|option|choice|answer)\b"
    r"|[A-Za-z]\s*=|\(?[A-J]\)?(?:[\s.:]|$)|[-+$\\\d]))(?=\S)"
    r"|(?:因此|所以|故|综上|したがって|よって|따라서)[\s,:，、：]*+(?=\S))"
)
_COPULA = re.compile(r"(?:です|である|だ|となります|になります|입니다|이다|이에요|예요)[.。]?$")
_ENDS = re.compile(r"(?P<latin>\.)\s+(?=[A-ZÀ-Þ\\*])|[。！]|[\r\n]|(?<=[^\d])!\s+(?=[A-Z])")
_WORD_BEFORE = re.compile(r"(?<![A-Za-z.])(?P<word>[A-Za-z.]{1,12})$")
_ABBREVIATIONS = frozenset(
    [
        "St",
        "Mt",
        "Ft",
        "Dr",
        "Mr",
        "Mrs",
        "Ms",
        "Prof",
        "Gen",
        "Col",
        "Capt",
        "Sgt",
        "Rev",
        "Hon",
        "Jr",
        "Sr",
        "No",
        "Nos",
        "Fig",
        "Figs",
        "Eq",
        "Ave",
        "Blvd",
        "Rd",
        "Sq",
        "vs",
        "approx",
        "ca",
        "etc",
        "e.g",
        "i.e",
        "a.m",
        "p.m",
    ]
)
# A sentence begins with these: of `Vitamin C. It helps` the initial ends one, of `J. Smith` not.
_BEGINNINGS = re.compile(
    r"(?:The|This|That|These|Those|It|Its|We|He|She|They|There|In|On|At|If|As|So|Since|Because"
    r"|Thus|Hence|Therefore|However|Note|Here|To|For|From|And|But|Both|Each|All|By|You|I|Let"
    r"|Option|When|Wait|Actually|No|Yes|Looking|\*)(?![^\W_])"
)
_QUANTITY = re.compile(rf"{_NUMBER}(?:\s?(?:{_UNIT}))?")
_QUANTITY_WITH_UNIT = re.compile(rf"{_NUMBER}\s?(?:{_UNIT})")
_LETTERS = re.compile(r"[A-JＡ-Ｊ](?:(?:\s*[,、&/]\s*|\s+(?:and|or)\s+|,\s+(?:and|or)\s+)[A-J])*")
_LATEX_COMMAND = re.compile(r"\\[A-Za-z]+|\\text\s*\{[^{}]*\}")
_FORMULA_WORD = re.compile(r"[^\W\d_]{3,}|(?<!\S)[^\W\d_]{2}(?!\S)")
_FORMULA_SIGN = re.compile(r"[\d=+*/^<>\\√π]")
# What is said about an answer and not in place of one.
_REMARK = re.compile(
    r"(?:also|not|thus|therefore|indeed|only|very|now|quite)?\s*"
    r"(?:(?:in)?correct|right|wrong|confirmed|verified|consistent|reasonable|unique|standard|rounded"
    r"|shown|given\s+(?:in|by|above|below)|based|supported|justified|plausible|valid|final|clear"
    r"|obvious|marked|as\s+(?:above|follows))\b(?!\s+(?:angle|triangle|side|hand|bar))",
    re.IGNORECASE,
)
# Characters. A value is short; a reader of longer ones would read them many times.
_LONGEST = 1000
_LONGEST_CLOSING = 200


def sentence(text: str, start: int) -> str:
    """Return what stands from `start` to the end of its sentence or line, 1000 characters at most.

    A period behind an abbreviation or an initial ends no sentence: `St. Louis`, `J. Smith`.
    """
    limit = start + _LONGEST
    for end in _ENDS.finditer(text, start, limit):
        if not (end["latin"] and _abbreviates(text, start, end)):
            return text[start : end.start()]
    return text[start:limit]


def _abbreviates(text: str, start: int, end: re.Match[str]) -> bool:
    before = _WORD_BEFORE.search(text, max(start, end.start() - 13), end.start())
    if before is None or _BEGINNINGS.match(text, end.end()):
        return False
    word = before["word"]
    initial = (len(word) == 1 and word.isupper()) or bool(re.fullmatch(r"(?:[A-Z]\.)+[A-Z]", word))
    return initial or word in _ABBREVIATIONS


def value(said: str) -> str:
    """Return the short value in what is said to be the answer: an option's letter that opens it, a
    value that closes it, or the words before a reason.
    """
    said = _without_conclusion(said)
    return _short(said) or tidy(_COPULA.sub("", _without_reasons(said)))


def is_figure(short: str) -> bool:
    """Return whether a short value is letters of options, a number with a unit, or a formula."""
    if _LETTERS.fullmatch(short) or _QUANTITY.fullmatch(short):
        return True
    bare = _LATEX_COMMAND.sub("", short)
    return bool(_FORMULA_SIGN.search(short)) and not _FORMULA_WORD.search(bare)


def is_remark(short: str) -> bool:
    """Return whether it is said about an answer, as `correct` of "the answer is correct"."""
    return _REMARK.match(short) is not None


def line_value(line: str) -> str:
    """Return the short value in a line that may be no answer: all of it where it has none."""
    return _short(_without_conclusion(line)) or tidy(line)


def _without_conclusion(line: str) -> str:
    line = line.strip("* \t#")
    conclusion = _CONCLUSION.match(line)
    return line[conclusion.end() :] if conclusion else line


def _short(line: str) -> str | None:
    if _SEVERAL.match(line):
        return tidy(_without_reasons(line))
    if option := _OPTION.match(line):
        return _letter(option)
    if corrections := list(_CORRECTION.finditer(line)):
        return value(line[corrections[-1].end() :])
    return _closing(_COPULA.sub("", _without_reasons(line)))


def _closing(line: str) -> str | None:
    if option := _CLOSING_OPTION.search(line):
        return _letter(option)
    if answered := _YES_OR_NO.match(line):
        return answered[1]
    if assignments := _ASSIGNMENTS.search(line[-_LONGEST_CLOSING:].rstrip(" .")):
        return tidy(assignments[0])
    closing = _LAST_VALUE.search(line) or _LAST_FORMULA.search(line)
    # `12 cm = 0.12 m` says the same twice.
    if closing is None or _QUANTITY_WITH_UNIT.fullmatch(line[: closing.start()].strip()):
        return None
    return tidy(closing[1])


def _without_reasons(line: str) -> str:
    reasons = _REASONS.search(line)
    line = line[: reasons.start()].rstrip() if reasons and reasons.start() else line
    reasons = _REASONS_OF_FIGURES.search(line)
    if reasons and is_figure(before := tidy(line[: reasons.start()])):
        return before
    return line


def _letter(option: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", option[1])


def tidy(text: str) -> str:
    """Return it without the LaTeX and Markdown around it; an option by its letter alone."""
    text = _LATEX_TEXT.sub(r"\1", text).strip()
    text = text.strip("*` ").rstrip(".。").strip("*` ")
    if math := _LATEX_MATH.fullmatch(text):
        text = next(filter(None, math.groups()), "")
    text = _LATEX_ESCAPE.sub(r"\1", text).strip()
    option = _OPTION.match(text)
    return _letter(option) if option and option.end() == len(text) else text
