"""What an evaluation asks or shows is not trained on; what only resembles it is."""

import random

import pytest
from PIL import Image

from racro.problems import Problem, decontaminated
from support.diagrams import diagram, noise
from support.pictures import encoded

LONG = "A ladder of five metres leans on a wall three metres away; how high does it reach?"
SHORT = "What is the value of x in the triangle?"


def problem(name: str, question: str, image: bytes, **more: object) -> Problem:
    return Problem(name, question, (image,), "A", **more)


def dropped(one: Problem, *against: Problem) -> str | None:
    reading = decontaminated([one], against)
    assert len(reading.problems) + len(reading.left_out) == 1
    return reading.left_out[0].reason if reading.left_out else None


def copy_of(image: Image.Image, draw_from: random.Random) -> bytes:
    factor = draw_from.uniform(0.4, 1.6)
    size = int(image.width * factor), int(image.height * factor)
    kind, options = draw_from.choice(
        [
            ("JPEG", {"quality": 50}),
            ("JPEG", {"quality": 90}),
            ("WEBP", {"quality": 60}),
            ("PNG", {}),
        ]
    )
    return encoded(image.resize(size, Image.Resampling.BICUBIC), kind, **options)


def test_an_image_of_the_evaluation_is_dropped_whatever_is_asked() -> None:
    reason = dropped(problem("1", SHORT, noise(1)), problem("e", "Another?", noise(1)))
    assert reason == "image 1: it is that of evaluation problem e"


def test_each_image_counts(tmp_path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(noise(2))
    two = Problem("1", SHORT, (noise(1), path), "5")
    assert dropped(two, problem("e", "Another?", noise(2))) == (
        "image 2: it is that of evaluation problem e"
    )


def test_scaled_and_encoded_anew_it_is_recognised_and_no_other_is_taken_for_it() -> None:
    diagrams = {f"{seed}": diagram(seed) for seed in range(60)}
    evaluation = [problem(name, SHORT, encoded(image)) for name, image in diagrams.items()]
    draw_from = random.Random(1)
    copies = [problem(n, "Other?", copy_of(it, draw_from)) for n, it in diagrams.items()]
    others = [problem(f"{seed}", SHORT, encoded(diagram(seed))) for seed in range(100, 160)]

    reading = decontaminated([*copies, *others], evaluation)
    assert reading.problems == others
    assert reading.left_out == [
        (name, f"image 1: it looks like that of evaluation problem {name}") for name in diagrams
    ]


def test_transparency_is_white() -> None:
    image = diagram(0)
    ink = image.convert("L").point(lambda grey: 255 - grey)
    clear = Image.new("RGBA", image.size, "black")
    clear.putalpha(ink)
    reason = dropped(problem("1", SHORT, encoded(clear)), problem("e", SHORT, encoded(image)))
    assert reason == "image 1: it looks like that of evaluation problem e"


def test_sixteen_bit_greys_are_greys() -> None:
    grey = diagram(0).convert("L").point(lambda value: value // 2)
    deep = grey.convert("I").point(lambda value: value * 256).convert("I;16")
    reason = dropped(problem("1", SHORT, encoded(deep)), problem("e", SHORT, encoded(grey)))
    assert reason == "image 1: it looks like that of evaluation problem e"


def test_a_long_question_is_dropped_whatever_is_shown() -> None:
    asked = problem("1", LONG.upper().replace(";", " –"), noise(1))
    assert dropped(asked, problem("e", LONG, noise(2))) == (
        "its question is that of evaluation problem e"
    )


def test_options_are_part_of_the_question_wherever_they_are_written() -> None:
    inside = problem("1", f"{SHORT}\nChoices:\n(A) 12 cm\n(B) 13 cm", noise(1))
    apart = problem("e", SHORT, noise(2), options={"A": "12 cm", "B": "13 cm"})
    others = problem("e", SHORT, noise(2), options={"A": "12 cm", "B": "14 cm"})
    assert dropped(inside, apart) == "its question is that of evaluation problem e"
    assert dropped(inside, others) is None


def test_references_to_images_are_no_part_of_it() -> None:
    asked = problem("1", f"[image 1] {LONG}", noise(1))
    assert dropped(asked, problem("e", LONG, noise(2))) is not None


@pytest.mark.parametrize("question", [SHORT, "三角形中x的值"])
def test_a_short_question_may_be_asked_of_another_image(question) -> None:
    assert dropped(problem("1", question, noise(1)), problem("e", question, noise(2))) is None


def test_characters_are_words_where_no_spaces_are_written() -> None:
    question = "一个五米长的梯子靠在三米远的墙上，它有多高？"
    assert dropped(problem("1", question, noise(1)), problem("e", question, noise(2))) is not None


def test_images_that_cannot_be_decoded_are_named() -> None:
    broken, whole = problem("x", SHORT, noise(1)[:90]), problem("y", SHORT, noise(2))
    assert dropped(broken, whole) == "image 1: no whole image of a known format"
    with pytest.raises(ValueError, match="an image of evaluation problem x: no whole"):
        decontaminated([whole], [broken])
