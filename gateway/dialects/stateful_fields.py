"""Refuses what refers to earlier responses, which servers of copies do not keep.

OpenAI's responses can continue one that the server keeps, by its id. A reasoner with several
servers has nothing to continue in any but one of them.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, Raw, UnsetType

from racro.contracts.errors import InvalidRequest
from racro.servekit.responses import NotJson

_FIELDS = ("previous_response_id", "conversation", "background")
_ABSENT = (b"null", b"false")
_REFERENCE = "item_reference"
# A reference holds an id and its type.
_LARGEST_REFERENCE = 1024


class _Item(msgspec.Struct):
    """What tells a reference from other items. Its type may be left out."""

    type: str | None = None
    id: Raw | UnsetType = UNSET
    role: Raw | UnsetType = UNSET

    @property
    def is_reference(self) -> bool:
        if self.type is None:
            return self.id is not UNSET and self.role is UNSET
        return self.type == _REFERENCE


_decode_item = msgspec.json.Decoder(_Item).decode


def check_stateless(fields: Mapping[str, Raw], items: Sequence[Raw] = ()) -> None:
    """Raise InvalidRequest for a request that refers to earlier responses, naming the field.

    `fields` are those of the request, `items` those of its `input` where that is a list. What is
    null or false counts as absent. Items that are larger than a reference are not decoded.
    """
    for name in _FIELDS:
        if name in fields and not _is_absent(fields[name]):
            raise InvalidRequest(f"{name}: {_WHY}", param=name)
    for index, item in enumerate(items):
        if memoryview(item).nbytes <= _LARGEST_REFERENCE and _is_reference(item):
            raise InvalidRequest(f"input[{index}]: {_WHY}", param=f"input[{index}]")


_WHY = (
    "no response is kept here between requests; send the whole conversation, or ask a reasoner "
    "that is stateful"
)


def _is_absent(value: Raw) -> bool:
    return memoryview(value).nbytes <= len(max(_ABSENT, key=len)) and bytes(value) in _ABSENT


def _is_reference(item: Raw) -> bool:
    try:
        return _decode_item(item).is_reference
    except NotJson:
        return False  # Of no known shape: the server's to judge.
