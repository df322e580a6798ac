"""The model's processor: chat template, tokenizer and image processor in one."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
    PreTrainedTokenizerBase,
    ProcessorMixin,
    Qwen2_5_VLProcessor,
)
from transformers.image_processing_utils import BaseImageProcessor
from trl.data_utils import prepare_multimodal_messages

from racro.training.settings import Images, Model
from racro.training.training_error import WrongBase

_QWEN = {"qwen2_vl", "qwen2_5_vl"}


class QwenImageProcessor(Qwen2_5_VLProcessor):  # type: ignore[misc]  # transformers is untyped
    """Qwen2.5-VL's processor without videos: its part for these needs torchvision."""

    def __init__(
        self,
        image_processor: BaseImageProcessor,
        tokenizer: PreTrainedTokenizerBase,
        chat_template: str | None = None,
        **_: Any,
    ) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template)

    def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
        """The base class checks a video processor, too, and there is none."""
        if argument_name == "video_processor":
            return None
        return super().check_argument_for_proper_class(argument_name, argument)

    def save_pretrained(self, save_directory: str | os.PathLike[str], **_: Any) -> None:
        """The parts by themselves, so that AutoProcessor finds Qwen's own class for them."""
        self.tokenizer.save_pretrained(save_directory)
        self.image_processor.save_pretrained(save_directory)


def load_processor(model: Model, images: Images) -> ProcessorMixin:
    """Raises WrongBase for a model that takes no images, or not the settings of `images`."""
    source: dict[str, Any] = {"revision": model.revision or "main"}
    config = AutoConfig.from_pretrained(model.path, **source)
    if type(config) not in AutoModelForImageTextToText._model_mapping:  # noqa: SLF001  # no other way
        raise WrongBase(f"model.path: {model.path} ({config.model_type}) takes no images")
    pixels = images.model_dump(exclude_none=True)
    if config.model_type not in _QWEN:
        if pixels:
            raise WrongBase(f"images: {config.model_type} has no {' and '.join(pixels)}")
        return AutoProcessor.from_pretrained(model.path, **source)
    tokenizer = AutoTokenizer.from_pretrained(model.path, **source)
    image_processor = AutoImageProcessor.from_pretrained(model.path, **source, **pixels)
    return QwenImageProcessor(image_processor, tokenizer, tokenizer.chat_template)


def prompt_tokens(
    processor: ProcessorMixin,
    messages: Sequence[Mapping[str, Any]],
    sizes: Sequence[tuple[int, int]],
) -> int:
    """Of a prompt with images of these sizes (height, width). Raises WrongBase for a processor that
    cannot tell without decoding.
    """
    if not hasattr(processor, "_get_num_multimodal_tokens"):
        raise WrongBase(f"length.prompt: {type(processor).__name__} cannot count image tokens")
    shown = prepare_multimodal_messages(list(messages), images=list(sizes))
    text = processor.apply_chat_template(shown, add_generation_prompt=True, tokenize=False)
    # Nothing public tells it; vLLM asks the same.
    counted = processor._get_num_multimodal_tokens(image_sizes=sizes)  # noqa: SLF001
    # Each image stands in the text as one of its tokens already.
    more: int = sum(counted["num_image_tokens"]) - len(sizes)
    plain: list[int] = processor.tokenizer(text, add_special_tokens=False)["input_ids"]
    return len(plain) + more
