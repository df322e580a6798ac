"""Pictures as Qwen2-VL takes them, a batch at once: its own processor takes them one by one."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from experiments.recipes.captioner.canvas import HEIGHT, WIDTH
from experiments.recipes.captioner.model import MERGED, PATCH, image_processor

GRID = (1, HEIGHT // PATCH, WIDTH // PATCH)
IMAGE_TOKENS = GRID[1] * GRID[2] // MERGED**2
_FRAMES = 2


def to_patches(images: Sequence[Image.Image]) -> torch.Tensor:
    """(images x patches) rows of frame-doubled pixels, in the order that merges neighbours."""
    processor = image_processor()
    mean, std = (
        np.array(values, np.float32) for values in (processor.image_mean, processor.image_std)
    )
    pixels = (np.stack([np.asarray(image) for image in images]) / np.float32(255) - mean) / std
    rows, columns = GRID[1] // MERGED, GRID[2] // MERGED
    pixels = pixels.reshape(len(images), rows, MERGED, PATCH, columns, MERGED, PATCH, 3)
    pixels = pixels.transpose(0, 1, 4, 2, 5, 7, 3, 6)
    doubled = np.repeat(pixels[:, :, :, :, :, :, None], _FRAMES, axis=6)
    return torch.from_numpy(doubled.reshape(len(images) * GRID[1] * GRID[2], -1))
