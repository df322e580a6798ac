"""The fixed reasoner that rewards: under a million parameters, text only, taught by the same scenes
told, so that it answers dozens of captions a second on a core.

It is asked in the profile compact-v1, as the embedded reasoner is: it copies out of the caption,
and boxes the answer, a formula, or that the caption does not tell.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from racro.contracts.prompts import NOT_TOLD, compact_messages
from racro.embedded.captioner.recipe.asking import Asked, ask
from racro.embedded.captioner.recipe.export import export_language_model
from racro.embedded.captioner.recipe.model import make_tokenizer
from racro.embedded.captioner.recipe.optimising import Schedule, train
from racro.embedded.captioner.recipe.scenes import KINDS, draw_scene
from racro.embedded.captioner.recipe.telling import statements

_WIDTH, _LAYERS, _HEAD = 128, 4, 32
_BATCH = 16
_IGNORED = -100
# The first is what counts; follow-up questions about the same caption make lessons cheap.
_QUESTIONS = 5
_TELLING_ENOUGH = 0.7
_SEED, _STEPS = 77, 1800

Message = dict[str, str]


def lesson(rng: random.Random) -> list[Message]:
    """A conversation about one caption, which tells some of what is asked."""
    scene = draw_scene(rng, rng.choice(KINDS))
    asked = [ask(rng, scene) for _ in range(_QUESTIONS)]
    share = rng.choice((0.1, 0.4, 0.7, 1.0))
    needed = asked[0].needs if rng.random() < _TELLING_ENOUGH else ()
    told = [one for one in statements(scene) if one in needed or rng.random() < share]
    caption = "\n".join([scene.facts.heading, *told])
    system, first = compact_messages(asked[0].question, caption, None)
    turns = [first, *({"role": "user", "content": f"Question: {a.question}"} for a in asked[1:])]
    answers = [{"role": "assistant", "content": _answer(one, told)} for one in asked]
    return [system, *(message for turn in zip(turns, answers, strict=True) for message in turn)]


def _answer(asked: Asked, told: list[str]) -> str:
    return asked.calculation if set(asked.needs) <= set(told) else f"\\boxed{{{NOT_TOLD}}}"


def make_reasoner(path: Path, *, seed: int, steps: int) -> None:
    """Trains it and writes it as GGUF, with its curve beside it."""
    torch.manual_seed(seed)
    tokenizer = make_tokenizer(_texts(seed))
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=_WIDTH,
            intermediate_size=320,
            num_hidden_layers=_LAYERS,
            num_attention_heads=_WIDTH // _HEAD,
            num_key_value_heads=_WIDTH // _HEAD,
            max_position_embeddings=2048,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    rng = random.Random(seed)

    def loss() -> tuple[torch.Tensor, dict[str, float]]:
        return _loss(model, tokenizer, [lesson(rng) for _ in range(_BATCH)])

    with path.with_suffix(".jsonl").open("w") as log:
        for step, measured in train("reasoner", loss, model, Schedule(steps)):
            line = {"lessons": step * _BATCH, **measured, "cpu_s": round(time.process_time())}
            log.write(json.dumps(line) + "\n")
            log.flush()
    unfinished = path.with_suffix(".unfinished")
    export_language_model(model, tokenizer, unfinished, name="drawn-reasoner")
    unfinished.replace(path)


def _texts(seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    for _ in range(2000):
        yield from (message["content"] for message in lesson(rng))


def _loss(
    model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerFast, lessons: list[list[Message]]
) -> tuple[torch.Tensor, dict[str, float]]:
    rows = [_tokens(tokenizer, one) for one in lessons]
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), longest), tokenizer.pad_token_id)
    wanted = torch.full((len(rows), longest), _IGNORED)
    for at, (row, labels) in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
        wanted[at, : len(row)] = torch.tensor(labels)
    # Padding comes last, where a causal model looks at it from padding only.
    hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
    said = wanted[:, 1:] != _IGNORED
    scores = model.lm_head(hidden[said]).float()
    labels = wanted[:, 1:][said]
    loss = functional.cross_entropy(scores, labels)
    right = (scores.argmax(-1) == labels).float().mean().item()
    return loss, {"loss": loss.item(), "tokens": right}


def _tokens(
    tokenizer: PreTrainedTokenizerFast, messages: list[Message]
) -> tuple[list[int], list[int]]:
    """Ids, and the same with all that the assistant does not say ignored."""
    ids: list[int] = []
    labels: list[int] = []
    for message in messages:
        answers = message["role"] == "assistant"
        if answers:
            before = tokenizer("<|im_start|>assistant\n")["input_ids"]
            said = [*tokenizer(message["content"])["input_ids"], tokenizer.eos_token_id]
            after = tokenizer("\n")["input_ids"]
        else:
            shown = tokenizer.apply_chat_template([message], tokenize=False)
            before, said, after = tokenizer(shown)["input_ids"], [], []
        ids += [*before, *said, *after]
        labels += [_IGNORED] * len(before) + said + [_IGNORED] * len(after)
    return ids, labels


if __name__ == "__main__" and not (path := Path(sys.argv[1])).exists():
    make_reasoner(path, seed=_SEED, steps=_STEPS)
