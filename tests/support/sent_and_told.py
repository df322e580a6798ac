"""Compares what a client sent with what reached the reasoner, where the gateway may join texts."""

import json
from typing import Any

from support.agent_runs import BEGINS, ENDS, ONCE_MORE, PICTURES, Exchange

Json = dict[str, Any]

# The fields of a request that are its conversation. `model` is the reasoner's own name.
_TURNS = {"messages", "input", "system", "instructions"}
# Of chat and messages, of responses, and of the AI SDK's parts within JSON.
_TEXTS = {"text", "input_text", "output_text"}
_PICTURES = PICTURES | {"image-data", "media"}


def assert_seen(exchange: Exchange, *, base64: str, caption: str) -> None:
    """Fail unless all is told as it was sent, with the caption in place of each picture."""
    sent, told = exchange.sent.json, exchange.told.json
    assert base64 not in json.dumps(told)
    others = [{k: v for k, v in one.items() if k not in {*_TURNS, "model"}} for one in (sent, told)]
    assert others[0] == others[1]
    block = f"{BEGINS}{caption}{ENDS}"
    for name in _TURNS:
        assert _joined(_shown(told.get(name))) == _joined(_captioned(sent.get(name), base64, block))


def _captioned(value: Any, base64: str, block: str) -> Any:
    """The value with the block of a caption in place of each part that is the picture."""
    if isinstance(value, list):
        return [_captioned(one, base64, block) for one in value]
    if (parts := _parts_of_json(value)) is not None:
        return json.dumps(_captioned(parts, base64, block), ensure_ascii=False)
    if not isinstance(value, dict):
        return value
    if value.get("type") in _PICTURES:
        assert base64 in json.dumps(value)
        return {"type": "text", "text": block}
    return {name: _captioned(one, base64, block) for name, one in value.items()}


def _shown(value: Any) -> Any:
    """The value without what a reasoner is told when an earlier picture is looked at again."""
    if isinstance(value, list):
        return [_shown(one) for one in value]
    if isinstance(value, dict):
        return {name: _shown(one) for name, one in value.items()}
    if isinstance(value, str) and value.startswith(ONCE_MORE):
        return value.partition(f"{ENDS}\n")[2]
    if (parts := _parts_of_json(value)) is not None:
        return json.dumps(parts, ensure_ascii=False)
    return value


def _parts_of_json(value: Any) -> list[Json] | None:
    """The parts that a text is the JSON of, as the AI SDK writes results of tools."""
    if not isinstance(value, str) or not value.startswith('[{"type":'):
        return None
    return json.loads(value)


def _joined(value: Any) -> Any:
    """The value with one text in place of each list of nothing but texts."""
    if isinstance(value, dict):
        return {name: _joined(one) for name, one in value.items()}
    if not isinstance(value, list):
        return value
    if value and all(isinstance(one, dict) and one.get("type") in _TEXTS for one in value):
        return "\n".join(one["text"] for one in value if one["text"])
    return [_joined(one) for one in value]
