"""What the captioner is taught: to read, to match numbers to names, to tell what it sees. Pictures
are drawn as they are needed, none twice.
"""

import random
from collections.abc import Callable, Iterator, Sequence

import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, Qwen2VLForConditionalGeneration

from experiments.recipes.captioner.canvas import Canvas, Glyph
from experiments.recipes.captioner.lessons import Lesson
from experiments.recipes.captioner.optimising import Schedule, train
from experiments.recipes.captioner.pages import page
from experiments.recipes.captioner.patches import GRID, IMAGE_TOKENS, to_patches
from experiments.recipes.captioner.reading import Reader
from experiments.recipes.captioner.scenes import KINDS, Scene, draw_scene
from racro.contracts.prompts import CaptionPrompt

BATCH = 32
_PAGES = 0.5
_IGNORED = -100
_IMAGE = "<|image_pad|>"

Progress = Iterator[tuple[int, dict[str, float]]]


class CaptionerWithReader(nn.Module):  # type: ignore[misc]  # torch is not there to be checked
    """The captioner and, while it learns, the layers that show what it reads."""

    def __init__(
        self, captioner: Qwen2VLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast
    ) -> None:
        super().__init__()
        self.captioner = captioner
        self.reader = Reader(captioner.config.get_text_config().hidden_size)
        self.tokenizer = tokenizer
        self._digits = torch.tensor(tokenizer.convert_tokens_to_ids(list("0123456789")))

    def learn_to_read(self, rng: random.Random, schedule: Schedule) -> Progress:
        """Characters, on pages and in pictures."""

        def loss() -> tuple[torch.Tensor, dict[str, float]]:
            pictures = [_picture(rng) for _ in range(BATCH)]
            seen = self._see([image for image, _ in pictures])
            value, right = self.reader.characters(seen, [glyphs for _, glyphs in pictures])
            return value, {"reading_loss": value.item(), "characters": right}

        return train("reading", loss, self, schedule)

    def learn_to_match(self, rng: random.Random, schedule: Schedule) -> Progress:
        """Numbers to names."""

        def loss() -> tuple[torch.Tensor, dict[str, float]]:
            scenes = [draw_scene(rng, rng.choice(KINDS)) for _ in range(BATCH)]
            return self._read(self._see([scene.image for scene in scenes]), scenes)

        return train("matching", loss, self, schedule)

    def learn_to_tell(
        self, name: str, lesson: Callable[[random.Random], Lesson],
        rng: random.Random, schedule: Schedule,
    ) -> Progress:  # fmt: skip
        """It goes on reading, lest it forget."""

        def loss() -> tuple[torch.Tensor, dict[str, float]]:
            lessons = [lesson(rng) for _ in range(BATCH)]
            scenes = [one.scene for one in lessons]
            seen = self._see([scene.image for scene in scenes])
            reading_loss, measured = self._read(seen, scenes)
            scores, wanted = self._tell(seen, lessons)
            value = functional.cross_entropy(scores, wanted)
            right = scores.argmax(-1) == wanted
            is_digit = torch.isin(wanted, self._digits)
            told = {
                "telling_loss": value.item(),
                "tokens": right.float().mean().item(),
                "digits": right[is_digit].float().mean().item(),
            }
            return value + reading_loss, {**told, **measured}

        return train(name, loss, self, schedule)

    def _read(
        self, seen: torch.Tensor, scenes: Sequence[Scene]
    ) -> tuple[torch.Tensor, dict[str, float]]:
        of_characters, characters = self.reader.characters(seen, [one.glyphs for one in scenes])
        of_numbers, numbers = self.reader.numbers(seen, [one.labels for one in scenes])
        return of_characters + of_numbers, {"characters": characters, "numbers": numbers}

    def _see(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """Image tokens, images x cells x width."""
        grids = torch.tensor([GRID] * len(images))
        seen = self.captioner.model.visual(to_patches(images), grid_thw=grids).pooler_output
        return seen.reshape(len(images), IMAGE_TOKENS, -1)

    def _tell(
        self, seen: torch.Tensor, lessons: Sequence[Lesson]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores and ids of the tokens that are to be said."""
        ids, wanted, mask = self._batch(lessons)
        model = self.captioner.model
        shown = ids == self.captioner.config.image_token_id
        embedded = model.get_input_embeddings()(ids)
        embedded = embedded.masked_scatter(
            shown[..., None].expand_as(embedded), seen.to(embedded.dtype)
        )
        grids = torch.tensor([GRID] * len(lessons))
        positions, _ = model.get_rope_index(
            ids, shown.int(), image_grid_thw=grids, attention_mask=mask
        )
        hidden = model.language_model(
            inputs_embeds=embedded, attention_mask=mask, position_ids=positions
        ).last_hidden_state[:, :-1]
        said = wanted[:, 1:] != _IGNORED
        return self.captioner.lm_head(hidden[said]).float(), wanted[:, 1:][said]

    def _batch(self, lessons: Sequence[Lesson]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Token ids, the same with all but the texts ignored, and the attention mask."""
        rows = [self._row(one) for one in lessons]
        longest = max(len(ids) for ids, _ in rows)
        ids = torch.full((len(rows), longest), self.tokenizer.pad_token_id)
        wanted = torch.full((len(rows), longest), _IGNORED)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for at, (row, prompt_length) in enumerate(rows):
            ids[at, : len(row)] = torch.tensor(row)
            wanted[at, prompt_length : len(row)] = torch.tensor(row[prompt_length:])
            mask[at, : len(row)] = 1
        return ids, wanted, mask

    def _row(self, one: Lesson) -> tuple[list[int], int]:
        """Token ids of prompt and text, and how many are the prompt's."""
        prompt = self.tokenizer(prompt_text(self.tokenizer, one.prompt))["input_ids"]
        text = self.tokenizer(one.text)["input_ids"]
        return [*prompt, *text, self.tokenizer.eos_token_id], len(prompt)


def prompt_text(tokenizer: PreTrainedTokenizerFast, prompt: CaptionPrompt) -> str:
    """With a token for each cell of the picture."""
    content = [{"type": "image"}, {"type": "text", "text": prompt.user}]
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    messages = [*system, {"role": "user", "content": content}]
    shown: str = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    return shown.replace(_IMAGE, _IMAGE * IMAGE_TOKENS)


def _picture(rng: random.Random) -> tuple[Image.Image, Sequence[Glyph]]:
    if rng.random() < _PAGES:
        canvas = Canvas(rng)
        page(rng, canvas)
        return canvas.finished(), canvas.glyphs
    scene = draw_scene(rng, rng.choice(KINDS))
    return scene.image, scene.glyphs
