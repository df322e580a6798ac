"""No image tag stays in a question, and there is one for each image or none."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racro.contracts.control_tokens import neutralise
from racro.problems.problem import InvalidProblem
from racro.problems.tags import without_tags

ONE = {
    "<image>What is x?": "What is x?",
    "<image>\nWhat is x?": "What is x?",
    "What is x? <image>": "What is x?",
    "In <image>  what is x?": "In what is x?",
    "<IMAGE> What?": "What?",
    "<img> What?": "What?",
    "<img/> What?": "What?",
    '<img src="1.png" alt="a"> What?': "What?",
    "<|image_pad|>What?": "What?",
    "<|vision_start|><|image_pad|><|vision_end|>What?": "What?",
    "<|image|>What?": "What?",
    "<image_placeholder>What?": "What?",
    "<ImageHere>What?": "What?",
    "<IMG_CONTEXT>What?": "What?",
    "<start_of_image>What?": "What?",
    "<image></image>What?": "What?",
    "What is in <image 1>?": "What is in [image 1]?",
    "<image_1> and again <image1>": "[image 1] and again [image 1]",
    "<|image_1|>\nWhat?": "[image 1]\nWhat?",
    "No tag, a < b > c, <imagine>": "No tag, a < b > c, <imagine>",
    "A table:\n  a   b": "A table:\n  a   b",
}


@pytest.mark.parametrize(("question", "cleaned"), ONE.items(), ids=ascii)
def test_of_one_image(question, cleaned) -> None:
    assert without_tags([question], images=1) == [cleaned]


def test_numbered_tags_keep_what_they_refer_to_in_options_too() -> None:
    texts = ["<image 1> Which fits?", "<image 2>", "neither <image 2> nor <image 3>"]
    assert without_tags(texts, images=3) == [
        "[image 1] Which fits?",
        "[image 2]",
        "neither [image 2] nor [image 3]",
    ]


@pytest.mark.parametrize(
    ("texts", "images"),
    [
        (["<image><image> What?"], 1),
        (["<image> What?"], 2),
        (["<image 1> What?"], 2),
        (["<image 2> What?"], 1),
        (["What?", "<image>", "<image>"], 1),
        (["<image<image>> What?"], 1),
    ],
)
def test_another_number_of_tags_than_of_images_is_refused(texts, images) -> None:
    with pytest.raises(InvalidProblem, match="image tag"):
        without_tags(texts, images=images)


PIECES = st.sampled_from(
    [
        "<image>",
        "<",
        ">",
        "<image",
        " 1>",
        "image",
        "img",
        "/",
        "|",
        "_pad",
        "<img ",
        "\n",
        " ",
        "x",
    ]
)
IMAGE = re.compile(r"</?(?:image|img)\W", re.IGNORECASE)


@settings(max_examples=1_000)
@given(st.lists(PIECES, max_size=12).map("".join), st.integers(1, 3))
def test_what_comes_out_holds_no_tag_that_a_reasoner_could_see(question, images) -> None:
    try:
        [cleaned] = without_tags([question], images=images)
    except InvalidProblem:
        return
    assert "<image>" not in cleaned.lower()
    # The second, independent rule of what a chat template may take for a tag; it breaks every "<|".
    assert set(IMAGE.findall(cleaned)) == set(IMAGE.findall(neutralise(cleaned)))
