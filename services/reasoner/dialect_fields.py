"""Reads the conversations of other dialects into the messages of a chat.

What has a wrong type is refused by its name; what a text-only model cannot take, too.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from racro.contracts.errors import InvalidRequest

Json = dict[str, Any]

_TEXTS = frozenset({"text", "input_text", "output_text"})
_UNREADABLE = frozenset({"image", "input_image", "image_url", "input_file", "document"})


def without(body: Mapping[str, Any], names: Iterable[str]) -> Json:
    """Return the fields of a body that have a value, but for those of these names."""
    left_out = set(names)
    return {
        name: value for name, value in body.items() if value is not None and name not in left_out
    }


def objects(value: Any, where: str) -> list[Json]:
    """Return a list of objects. Raises InvalidRequest for something else."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise InvalidRequest(f"{where}: a list of objects is expected", param=where)
    return value


def object_of(value: Any, where: str) -> Json:
    """Return an object, an empty one for null. Raises InvalidRequest for something else."""
    if not isinstance(value or {}, dict):
        raise InvalidRequest(f"{where}: an object is expected", param=where)
    return value or {}


def text_of(value: Any, where: str) -> str:
    """Return a text. Raises InvalidRequest for something else."""
    if not isinstance(value, str):
        raise InvalidRequest(f"{where}: a text is expected", param=where)
    return value


def texts(content: Any, where: str) -> str | list[Json]:
    """Return the text of a message's content as a chat has it; parts of other kinds are left out.

    Raises InvalidRequest where it has an image or a file, or is no content.
    """
    if content is None or isinstance(content, str):
        return content or ""
    return [*_text_parts(objects(content, where), where)]


def _text_parts(parts: list[Json], where: str) -> Iterator[Json]:
    for place, part in _opened(parts, where):
        kind = _kind(part, place)
        if kind in _UNREADABLE:
            raise InvalidRequest(f"{place}: this model reads texts alone", param=place)
        if kind in _TEXTS:
            yield {"type": "text", "text": text_of(part.get("text"), f"{place}.text")}
        elif kind == "refusal":
            yield {"type": "text", "text": text_of(part.get("refusal"), f"{place}.refusal")}


def _opened(parts: list[Json], where: str) -> Iterator[tuple[str, Json]]:
    """Yield each part with its place; those within documents and search results, not these.

    One level is opened, as Anthropic's messages have no more.
    """
    for number, part in enumerate(parts):
        place = f"{where}[{number}]"
        kind = _kind(part, place)
        if kind == "search_result":
            yield from _held(part.get("content"), f"{place}.content")
            continue
        source = object_of(part.get("source"), f"{place}.source") if kind == "document" else {}
        if source.get("type") == "text":
            yield f"{place}.source", {"type": "text", "text": _data(source, place)}
        elif source.get("type") == "content":
            yield from _held(source.get("content"), f"{place}.source.content")
        else:
            yield place, part


def _kind(part: Json, place: str) -> str:
    return text_of(part.get("type") or "", f"{place}.type")


def _data(source: Json, place: str) -> str:
    return text_of(source.get("data"), f"{place}.source.data")


def _held(content: Any, where: str) -> Iterator[tuple[str, Json]]:
    if isinstance(content, str):
        yield where, {"type": "text", "text": content}
        return
    for number, part in enumerate(objects(content, where)):
        yield f"{where}[{number}]", part


def tool_call(call_id: Any, name: Any, arguments: str) -> Json:
    """Return a call of a tool as a chat has it."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
