"""How an answer is announced, in the languages that models answer in.

Sources: the multilingual patterns of OpenAI's simple-evals, OpenCompass's postprocessors of options
(first_option_postprocess), GSM8K's `####`, MMLU-Pro's "the answer is (X)".
"""

import re
from typing import NamedTuple

# What a sentence calls the answer: English, German, French, Spanish, Portuguese, Italian, Dutch,
# Russian, Turkish, Polish, Indonesian, Swahili, Arabic, Hindi, Bengali, Chinese, Japanese, Korean.
_NOUNS = (
    r"\b(?:answer|ans|(?:correct|right|best|final|my)\s+(?:choice|option)"
    r"|final\s+(?:result|value)(?!\s+of\b)|correct\s+one"
    r"|Antwort|Lösung|(?:End)?ergebnis|réponse|respuesta|resposta|risposta|antwoord"
    r"|ответ|cevap|odpowiedź|jawaban|jibu)\b"
    r"|الإجابة|الجواب|उत्तर|উত্তর"
    r"|答案(?:选项|選項)?|正[确確]的?[选選][项項]|最终结果|答え|正解|解答|回答|정답|답변|답"
    r"|(?<![^\W_])答(?=\s*[：:])"
)
# In "answer A is wrong" the letter is no preposition.
_ADJECTIVES = (
    r"(?:\s+(?:choice|option|letter|correcta?|correcte|corretta|finale?|juste|exacta"
    r"|therefore|thus|hence|then|here|[A-Z]{1,2}(?=\s*=))){0,2}"
    r"(?:\s+(?:to|for|from|among|of|in|auf|zu|für|(?-i:à|a|de|del|alla))\b"
    r"(?:[ \t]{1,3}+[^\s.:=：。]{1,40}+){1,12}?)?"
    r"(?:\s*,[^,.:\n]{1,30},)?"
)
_LINKS = (
    r"\s*+(?:(?:is|was)(?=n['’]t)|(?:is|was|equals|becomes|ist|lautet|wäre|(?:n['’])?est|(?:no\s+)?es|é|è"
    r"|это)(?![^\W_])"
    r"|(?:must|should|would|will|can\s+only|has\s+to|comes\s+out\s+to)\s+be\b"
    r"|(?:应该|應該|应当|应)?(?:不?是|不?为|為|选|選)|は|은|는|[:：=】]|[-=]+>|→|(?<=\s)[–—-](?=\s)"
    r"|(?=(?-i:\([A-J]\))))"
)
# Between the announcement and the answer.
_FILLERS = (
    r"[\s:：*、]*+(?:(?:therefore|thus|hence|simply|indeed|clearly|actually|given\s+by|obviously"
    r"|definitely|the\s+letter|also|daher|somit|donc|por\s+(?:lo\s+)?tanto|entonces"
    r"|la(?=\s+\(?[A-J]\b)"
    # Before words these may be part of the answer: "Still life", "About a Boy".
    r"|(?:then|just|exactly|still|approximately|approx\.?|about|roughly|around|now)"
    r"(?=[\s:*,]*+[-+−$€£¥\d\\(]))"
    r"(?![^\W_])[\s:：*,]*+|大?约)*+(?:(?:\\\[|\$\$)[ \t]*\n\s*+)?"
)
_HEADING = r"^[#* \t]*+(?:(?:the|my|final|correct|short)[ \t]+)*answer[* \t]*+$(?=\n)"
_GSM8K = r"^####[ \t]*+(?=[-+$€£]?\d[\d.,/]*+%?[ \t]*+$)"
_JSON = r"[\"'](?:final[_ ]?)?answer[\"']\s*+:\s*+"
_LETTER = r"(?P<{}>(?-i:[A-JＡ-Ｊ]))"
_BRACKETED = r"[(（\[【]?{}[)）\]】]?(?![A-Za-z])"
# "Option D is correct", in which the letter comes first.
_VERB = (
    r"\s+(?:is|must\s+be|would\s+be|ist|est|es)\s+"
    r"(?:(?:thus|therefore|indeed|clearly|the|our|my|die|la|only)\s+)*+"
)
# Without the word before it, a letter may be an angle that is right, a statement that is correct.
_VERDICT = (
    rf"\b(?:option|choice|answer|antwort|réponse|opción)\s+"
    rf"{_BRACKETED.format(_LETTER.format('option'))}{_VERB}"
    r"(?:correct|right|best|richtig|korrekt|bonne|correcte|correcta)"
    r"(?=\s*+(?:[*.,;:!)]|$|(?:one|answer|option|choice|because|since|as|and)\b))"
    rf"|(?<![\w-]){_BRACKETED.format(_LETTER.format('answer'))}{_VERB}"
    r"(?:(?:(?:correct|right|best|final|richtige|bonne)\s+)?"
    r"(?:answer|option|choice|antwort|réponse|respuesta)\b)"
    rf"|(?:^|[.,:;!?]\s|\b(?:so|that|only|thus|hence|therefore)\s)"
    rf"{_BRACKETED.format(_LETTER.format('correct'))}{_VERB}correct\b(?!\s+(?:only|if|about))"
)
_CJK_VERDICT = (
    rf"(?<![A-Za-z])"
    rf"{_BRACKETED.format(_LETTER.format('cjk_verdict'))}\s*+(?:选项|選項|项|項)?+\s*+"
    r"(?:是?(?:正确|正確)|是?对的|[がは](?:正し|正解)|[가이]?\s*+정답|[가이]\s*+맞)"
)
_CHOSEN = (
    rf"(?:(?:^[ \t*]*+|\bthe\s+)(?:option|choice)\s*+(?:is\b|:)[\s*:]*+"
    rf"{_BRACKETED.format(_LETTER.format('named'))}(?=[\s.)*]*$|\.\s)"
    r"|\b(?:choose|select|pick|go(?:ing)?\s+with)\s+(?:(?:the|option|choice|answer)\s+)*"
    rf"{_BRACKETED.format(_LETTER.format('chosen'))}"
    r"(?=[\s.)]*$|[.,]\s|\s+(?:because|since)\b)"
    rf"|[选選]择?\s*+[：:]?+\s*+{_BRACKETED.format(_LETTER.format('cjk_chosen'))}"
    r"(?=\s*+(?:$|[。，,.；;、！!项項]|作[为為]答案)))"
)
_ANNOUNCED = re.compile(
    rf"(?P<json>{_JSON})|(?P<label>{_HEADING}|{_GSM8K})|{_VERDICT}|{_CJK_VERDICT}|{_CHOSEN}"
    rf"|(?P<phrase>(?:{_NOUNS}){_ADJECTIVES}{_LINKS})",
    re.IGNORECASE | re.MULTILINE,
)
_AFTER = re.compile(_FILLERS, re.IGNORECASE)
_LETTERS = ("option", "answer", "correct", "cjk_verdict", "named", "chosen", "cjk_chosen")
_UNDECIDED = re.compile(r"\b(?:n?or|if|whether|neither|not)\s+(?:\w+\s+)?\(?$", re.IGNORECASE)
_NEGATIVE_LINK = re.compile(r"(?:\bno\s+es|n['’]est|不[是为])$", re.IGNORECASE)
# "Not given" is an answer, "not 5" is none.
_NEGATION = re.compile(
    r"\s*(?:n['’]t|not(?!\s+(?:only|given|visible|shown|specified|stated|mentioned|provided|enough"
    r"|sufficient|available|possible|present|applicable|known|clear|legible|readable)\b)"
    r"|nicht|pas|never(?![\s.*]*$)|neither)\b",
    re.IGNORECASE | re.MULTILINE,
)
_INSTEAD = re.compile(
    r"(?:\b(?:but|rather|instead|sondern|sino|mais|(?:it|this|that)(?:['’]s|\s+is))\b|而是)"
    r"(?!\s+not\b)(?:\s+(?:rather|instead|actually|also|really)\b)*[\s:,]*",
    re.IGNORECASE,
)
_JSON_VALUE = re.compile(
    r"\"(?P<double>(?:[^\"\\\n]++|\\.)*+)\"|'(?P<single>(?:[^'\\\n]++|\\.)*+)'|(?P<bare>[^\s,}\]]++)"
)
# How far a correction may stand behind what it corrects.
_NEAR = 200


_FINAL = re.compile(r"\bfinal\b", re.IGNORECASE)
_LINE_BEGINS = re.compile(r"^[ \t#*>-]*\Z", re.MULTILINE)


class Announced(NamedTuple):
    """Where the text that holds an answer begins; `end` only where it is certain.

    `is_field` tells a field of JSON, in whose other fields the answer may be spoken about;
    `is_final` a heading, a line "Answer: …", or what is called final.
    """

    start: int
    end: int | None = None
    is_field: bool = False
    is_final: bool = False


def announcements(text: str) -> list[Announced]:
    """Return what is announced as the answer, in order; what is said not to be it is left out."""
    return [found for match in _ANNOUNCED.finditer(text) if (found := _announced(match, text))]


def _announced(match: re.Match[str], text: str) -> Announced | None:
    for name in _LETTERS:
        if match[name]:
            undecided = _UNDECIDED.search(text, max(0, match.start() - 20), match.start(name))
            return None if undecided else Announced(*match.span(name))
    if match["json"]:
        value = _JSON_VALUE.match(text, match.end())
        return Announced(*value.span(value.lastgroup or 0), is_field=True) if value else None
    start = match.end()
    if match["phrase"]:
        negation = _NEGATION.match(text, start)
        if negation or _NEGATIVE_LINK.search(match["phrase"]):
            instead = _INSTEAD.search(text, start, start + _NEAR)
            return Announced(instead.end()) if instead else None
    after = _AFTER.match(text, start)
    return Announced(after.end() if after else start, is_final=_is_final(match, text))


def _is_final(match: re.Match[str], text: str) -> bool:
    before = max(0, match.start() - 8)
    return (
        match["label"] is not None
        or _FINAL.search(text, before, match.end()) is not None
        or (
            match[0].endswith((":", "："))
            and _LINE_BEGINS.search(text, before, match.start()) is not None
        )
    )
