r"""Breaks, in text from outside, what chat templates and our own prompts give a meaning to.

A tokenizer turns text that is written exactly like one of its control tokens into that token, so
that a question or a caption could end its turn and speak as the system. Models and their tokens
are too many to be listed: what has the shape of one is broken, by a space after its bracket.

The line is drawn at a word in angle brackets: `<role>` and `<end_of_turn>` are tokens of chat
templates, and `<String>` might be. A tokenizer looks at nothing around it, so `List<String>` is
broken with them. These stay as they are:

- brackets with a space in them, or that nothing closes: `<div class="x">`, `a < b`, `x[i]<y`;
- HTML's elements of formatted text in small letters, `<td>`, `<b>`, `<br/>`: tokenizers that have
  them (Gemma's) mean nothing else by them. `<s>`, `<img …>` and CodeLlama's `<PRE>` are tokens;
- numbers, and what has a character that no control token has: `<2>`, `<stdio.h>`, `<a,b>`,
  `<x|y>`, `<std::string>`, `<https://example.org>`;
- square brackets around anything but one word in capitals: `[1]`, `x[I]`, `[A-Z]`, `[Figure 2]`.

Each function takes time linear in the length of the text, and leaves its own result as it is.
"""

import re
from collections.abc import Iterator

# No space, no bracket, and nothing that says an address, a path, a list or a formula.
_WORD = r"[^ \t\r\n\f\v<>＜＞﹤﹥‹›()\[\]{}|｜.,;:@/\\=\"'&*+^%$-]++"
_CLOSED = "[>＞﹥›]"
_KEPT = (
    r"\d++|(?:a|b|blockquote|br|caption|center|code|col|colgroup|dd|del|div|dl|dt|em|h[1-6]|hr|i"
    "|ins|li|ol|p|pre|small|span|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|u|ul)"
)
_IN_ANGLES = (
    r"[|｜\]]"  # <|im_start|>, DeepSeek's wide bar, MiniMax's <]image[>
    rf"|(?=/?+{_WORD}(?:[:-]{_WORD})*+[|｜]?+{_CLOSED})(?!/?+(?:{_KEPT}){_CLOSED})"
    r"|(?i:image|img|video|audio)\s[^<>]*+>"
)
_IN_SQUARES = (
    r"[|｜]"  # EXAONE's [|system|]
    r"|/?+[a-z]?[A-Z][A-Z0-9_]++[\]］]"  # [INST], [/INST], [gMASK], [UNUSED_TOKEN_146]
    r"|@\w++@\]"  # Gemma's [@BOS@]
    r"|\w{0,8}+~"  # MiniMax's [e~[
    r"|img(?:-\d++)?\]"  # where Ollama puts an image
)
# What follows an opening bracket; none has a second one in it.
_TOKENS = {
    bracket: re.compile(rf"{re.escape(bracket)}(?=[^ {re.escape(bracket)}])(?={inner})")
    for brackets, inner in (
        ("<＜﹤‹", _IN_ANGLES),
        ("[［", _IN_SQUARES),
        ("]", r"~|!\w{0,8}+~"),  # MiniMax's ]~b] and ]~!b[
    )
    for bracket in brackets
}
# Falcon's >>QUESTION<<, Fuyu's |SPEAKER|.
_OTHERS = re.compile(r">(?=>[A-Z]++<<)|\|(?=(?:ENDOFTEXT|NEWLINE|SPEAKER)\|)")
# What a reader does not see.
_INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_BEFORE_CONTEXT, _CONTEXT = (f"[{_INVISIBLE}]*+".join(part) for part in ("visual_", "context"))
# Our fence, by its name: in text from outside there is none, however it is bracketed.
_FENCE = re.compile(rf"(?i:{_BEFORE_CONTEXT})(?=[{_INVISIBLE}]*+(?i:{_CONTEXT}))")
_BLANK = rf"[ \t\xa0\u3000{_INVISIBLE}]*+"
_HEADING = re.compile(
    rf"[\n\r\f\v\x1c-\x1e\x85\u2028\u2029]{_BLANK}(?=[#＃]{_BLANK}[#＃]{_BLANK}[#＃])"
)
# No other thread runs while a pattern is searched for: of so many characters it takes milliseconds.
_PIECE = 64 * 2**10


def neutralise(text: str) -> str:
    """Break every control token of chat templates, and our own fence, so that text stays text.

    A space after the opening bracket is enough: tokenizers match special tokens exactly. The name
    of the fence is broken within, for a model that reads it is less exact.
    """
    for bracket, token in _TOKENS.items():
        if bracket in text:
            text = _insert(" ", token, text, border=bracket)
    if ">>" in text or "|" in text:
        text = _insert(" ", _OTHERS, text, border="\n")
    return _insert(" ", _FENCE, text, border="\n") if "_" in text else text


def escape_headings(text: str) -> str:
    r"""Escape, as Markdown does, each line's beginning that looks like one of racro-v1's headings.

    A line of three or more `#`, apart or not, begins with `\#` then. The first line is left as it
    is: it stands behind a heading of ours, in the same line.
    """
    return _insert("\\", _HEADING, text, border="\n") if "#" in text or "＃" in text else text


def _insert(inserted: str, pattern: re.Pattern[str], text: str, *, border: str) -> str:
    """Insert a text behind all that a pattern matches; no match goes across a border."""
    pieces = _pieces(text, border)
    return "".join(pattern.sub(lambda match: match[0] + inserted, piece) for piece in pieces)


def _pieces(text: str, border: str) -> Iterator[str]:
    """Yield a text in pieces, of which all but the first begin with the border."""
    start = 0
    while start < len(text):
        end = text.find(border, start + _PIECE)
        end = end if end > 0 else len(text)
        yield text[start:end]
        start = end
