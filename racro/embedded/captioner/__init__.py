"""The embedded captioner that sees: a vision-language model of a few million parameters, ours."""

from pathlib import Path

MODEL = Path(__file__).with_name("captioner.gguf")
# What turns an image into the model's tokens: llama.cpp's mmproj.
PROJECTOR = MODEL.with_name("projector.gguf")
# The same for transformers, which trains it further.
CHECKPOINT = MODEL.with_name("checkpoint")
# What clients are shown of the two.
NAME = "racro-drawn"
