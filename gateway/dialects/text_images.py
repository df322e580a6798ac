"""Images within texts: those of Markdown whose addresses are data URLs, as chat pages store what
they generate, and a text that is as a whole a data URL, as tools give screenshots.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from gateway.dialects.image_parts import Place
from gateway.images.loader import ImageSource

_MARK = "](data:image/"
_LONGEST_DESCRIPTION = 1000
_HEAD = re.compile(r"\]\((?P<url>data:image/[^,()\s]{1,200};base64,)")
_LONGEST_HEAD = 256


_WHOLE = re.compile(r"data:(?:image/|application/pdf)[^,()\s]{0,200};base64,", re.IGNORECASE)


class _Found(NamedTuple):
    start: int
    end: int
    url: str


def is_data_url(text: str) -> bool:
    """Tell whether a text is as a whole the data URL of an image or a PDF."""
    return text.startswith("data:") and " " not in text and _WHOLE.match(text) is not None


def may_hold_images(text: str) -> bool:
    """Tell, at little cost, whether a text may be Markdown with such an image."""
    return _MARK in text


def replace_in_markdown(text: str, place: Place, *, param: str) -> str:
    """Return Markdown with what `place` returns for each image that is a data URL.

    Data URLs that stand elsewhere, in code or HTML, stay as they are. It is the text itself where
    there are none.
    """
    kept, at = [], 0
    for found in _images(text):
        kept += [text[at : found.start], place(ImageSource(found.url, param=param))]
        at = found.end
    return "".join([*kept, text[at:]]) if kept else text


def _images(text: str) -> Iterator[_Found]:
    """Yield the images, in time linear in the text's length."""
    done, closing = 0, 0
    at = text.find(_MARK)
    while at >= 0:
        begins = text.rfind("![", max(done, at - _LONGEST_DESCRIPTION), at)
        head = _HEAD.match(text, at, at + _LONGEST_HEAD)
        following = text.find(_MARK, at + len(_MARK))
        if begins >= 0 and head is not None:
            # The same end may be that of several images that have none.
            closing = closing if closing > head.end() else text.find(")", head.end())
            if closing < 0:
                return
            if following < 0 or closing < following:
                # A title may follow the address.
                url = text[head.start("url") : closing].split(maxsplit=1)[0]
                yield _Found(begins, closing + 1, url)
                done = closing + 1
        at = following
