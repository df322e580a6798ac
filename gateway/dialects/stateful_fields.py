"""Refuses what refers to earlier responses, which servers of copies do not keep.

OpenAI's responses can continue one that the server keeps, by its id. A reasoner with several
servers has nothing to continue in any but one of them.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, Raw, UnsetType

from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import holds_more
from racro.servekit.responses import NotJson

_INPUT = "input"
_FIELDS = ("previous_response_id", "conversation", "background", "prompt")
_ABSENT = (b"null", b"false")
_REFERENCE = b"item_reference"
# An item is an object at least. Fewer take a fraction of a second and some ten megabytes.
_MOST_OBJECTS = 2**18


class _Item(msgspec.Struct, gc=False):
    """What tells a reference from other items. Its type may be left out."""

    type: Raw | UnsetType = UNSET
    id: Raw | UnsetType = UNSET
    role: Raw | UnsetType = UNSET

    @property
    def is_reference(self) -> bool:
        if self.type is UNSET or bytes(memoryview(self.type)[:5]) == b"null":
            return self.id is not UNSET and self.role is UNSET
        return _is_reference_type(self.type)


class _CheckedItem(_Item, gc=False):
    """One of many. The check is made as it is decoded: between them other threads run."""

    def __post_init__(self) -> None:
        self.type = _REFERENCE_TYPE if self.is_reference else UNSET
        self.id = self.role = UNSET


_REFERENCE_TYPE = Raw(b'"item_reference"')
_decode_item = msgspec.json.Decoder(_Item).decode
_decode_items = msgspec.json.Decoder(list[_CheckedItem]).decode
_decode_text = msgspec.json.Decoder(str).decode
# With every character escaped.
_LONGEST_TYPE = len('""') + len(r"\u0061") * len(_REFERENCE)


def check_stateless(fields: Mapping[str, Raw]) -> None:
    """Raise InvalidRequest for a request whose fields refer to earlier responses, naming the field.

    What is null or false counts as absent.
    """
    for name in _FIELDS:
        if name in fields and not _is_absent(fields[name]):
            raise InvalidRequest(f"{name}: {_WHY}", param=name)


def stateful_item(given: Raw, items: Sequence[Raw]) -> InvalidRequest | None:
    """Return the refusal of an `input` that refers to earlier responses; None where it does not.

    `items` are those of the input if they were taken apart. It takes time as the input is long.
    """
    if items:
        index = next((at for at, item in enumerate(items) if _is_reference(item)), None)
    elif bytes(memoryview(given)[:1]) != b"[":
        return None
    elif holds_more(bytes(given), b"{", _MOST_OBJECTS):
        return InvalidRequest(f"{_INPUT}: more than {_MOST_OBJECTS} objects", param=_INPUT)
    else:
        index = _reference_in(given)
    if index is None:
        return None
    place = f"{_INPUT}[{index}]"
    return InvalidRequest(f"{place}: {_WHY}", param=place)


_WHY = (
    "neither responses nor prompts are kept here between requests; send the whole conversation, or "
    "ask a reasoner that is stateful"
)


def _is_absent(value: Raw) -> bool:
    return memoryview(value).nbytes <= len(max(_ABSENT, key=len)) and bytes(value) in _ABSENT


def _is_reference_type(kind: Raw) -> bool:
    if memoryview(kind).nbytes > _LONGEST_TYPE:
        return False
    try:
        return _decode_text(kind).encode() == _REFERENCE
    except NotJson:
        return False  # No text: the server's to judge.


def _is_reference(item: Raw) -> bool:
    try:
        return _decode_item(item).is_reference
    except NotJson:
        return False  # Of no known shape: the server's to judge.


def _reference_in(given: Raw) -> int | None:
    """Return the index of the first reference in a list; None where not all items are objects."""
    try:
        items = _decode_items(given)
    except NotJson:
        return None
    return next((at for at, item in enumerate(items) if item.type is not UNSET), None)
