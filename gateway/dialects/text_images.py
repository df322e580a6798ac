"""Images within texts and JSON, as tools and chat pages write them: replaced, and no more.

The text around an image stays as it is, to the byte. Nothing is made of parsed JSON, so that it
may be cut off, nested, or of another language's spelling.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from gateway.dialects.base64_runs import (
    LEAST_ALONE,
    Run,
    base64_runs,
    may_hold_base64,
    unescaped,
)
from gateway.dialects.image_parts import Place, is_image_part
from gateway.dialects.sealed_strings import SealedStrings
from gateway.images.loader import ImageSource
from racro.contracts.prompts import LEFT_OUT_IMAGE

_LONGEST_HEAD = 600
_HEAD = re.compile(
    r"data(?::|%3a)(?P<type>[^<>{}\n;,]{0,127})[^<>{}\n]{0,400}?base64(?:,|%2c)"
    r"(?:\s|\\{1,32}[nrt]|%0[aAdD]|%20){0,64}\Z",
    re.IGNORECASE,
)
_SEEN_TYPES = ("image", "application/pdf")
# What is shown of an image in words: its beginning, and something in the place of the rest.
_CUT = re.compile(r"\.\.|\u2026|\\{1,32}u2026|[\[{$<*%]")
_SPACE = r"(?:\s|\\{1,32}[nrt]){0,64}"
_QUOTE = r"(?P<slashes>\\{0,64})(?:[\"']|u0022|u0027)"
_OPENING = re.compile(rf"{_QUOTE}{_SPACE}\Z")
_CLOSING = re.compile(rf"{_SPACE}{_QUOTE}")
_AROUND = 200
_QUOTES = re.compile(_QUOTE)
_IN_MARKDOWN = re.compile(rf"\]\({_SPACE}<?\Z")
_END_OF_MARKDOWN = re.compile(
    rf"{_SPACE}>?{_SPACE}"
    r"(?:(\\{0,32}[\"']).{0,400}?\1|\([^()]{0,400}(?:\([^()]{0,400}\))?\))?"
    rf"{_SPACE}\)"
)
_LONGEST_TITLE = 500
# Objects that hold the field of a part, and the part.
_MOST_OBJECTS = 3
_LONGEST_FIELDS = 600
# One of them is in every part.
_NAMES_OF_PARTS = ("type", "inline_data", "inlineData")
_LINK = re.compile(r"(?:(?<=image)|(?<=file))-url\\{0,32}[\"']")
# Deeper, escaped line breaks would take more room than the text.
_MOST_ESCAPED = 4
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder()
_skimmer = msgspec.json.Decoder(msgspec.Raw)
# Of one text. The others are left out unseen.
_MOST_IMAGES = 4096
# Of a text that has JSON on each line.
_MOST_LINES = 2**16
# Before the last link that is taken from a text.
_MOST_QUOTES = 2**18
_JSON_ENDS = {"{": "}", "[": "]", '"': '"'}
_DOUBLE_QUOTE = re.compile(r"(?P<slashes>\\{0,64})(?:\"|(?<=\\)u0022)")
_BEGINS_JSON = re.compile(rf"{_SPACE}[\[{{]")


class _Found(NamedTuple):
    """What is replaced, and the image's content. `level`: of so many strings it is a part, each
    within the next; `as_part`: it is a whole object.
    """

    start: int
    end: int
    content: str
    level: int = 0
    as_part: bool = False


def may_hold_images(text: str) -> bool:
    """Tell, at little cost, whether a text may have images; False is certain."""
    # The end of image-url and of file-url.
    return may_hold_base64(text) or "e-url" in text


def replace_images(text: str, place: Place, *, param: str, with_links: bool = False) -> str | None:
    """Return a text with what `place` returns for each image in it; None where there are none.

    An image is base64 that begins as a known picture or a PDF does: as a data URL, as a whole
    string or text, or of 200 characters or more. So are data URLs of other images, which are
    refused by name, and `with_links`, in a text that is JSON, the links of the AI SDK's parts. An
    object that is no more than an image part becomes a text part.
    """
    if not may_hold_images(text):
        return None
    kept, at = [], 0
    for number, found in enumerate(_found(text, with_links=with_links and _seems_json(text))):
        source = ImageSource(found.content, param=param, may_be_left_out=True)
        seen = place(source) if number < _MOST_IMAGES else LEFT_OUT_IMAGE
        kept += [text[at : found.start], _written(seen, found)]
        at = found.end
    return "".join([*kept, text[at:]]) if kept else None


def _seems_json(text: str) -> bool:
    """Tell whether a text begins and ends as an object or a list of JSON does."""
    first, last = _ends(text)
    return first in {"{", "["} and last in {"}", "]"}


def _ends(text: str) -> tuple[str, str]:
    """Return the first and the last character of a text, without the space around it."""
    first, last = text[:_AROUND].lstrip("\ufeff \t\r\n")[:1], text[-_AROUND:].rstrip()[-1:]
    return first, last


def _found(text: str, *, with_links: bool) -> Iterator[_Found]:
    done, strings, sealed = 0, _Strings(text), SealedStrings(text)
    links = islice(_links(text), _MOST_IMAGES) if with_links else iter(())
    link = next(links, None)
    for run in base64_runs(text):
        while link is not None and link.end <= run.start:
            if link.start >= done:
                yield link
                done = link.end
            link = next(links, None)
        if run.start >= done and (found := _of_run(text, run, done, strings, sealed)):
            yield found
            done = found.end
    while link is not None:
        if link.start >= done:
            yield link
        link = next(links, None)


def _of_run(
    text: str, run: Run, done: int, strings: "_Strings", sealed: SealedStrings
) -> _Found | None:
    """Return the image that a run is, if it is one; nothing before `done` belongs to it."""
    begins = max(done, run.start - _LONGEST_HEAD)
    head = _head(text[begins : run.start])
    if head is None and not run.is_sure:
        return None
    if sealed.holds(run.start, run.end, as_data_url=head is not None):
        return None
    start = run.start if head is None else begins + head.start()
    opening = _OPENING.search(text[max(done, start - _AROUND) : start])
    closing = _CLOSING.match(text[run.end : run.end + _AROUND])
    quote = opening if closing else None
    around = text[max(0, start - _AROUND) : start] + text[run.end : run.end + _AROUND]
    is_whole = quote is not None or not around.strip("\ufeff \t\r\n")
    if not _is_image(text, run, head, is_whole=is_whole):
        return None
    content = f"data:;base64,{unescaped(text[run.start : run.end])}"
    if quote is None:
        found = _Found(start, run.end, content)
        found = _whole_markdown(text, found, done) if head else found
        return found._replace(level=strings.level_at(found.start))
    if not _DOUBLE_QUOTE.match(quote[0]):
        level = max(_level(quote), strings.level_at(start))
        return _Found(start, run.end, content, level)
    found = _Found(start, run.end, content, _level(quote))
    return _whole_part(text, found, done) or found


def _head(before: str) -> re.Match[str] | None:
    lowered = before.lower()
    begins = max(lowered.rfind("data:"), lowered.rfind("data%3a"))
    return _HEAD.match(before, begins) if begins >= 0 else None


def _is_image(text: str, run: Run, head: re.Match[str] | None, *, is_whole: bool) -> bool:
    length = run.end - run.start
    if length < LEAST_ALONE and _CUT.match(text, run.end):
        return False
    if head is not None:
        says_so = head["type"].strip().lower().replace("\\", "").startswith(_SEEN_TYPES)
        return run.is_known or (says_so and length > LEAST_ALONE)
    return run.is_sure and (is_whole or length >= LEAST_ALONE)


def _level(quote: re.Match[str]) -> int:
    """Return of how many strings within each other a quotation mark begins the innermost."""
    return len(quote["slashes"]).bit_length() + 1


class _Strings:
    """The strings of JSON that places of a text are in. They are asked for in order, so that a text
    is gone through once.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._is_json: bool | None = None
        self._at = 0
        self._quote = -1

    def level_at(self, at: int) -> int:
        """Return at least how many strings a place is in; 0 in a text that is no JSON.

        What quotation marks a string has within it are of a deeper level than its own, so that the
        last one before tells a level that is deep enough.
        """
        text, last = self._text, self._quote
        escaped = text.rfind("\\u0022", self._at, at)
        self._quote = max(last, escaped + (escaped >= 0), text.rfind('"', self._at, at))
        self._at = max(at, self._at)
        if self._quote < 0:
            return 0
        if self._is_json is None:
            self._is_json = _is_json(text)
        before = text[max(0, self._quote - _AROUND) : self._quote]
        slashes = len(before) - len(before.rstrip("\\"))
        return slashes.bit_length() + 1 if self._is_json else 0


def _is_json(text: str) -> bool:
    """Tell whether a text is JSON, or JSON on each line, as a whole."""
    first, last = _ends(text)
    if last not in _JSON_ENDS.values() or first not in _JSON_ENDS:
        return False
    # Python writes these, and reads them.
    text = text.lstrip("\ufeff").replace("NaN", "null").replace("-Infinity", "0")
    encoded = text.replace("Infinity", "0").encode(errors="replace")
    try:
        _skimmer.decode(encoded)
    except RecursionError:
        return False
    except msgspec.DecodeError:
        return _is_json_by_lines(encoded)
    return True


def _is_json_by_lines(encoded: bytes) -> bool:
    if not 0 < encoded.count(b"\n") <= _MOST_LINES:
        return False
    try:
        for line in encoded.split(b"\n"):
            if line.strip():
                _skimmer.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _whole_markdown(text: str, found: _Found, done: int) -> _Found:
    """Return the Markdown of an image around its address, if there is any."""
    opening = _IN_MARKDOWN.search(text[max(done, found.start - _AROUND) : found.start])
    closing = _END_OF_MARKDOWN.match(text[found.end : found.end + _LONGEST_TITLE])
    if opening is None or closing is None:
        return found
    begins = text.rfind("![", done, found.start)
    described = text[begins : found.start - len(opening[0])]
    if begins < 0 or "](" in described or "\n\n" in described:
        return found
    return found._replace(start=begins, end=found.end + closing.end())


def _whole_part(text: str, found: _Found, done: int) -> _Found | None:
    """Return the object around a string, if it is an image part and no more."""
    starts, ends = [], []
    begins, end = found.start, found.end
    around = text[max(done, begins - _LONGEST_FIELDS) : begins] + text[end : end + _LONGEST_FIELDS]
    if not any(name in around for name in _NAMES_OF_PARTS):
        return None
    for _ in range(_MOST_OBJECTS):
        begins = text.rfind("{", max(done, found.start - _LONGEST_FIELDS), begins)
        end = text.find("}", end, found.end + _LONGEST_FIELDS) + 1
        if begins >= 0:
            starts.append(begins)
        if not end:
            break
        ends.append(end)
    for begins in reversed(starts):
        for end in reversed(ends):
            before, after = text[begins : found.start], text[found.end : end]
            if is_image_part(_decoded(before + after, found.level)):
                return found._replace(start=begins, end=end, as_part=True)
    return None


def _decoded(json: str, level: int) -> object:
    slashes = "\\" * (2 ** (level - 1) - 1) if level <= _MOST_ESCAPED else ""
    if slashes:
        json = json.replace(slashes + '"', '"').replace(slashes + "n", " ").replace("\\" + '"', "")
    try:
        return _decoder.decode(json)
    except (msgspec.DecodeError, RecursionError):
        return None


def _links(text: str) -> Iterator[_Found]:
    """Yield the AI SDK's parts with addresses, of JSON that is a whole text or a whole string."""
    done, at, nesting = 0, text.find("-url"), _Nesting(text)
    while at >= 0:
        mark, at = _LINK.match(text, at), text.find("-url", at + 1)
        if mark is None:
            continue
        quote = _QUOTES.search(mark[0])
        begins = text.rfind("{", max(done, mark.start() - _LONGEST_FIELDS), mark.start())
        end = text.find("}", mark.end(), mark.end() + 4 * _LONGEST_FIELDS) + 1
        if begins < 0 or not end or quote is None:
            continue
        level = _level(quote)
        part = _decoded(text[begins:end], level)
        if is_image_part(part) and isinstance(part, dict) and _is_link(url := part.get("url")):
            if nesting.is_of_json(begins, level):
                yield _Found(begins, end, str(url), level, as_part=True)
            done = end


class _Nesting:
    """Tells of places of JSON, asked for in order, whether the strings around them are JSON."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._left = _MOST_QUOTES
        # Of each string around: whether it begins as JSON does.
        self._around: list[bool] = []

    def is_of_json(self, at: int, level: int) -> bool:
        """Tell whether an object, whose strings are of `level`, is in strings of JSON alone.

        Behind very many quotation marks it is taken for no such object.
        """
        while self._left and (quote := self._text.find('"', self._at, at)) >= 0:
            between = self._text[self._at : quote]
            self._pass(quote, len(between) - len(between.rstrip("\\")))
        self._at = max(at, self._at) if self._left else self._at
        return self._left > 0 and len(self._around) == level - 1 and all(self._around)

    def _pass(self, quote: int, slashes: int) -> None:
        self._at, self._left = quote + 1, self._left - 1
        # Twice as many slashes at each level, and one; those before them are of the string's words.
        level = (slashes ^ (slashes + 1)).bit_length()
        if level <= len(self._around):
            del self._around[level - 1 :]
        elif level == len(self._around) + 1:
            self._around.append(_BEGINS_JSON.match(self._text, quote + 1) is not None)


def _is_link(url: object) -> bool:
    return isinstance(url, str) and url.strip().lower().startswith(("http://", "https://"))


def _written(seen: str, found: _Found) -> str:
    """Return what stands for an image, escaped as the strings that it is in."""
    if found.level > _MOST_ESCAPED:
        return re.sub(r'[\s"\\]+', " ", seen)
    text = _encode({"type": "text", "text": seen}).decode() if found.as_part else seen
    for _ in range(found.level - found.as_part):
        text = _encode(text).decode()[1:-1]
    return text
