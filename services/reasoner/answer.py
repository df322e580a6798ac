"""Turns the stream of an engine that runs a small model into what its client gets."""

from collections.abc import Iterator

from racro.contracts.completion import counted
from racro.contracts.errors import UpstreamUnavailable
from racro.contracts.prompts import PROFILES
from racro.engines.engine import ServedModel
from racro.servekit.chat_stream import OpenChunk
from services.reasoner.compact import CompactText
from services.reasoner.loops import LoopDetector

# Fields whose text has a form that the client chose: nothing in it is a box.
_STRUCTURED = frozenset({"grammar", "json_schema"})


class Answer:
    """Turns the chunks of one streamed chat completion, in their order, into those to send on.

    Progress reports are dropped. Where the model's prompt profile boxes formulas, boxes are worked
    out; where the model `stops_loops` an answer that repeats itself is ended. Tokens are counted
    once, in the `last` chunk.
    """

    def __init__(self, model: str, served: ServedModel, body: OpenChunk) -> None:
        """`model` is the name that the client is shown; `body` is its request."""
        profile = served.prompt_profile
        boxes_formulas = profile is not None and PROFILES[profile].boxes_formulas
        compact = boxes_formulas and not _is_structured(body)
        # A request to ignore the end of the text is one for all tokens up to the limit.
        stops_loops = served.stops_loops and not body.get("ignore_eos")
        self._model = model
        self._choices = [
            _Choice(compact=compact, stops_loops=stops_loops) for _ in range(body.get("n") or 1)
        ]
        self._top: OpenChunk = {}
        # Of the prompt, how many there are, and how many of them the engine still knew.
        self.prompt_tokens = 0
        self.cached_tokens = 0
        self._counts: list[OpenChunk] = []

    def take(self, chunk: OpenChunk) -> Iterator[OpenChunk]:
        """Yield the chunks to send on for one that came, each with one choice."""
        if progress := chunk.get("prompt_progress"):
            self.prompt_tokens = progress["total"]
            self.cached_tokens = progress.get("cache") or 0
            return
        if isinstance(usage := chunk.get("usage"), dict):
            self._counts.append(usage)
        self._top = {name: value for name, value in chunk.items() if name != "usage"}
        for choice in chunk.get("choices") or ():
            index = choice.get("index") or 0
            if not 0 <= index < len(self._choices):
                continue
            for one in self._choices[index].take(choice | {"index": index}):
                yield {**self._top, "model": self._model, "choices": [one]}

    @property
    def is_cut_short(self) -> bool:
        """Tell whether nothing more is to come, though the engine has not ended its stream."""
        ended = all(choice.ended for choice in self._choices)
        return ended and any(choice.was_looping for choice in self._choices)

    def last(self) -> OpenChunk:
        """Return the chunk after all others, which has `usage` and no choices.

        Raises UpstreamUnavailable where the engine's stream ended before its answers.
        """
        if not all(choice.ended for choice in self._choices):
            raise UpstreamUnavailable("the engine broke off its answer")
        return {**self._top, "model": self._model, "choices": [], "usage": self._usage()}

    def _usage(self) -> OpenChunk:
        """Return the counts: the engine's for each choice, and ours where it did not end them."""
        if self._counts and not self.is_cut_short:
            counts = [counted(usage) for usage in self._counts]
            completion = sum(count.completion_tokens for count in counts)
            usage, prompt = self._counts[0], counts[0].prompt_tokens
        else:
            completion = sum(choice.pieces for choice in self._choices)
            usage, prompt = {}, self.prompt_tokens
        total = {"total_tokens": prompt + completion}
        return {**usage, "prompt_tokens": prompt, "completion_tokens": completion, **total}


class _Choice:
    """Follows one of the answers to a request."""

    def __init__(self, *, compact: bool, stops_loops: bool) -> None:
        self.ended = False
        self.was_looping = False
        self.pieces = 0
        self._text = CompactText() if compact else None
        self._loop = LoopDetector() if stops_loops else None

    def take(self, choice: OpenChunk) -> Iterator[OpenChunk]:
        """Yield the choices to send on for one that came."""
        if self.ended:
            return
        delta = choice.get("delta") or {}
        if piece := delta.get("content"):
            delta = delta | {"content": self._shown(piece)}
        if self.was_looping or choice.get("finish_reason"):
            yield from self._end(choice, delta)
        elif delta.get("content") != "" or choice.get("logprobs"):
            yield choice | {"delta": delta}

    def _shown(self, piece: str) -> str:
        """Return what of it may be shown now."""
        self.pieces += 1
        if self._loop is not None and self._loop.repeats(piece):
            self.was_looping = True
            return ""
        return piece if self._text is None else self._text.add(piece)

    def _end(self, last: OpenChunk, delta: OpenChunk) -> Iterator[OpenChunk]:
        self.ended = True
        rest = "" if self._text is None else self._text.end(broken_off=self.was_looping)
        if content := (delta.get("content") or "") + rest:
            yield last | {"delta": delta | {"content": content}, "finish_reason": None}
        # OpenAI has no word for a loop; like this one it says that the text is not whole.
        yield last | {"delta": {}, "finish_reason": last.get("finish_reason") or "length"}


def _is_structured(body: OpenChunk) -> bool:
    form = body.get("response_format")
    asked = isinstance(form, dict) and form.get("type") in {"json_object", "json_schema"}
    return asked or any(body.get(field) for field in _STRUCTURED)
