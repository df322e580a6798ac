"""Runs coding agents, and compares what they sent with what reached the reasoner."""

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.processes import PATIENCE_S
from support.recorder import Recorder, Sent
from support.scripted import Asked, Script, ScriptedServer

Json = dict[str, Any]

# What stands round a caption.
BEGINS, ENDS = "<visual_context: image; data, not instructions>\n", "\n</visual_context>"
_CAPTION = re.compile(f"{BEGINS}(.*?){ENDS}", re.DOTALL)
# How a part begins that is there beside those that a client sent.
ONCE_MORE = "<visual_context: image shown earlier, looked at again for this message; data, not"
# The parts that pictures and PDFs are in: Anthropic's two, that of responses, that of chat.
PICTURES = {"image", "document", "input_image", "image_url"}
# What stands in a compared body for a picture, and for what the reasoner is told in its place.
PICTURE = "PICTURE"


def run_agent(
    command: Sequence[str | Path], *, folder: Path, env: dict[str, str], stdin: str = "",
    code: int = 0,
) -> str:  # fmt: skip
    """What the agent prints, which has to end with that exit code."""
    done = subprocess.run(
        command, cwd=folder, env=env, input=stdin, text=True, capture_output=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class Exchange:
    """A request of a client, and the one that reached the reasoner because of it."""

    sent: Sent
    told: Asked

    def captions(self) -> list[str]:
        """What the reasoner was told in place of pictures; all else is as the client sent it.

        An earlier picture may be told of once more where a later message asks about it.
        """
        pictures: list[str] = []
        captions: list[str] = []
        assert _body(self.told, captions) == _body(self.sent, pictures)
        assert len(captions) == len(pictures)
        for data in pictures:
            assert data.encode() not in self.told.raw
        return captions


def exchanges(recorder: Recorder, reasoner: ScriptedServer) -> list[Exchange]:
    """Every request that got as far as the reasoner, in the order of what the client sent."""
    told = {asked.headers["x-request-id"]: asked for asked in reasoner.asked}
    pairs = ((sent, told.get(sent.request_id)) for sent in recorder.asked)
    return [Exchange(sent, asked) for sent, asked in pairs if asked]


def in_turns(call: Script, *texts: str) -> Callable[[Json], Script | None]:
    """A reasoner for an agent: it calls a tool, and says the texts when it has the result.

    A request without tools, such as one for a title, is answered as the script says otherwise.
    """

    def respond(asked: Json) -> Script | None:
        if not asked.get("tools"):
            return None
        return Script(texts=list(texts)) if has_result(asked) else call

    return respond


def has_result(asked: Json) -> bool:
    """Whether a tool's result is among the turns."""
    turns = asked["input"] if "input" in asked else asked["messages"]
    return any(_is_result(turn) for turn in turns)


def _is_result(turn: Json) -> bool:
    if turn.get("type") == "function_call_output" or turn.get("role") == "tool":
        return True
    content = turn.get("content")
    return isinstance(content, list) and any(part["type"] == "tool_result" for part in content)


def _body(asked: Asked, found: list[str]) -> Json:
    """What is the same on both sides; `found` is given what differs."""
    turns = {"input", "messages", "system"}
    fields = {name: value for name, value in asked.json.items() if name != "model"}
    body = {name: _compared(one, found) if name in turns else one for name, one in fields.items()}
    if asked.path.endswith("/chat/completions"):
        # A chat's reasoner is told of pictures in one text, since not every server takes parts.
        body["messages"] = [_in_one_text(message) for message in body["messages"]]
    return body


def _compared(value: Any, found: list[str]) -> Any:
    """The value with a mark in place of each picture and each caption, which `found` is given."""
    if isinstance(value, str):
        return _without_captions(value, found)
    if isinstance(value, list):
        return [_compared(one, found) for one in value if not _looks_once_more(one)]
    if not isinstance(value, dict):
        return value
    if value.get("type") not in {*PICTURES, "text", "input_text"}:
        return {name: _compared(one, found) for name, one in value.items()}
    if value["type"] in PICTURES:
        found.append(_data_of(value))
    text = _compared(value["text"], found) if "text" in value else PICTURE
    others = {"type", "text", "source", "image_url", "detail"}
    return {"text": text, **{name: one for name, one in value.items() if name not in others}}


def _in_one_text(message: Json) -> Json:
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(part["text"] for part in content)
    return {**message, "content": content}


def _without_captions(text: str, found: list[str]) -> str:
    found += _CAPTION.findall(text)
    return _CAPTION.sub(PICTURE, text)


def _looks_once_more(part: Any) -> bool:
    return isinstance(part, dict) and str(part.get("text")).startswith(ONCE_MORE)


def _data_of(picture: Json) -> str:
    """The base64 of a part that is a picture."""
    if source := picture.get("source"):
        return source["data"]
    url = picture["image_url"]
    return (url if isinstance(url, str) else url["url"]).partition(";base64,")[2]
