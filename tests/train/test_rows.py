"""Our rows as TRL gets them."""

import io
import subprocess
import sys
from types import MappingProxyType

import pytest
from PIL import Image
from pyarrow import parquet
from trl.data_utils import prepare_multimodal_messages

from racro.problems import Problem
from racro.training.captions import Example
from racro.training.processing import load_processor, prompt_tokens
from racro.training.rows import exploration, imitation
from racro.training.settings import Images, Model
from racro.training.verl_data import write_verl
from train.conftest import TIMEOUT_S


def png(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def row(**more) -> Example:
    fields = {"id": "p1", "question": "Which?", "images": (png(Image.new("RGB", (9, 5))),)}
    return Example(Problem(**{**fields, "answer": "B", **more}), "A black field.")


def test_the_prompt_is_the_services_and_lists_the_options():
    options = MappingProxyType({"A": "red", "B": "black"})
    [asked] = exploration([row(options=options)])
    system, user = asked["prompt"]
    assert system["content"].endswith("Do not try to answer the question.")
    assert user["content"] == (
        "Question: Which?\nOptions:\nA. red\nB. black\n"
        "Please describe the image. DO NOT try to answer the question!"
    )
    assert asked["question"] == "Which?\nOptions:\nA. red\nB. black"
    assert asked["answer"] == "B"
    known = {letter: text for letter, text in asked["options"].items() if text is not None}
    assert known == options
    assert "completion" not in asked, "a caption to imitate is none of CRO's business"


def test_imitation_has_the_caption_and_no_answer():
    [shown] = imitation([row()])
    assert shown["completion"] == [{"role": "assistant", "content": "A black field."}]
    assert shown.keys() == {"prompt", "images", "completion"}


def test_images_come_in_order_upright_and_on_white(tmp_path):
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    turned = Image.new("RGB", (8, 2), "blue")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter
    path = tmp_path / "turned.jpg"
    turned.save(path, exif=exif)
    deep = Image.new("I;16", (3, 3), 0x8000)
    [shown] = exploration([row(images=(png(clear), path, png(deep)))])
    first, second, third = shown["images"]
    assert [image.mode for image in shown["images"]] == ["RGB"] * 3
    assert first.getpixel((0, 0)) == (255, 255, 255)
    assert second.size == (2, 8)
    assert third.getpixel((0, 0)) == (128, 128, 128)


def test_rows_of_one_problem_share_its_decoded_images():
    """In CRO a step holds each row accumulation × generations times."""
    asked = exploration([row()])
    again, once = asked[0]["images"], asked[0]["images"]
    assert all(one is other for one, other in zip(again, once, strict=True))


@pytest.mark.parametrize("count", [1, 3])
def test_image_tokens_are_counted_as_the_processor_makes_them(models, count):
    processor = load_processor(Model(path=str(models / "base")), Images())
    sizes = [(28 * (number + 1), 56) for number in range(count)]
    pictures = tuple(png(Image.new("RGB", (width, height))) for height, width in sizes)
    [asked] = exploration([row(images=pictures)])
    messages = prepare_multimodal_messages(asked["prompt"], images=asked["images"])
    text = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    [made] = processor(images=[asked["images"]], text=[text])["input_ids"]
    assert prompt_tokens(processor, asked["prompt"], sizes) == len(made)


def test_a_loss_is_of_the_caption_alone(tmp_path, models):
    image = tmp_path / "black.png"
    image.write_bytes(png(Image.new("RGB", (56, 56))))
    command = [sys.executable, "-m", "tests.train.learnt", models / "base", image]
    learnt = subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert learnt.stdout.rstrip() == "A black field.<|im_end|>"


def test_verl_has_a_tag_for_each_image_and_tells_the_reward_none(tmp_path):
    images = (png(Image.new("L", (3, 3))), png(Image.new("L", (5, 5))))
    options = MappingProxyType({"A": "red", "B": "black"})
    path = tmp_path / "verl" / "train.parquet"
    write_verl([row(), row(id="p2", images=images, options=options)], path, max_pixels=784)
    one, two = parquet.read_table(path).to_pylist()
    assert one["prompt"][-1]["content"].count("<image>") == 1
    assert two["prompt"][-1]["content"].startswith("<image><image>Question: Which?")
    sizes = [Image.open(io.BytesIO(image["bytes"])).size for image in two["images"]]
    assert sizes == [(3, 3), (5, 5)]
    assert [image["max_pixels"] for image in two["images"]] == [784, 784]
    assert two["reward_model"] == {"ground_truth": "B"}
    told = two["extra_info"]
    assert told["question"] == "Which?\nOptions:\nA. red\nB. black"
    assert {letter: text for letter, text in told["options"].items() if text} == options
