"""The chunks that a client gets for those of an engine."""

from typing import Any

import pytest

from racro.contracts.errors import UpstreamUnavailable
from racro.contracts.prompts import COMPACT_V1
from racro.engines.engine import ServedModel
from services.reasoner.answer import Answer

Chunk = dict[str, Any]


def chunk(text: str | None = None, *, index: int = 0, finish: str | None = None) -> Chunk:
    delta = {} if text is None else {"content": text}
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "model": "engine's", "choices": [choice]}


def counted(completion: int) -> Chunk:
    return {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": completion}}


def progress(total: int) -> Chunk:
    return {**chunk(), "prompt_progress": {"total": total, "processed": 1}}


def run(chunks: list[Chunk], *, n: int = 1, compact: bool = False, **body: Any) -> list[Chunk]:
    served = ServedModel(
        engine_name="e", prompt_profile=COMPACT_V1 if compact else None, stops_loops=True
    )
    answer = Answer("served", served, {"n": n, **body})
    sent = []
    for one in chunks:
        sent += answer.take(one)
        if answer.is_cut_short:
            break
    return [*sent, answer.last()]


def said(chunks: list[Chunk], index: int = 0) -> str:
    choices = [choice for one in chunks for choice in one["choices"] if choice["index"] == index]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def test_what_needs_no_change_is_passed_on_under_our_name() -> None:
    sent = run([progress(9), chunk("Hel"), chunk("lo"), chunk(finish="stop"), counted(2)])
    assert [one["model"] for one in sent] == ["served"] * 4
    assert said(sent) == "Hello"
    assert sent[-2]["choices"][0]["finish_reason"] == "stop"
    assert sent[-1]["usage"] == {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def test_each_choice_is_counted() -> None:
    chunks = [chunk("a", finish="stop"), counted(3), chunk("b", index=1, finish="stop"), counted(4)]
    assert run(chunks, n=2)[-1]["usage"]["completion_tokens"] == 7


def test_a_loop_ends_one_choice_and_not_the_other() -> None:
    chunks = [progress(5), *(chunk("ha") for _ in range(30)), chunk("b", index=1, finish="stop")]
    sent = run(chunks, n=2)
    assert said(sent) == "ha" * 9
    assert said(sent, 1) == "b"
    finishes = [choice["finish_reason"] for one in sent for choice in one["choices"]]
    assert [reason for reason in finishes if reason] == ["length", "stop"]
    assert sent[-1]["usage"] == {"prompt_tokens": 5, "completion_tokens": 11, "total_tokens": 16}


def test_a_compact_loop_is_a_refusal() -> None:
    sent = run([chunk("ha") for _ in range(30)], compact=True)
    assert said(sent) == "ha" * 9 + "\n\nAnswer: The caption does not tell"


def test_the_last_piece_may_come_with_the_end() -> None:
    sent = run([chunk("So "), chunk(r"\boxed{5}", finish="stop"), counted(2)], compact=True)
    assert said(sent) == "So\n\nAnswer: 5"
    assert sent[-2]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}


@pytest.mark.parametrize(
    "body",
    [
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema"}},
        {"grammar": "root ::= x"},
        {"json_schema": {"type": "object"}},
    ],
    ids=str,
)
def test_a_form_that_the_client_chose_is_kept(body: Chunk) -> None:
    assert said(run([chunk(r'"\boxed{1}"', finish="stop")], compact=True, **body)) == r'"\boxed{1}"'


def test_tokens_that_are_held_back_keep_their_probabilities() -> None:
    probable = {"content": [{"token": "\\", "logprob": -1.0}]}
    held = chunk("\\")
    held["choices"][0]["logprobs"] = probable
    first, *_ = run([held, chunk("boxed{1}", finish="stop")], compact=True)
    assert first["choices"][0]["logprobs"] == probable
    assert said([first]) == ""


@pytest.mark.parametrize("chunks", [[], [chunk("Hel")], [chunk("a", finish="stop")]], ids=str)
def test_a_stream_that_ends_before_its_answers_is_broken_off(chunks: list[Chunk]) -> None:
    with pytest.raises(UpstreamUnavailable, match="broke off"):
        run(chunks, n=2)
