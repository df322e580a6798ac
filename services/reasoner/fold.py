"""Folds a streamed chat completion into the plain answer that the same server would give."""

from collections.abc import Mapping
from typing import Any

from racro.contracts.errors import UpstreamError

_MOST_CALLS = 128
_CONCATENATED = ("content", "reasoning_content", "reasoning", "refusal")


class Fold:
    """Folds the chunks of one stream, in their order, into the `chat.completion` of `answer()`.

    Top-level fields that are not about choices (id, usage, timings …) are kept as last seen.
    """

    def __init__(self) -> None:
        self._top: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}

    def add(self, chunk: Mapping[str, Any]) -> None:
        for choice in chunk.get("choices") or ():
            self._add_choice(choice)
        self._top |= {name: value for name, value in chunk.items() if name != "choices"}

    def _add_choice(self, piece: Mapping[str, Any]) -> None:
        choice = self._choices.setdefault(
            piece["index"],
            {
                "index": piece["index"],
                "message": {"role": "assistant", "content": None},
                "finish_reason": None,
            },
        )
        choice["finish_reason"] = piece.get("finish_reason") or choice["finish_reason"]
        for name, tokens in (piece.get("logprobs") or {}).items():
            choice.setdefault("logprobs", {}).setdefault(name, []).extend(tokens or ())
        _add_delta(choice["message"], piece.get("delta") or {})

    def answer(self) -> dict[str, Any]:
        choices = [self._choices[index] for index in sorted(self._choices)]
        whole = [choice | {"message": _joined(choice["message"])} for choice in choices]
        return {**self._top, "object": "chat.completion", "choices": whole}


def _add_delta(message: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for name, value in delta.items():
        if value is None:
            continue
        if name in _CONCATENATED:
            message[name] = message.get(name) or []
            message[name].append(value)
        elif name == "tool_calls":
            for call in value:
                _add_tool_call(message.setdefault("tool_calls", []), call)
        else:
            message[name] = value


def _joined(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message with its texts whole, which are in pieces while they come."""
    joined = {
        name: "".join(value) if value and name in _CONCATENATED else value
        for name, value in message.items()
    }
    if calls := message.get("tool_calls"):
        joined["tool_calls"] = [
            call | {"function": {name: "".join(texts) for name, texts in call["function"].items()}}
            for call in calls
        ]
    return joined


def _add_tool_call(calls: list[dict[str, Any]], piece: Mapping[str, Any]) -> None:
    index = piece["index"]
    if index >= _MOST_CALLS:
        raise UpstreamError(f"the engine calls more than {_MOST_CALLS} tools at once")
    while len(calls) <= index:
        calls.append({"id": None, "type": "function", "function": {"name": [], "arguments": []}})
    call = calls[index]
    call["id"] = piece.get("id") or call["id"]
    call["type"] = piece.get("type") or call["type"]
    for name, value in (piece.get("function") or {}).items():
        call["function"].setdefault(name, []).append(value or "")
