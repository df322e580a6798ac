"""VLMEvalKit's TSV, as the benchmarks that it serves write theirs."""

import base64
import csv
from pathlib import Path

import pytest

from racro.problems import image_bytes, read_problems
from support.diagrams import noise

IMAGES = [noise(seed) for seed in range(3)]
ENCODED = [base64.b64encode(image).decode() for image in IMAGES]
GOOD = {"index": "1", "image": ENCODED[0], "question": "What is x?", "answer": "5"}
YES_OR_NO = {"A": "yes", "B": "no"}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "bench.tsv"


def write(file: Path, *rows: dict[str, str]) -> Path:
    columns = dict.fromkeys(name for row in rows for name in row)
    with file.open("w", newline="") as opened:
        table = csv.DictWriter(opened, [*columns], delimiter="\t", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    return file


def images(problem) -> list[bytes]:
    return [*map(image_bytes, problem.images)]


def test_a_free_question(file) -> None:
    reading = read_problems(write(file, GOOD | {"question": 'Say "x",\nplease:\ta tab'}))
    [problem] = reading.problems
    assert (problem.id, problem.answer, problem.options) == ("1", "5", {})
    assert problem.question == 'Say "x",\nplease:\ta tab'
    assert images(problem) == [IMAGES[0]]
    assert reading.left_out == []


def test_options_hint_and_category(file) -> None:
    more = {"A": "yes", "B": "no", "C": "", "hint": "Look.", "l2-category": "logic", "answer": "B"}
    [problem] = read_problems(write(file, GOOD | more)).problems
    assert problem.options == {"A": "yes", "B": "no"}
    assert problem.prompt == "Hint: Look.\nWhat is x?\nOptions:\nA. yes\nB. no"
    assert problem.category == "logic"


@pytest.mark.parametrize("written", [repr, lambda them: f'["{them[0]}", "{them[1]}"]'])
def test_several_images_are_a_list_of_python_or_json(file, written) -> None:
    row = GOOD | {"image": written(ENCODED[:2]), "question": "<image 1> <image 2> Which?"}
    [problem] = read_problems(write(file, row)).problems
    assert images(problem) == IMAGES[:2]
    assert problem.question == "[image 1] [image 2] Which?"


def test_an_image_may_be_that_of_another_row_before_or_after(file) -> None:
    first = GOOD | {"index": "0", "image": "1"}
    last = GOOD | {"index": "2", "image": "1", "answer": ""}
    after = GOOD | {"index": "3", "image": "2"}
    reading = read_problems(write(file, first, GOOD, last, after, GOOD | {"index": "4"}))
    assert [images(problem) for problem in reading.problems] == [[IMAGES[0]]] * 3
    assert reading.left_out == [
        ("2", "the answer is empty"),
        ("3", "its image is that of row '2', which has none"),
    ]


def test_an_image_that_rows_share_is_in_memory_once(file) -> None:
    others = [GOOD | {"index": str(index), "image": "1"} for index in (2, 3)]
    _, second, third = read_problems(write(file, GOOD, *others)).problems
    assert second.images[0] is third.images[0]


def test_rows_after_the_limit_are_not_looked_at(file) -> None:
    bad = GOOD | {"index": "0", "answer": ""}
    rows = [bad, GOOD, GOOD | {"index": "2"}, bad | {"index": "3"}, GOOD | {"index": "4"}]
    reading = read_problems(write(file, *rows), limit=2)
    assert [problem.id for problem in reading.problems] == ["1", "2"]
    assert reading.left_out == [("0", "the answer is empty")]


def test_an_image_of_a_row_that_is_left_out_serves_others(file) -> None:
    other = GOOD | {"index": "2", "image": "1"}
    reading = read_problems(write(file, GOOD | {"answer": ""}, other))
    assert [images(problem) for problem in reading.problems] == [[IMAGES[0]]]


def test_images_may_be_paths_beside_the_file(file) -> None:
    (file.parent / "images").mkdir()
    for number, image in enumerate(IMAGES):
        (file.parent / "images" / f"{number}.png").write_bytes(image)
    one = {"index": "1", "image_path": "images/0.png", "question": "What?", "answer": "5"}
    two = one | {"index": "2", "image_path": "['images/1.png', 'images/2.png']"}
    gone = one | {"index": "3", "image_path": "images/3.png"}
    reading = read_problems(write(file, one, two, gone))
    assert [images(problem) for problem in reading.problems] == [IMAGES[:1], IMAGES[1:]]
    [(row, reason)] = reading.left_out
    assert row == "3"
    assert reason.startswith("image 1: no file ")
    assert reason.endswith("images/3.png")


def test_mathvista_has_choices_in_a_list_and_the_letter_apart(file) -> None:
    question = "Hint: Give the letter.\nQuestion: How long?\nChoices:\n(A) 3/11\n(B) 8/11"
    choice = GOOD | {
        "question": question,
        "choices": "['3/11', '8/11']",
        "answer": "8/11",
        "answer_option": "B",
    }
    free = GOOD | {"index": "2", "choices": "[]", "answer_option": "", "task": "figures"}
    first, second = read_problems(write(file, choice, free)).problems
    assert (first.answer, first.options) == ("B", {"A": "3/11", "B": "8/11"})
    assert first.prompt == question
    assert (second.answer, second.options, second.category) == ("5", {}, "figures")


@pytest.mark.parametrize("answer", ["B", "b", "(B)", "[b]", "B.", "(b).", "no", " no "])
def test_an_option_is_named_by_its_letter_or_its_text(file, answer) -> None:
    [problem] = read_problems(write(file, GOOD | YES_OR_NO | {"answer": answer})).problems
    assert problem.answer == "B"


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"A": "b", "B": "a"}, "b"),
        ({"A": "no", "B": "no"}, "no"),
        (YES_OR_NO, "No, it is"),
        (YES_OR_NO, "A or B"),
        (YES_OR_NO, "(C)"),
    ],
)
def test_an_option_is_not_guessed(file, options, answer) -> None:
    reading = read_problems(write(file, GOOD | options | {"answer": answer}))
    assert reading.left_out == [("1", f"the answer {answer!r} is none of the options A, B")]


def test_large_cells_are_read(file) -> None:
    long = "word " * 40_000
    [problem] = read_problems(write(file, GOOD | {"question": long})).problems
    assert len(problem.question) > 131_072


UNFIT = {
    "the question is empty": {"question": ""},
    "the answer is empty": {"answer": ""},
    "the answer 'B' is none of the options A": {"A": "yes", "answer": "B"},
    "it has no image": {"image": ""},
    "its image is that of row '77', which has none": {"image": "77"},
    "not valid base64": {"image": "?" * 65},
    "a list in it cannot be read": {"image": "[1, 2" + "x" * 70 + "]"},
    "image 1: no whole image of a known format": {"image": ENCODED[0][:80]},
    "2 image tags for 1 images": {"question": "<image> or <image>?"},
}


@pytest.mark.parametrize(("reason", "change"), UNFIT.items())
def test_a_row_that_does_not_fit_is_left_out_and_named(file, reason, change) -> None:
    reading = read_problems(write(file, GOOD | {"index": "bad"} | change, GOOD))
    assert [problem.id for problem in reading.problems] == ["1"]
    assert reading.left_out == [("bad", reason)]


def test_a_row_with_too_many_cells_is_left_out(file) -> None:
    write(file, GOOD, GOOD | {"index": "2"})
    file.write_text(file.read_text().rstrip("\n") + "\tand\tmore\n")
    reading = read_problems(file)
    assert [problem.id for problem in reading.problems] == ["1"]
    assert reading.left_out == [("2", "it has more cells than there are columns")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"index\tquestion\timage\n1\tWhat?\tx\n", "there is no column 'answer'"),
        (b"index\tquestion\tanswer\n1\tWhat?\tx\n", "there is no column 'image' or 'image_path'"),
        (b'index\timage\tquestion\tanswer\n1\tx\t"What?\tx\n', "unexpected end of data"),
        (IMAGES[0], "codec can't decode"),
        (b"", "there is no column 'index'"),
        (b"index\timage\tquestion\tanswer\n", "there are no rows in it"),
    ],
)
def test_a_file_that_is_no_such_table_is_an_error(file, content, message) -> None:
    file.write_bytes(content)
    with pytest.raises(ValueError, match=rf"bench\.tsv: .*{message}"):
        read_problems(file)
