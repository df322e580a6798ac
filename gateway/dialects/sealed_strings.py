"""Strings of JSON that are encrypted or signed: whoever made them refuses them once changed.

They are base64, which may by chance begin as a picture does.
"""

import re

# As OpenAI, Anthropic, Google, OpenRouter and the AI SDK name them.
_NAME = re.compile(
    r"(?P<name>encrypted_[a-z_]{1,32}|encryptedContent|reasoningEncryptedContent"
    r"|redacted_?[dD]ata|thought_?[sS]ignatures?|signature|data)"
    r"\\{0,64}[\"']\s{0,64}:\s{0,64}\\{0,64}[\"']\Z"
)
# A handwritten one may be a picture; as a data URL it says so.
_MAY_BE_PICTURE = "signature"
# Of many objects; it is sealed in those of a few types.
_OF_OBJECT = "data"
_SEALED_OBJECT = re.compile(
    r"type\\{0,64}[\"']\s{0,64}:\s{0,64}\\{0,64}[\"']"
    r"(?:redacted_thinking|redacted-reasoning|reasoning\.encrypted)\\{0,64}[\"']"
)
_BEFORE = 400
_QUOTES = ('"', "'")


class SealedStrings:
    """Tells of places of a text, asked for in order, whether they are in such a string."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._quote = -1

    def holds(self, start: int, end: int, *, as_data_url: bool) -> bool:
        """Tell whether base64 from `start` to `end` is in one."""
        text = self._text
        # Such a string has no quotation mark in it: the last one before begins it.
        found = max(text.rfind(quote, self._at, start) for quote in _QUOTES)
        self._quote = max(self._quote, found)
        self._at = max(start, self._at)
        if self._quote < 0:
            return False
        before = text[max(0, self._quote + 1 - _BEFORE) : self._quote + 1]
        named = _NAME.search(before)
        if named is None or (as_data_url and named["name"] == _MAY_BE_PICTURE):
            return False
        if named["name"] != _OF_OBJECT:
            return True
        after = text[end : end + _BEFORE]
        of_object = before.rpartition("{")[2] + after.partition("}")[0]
        return _SEALED_OBJECT.search(of_object) is not None
