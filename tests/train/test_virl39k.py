"""ViRL39K's parquet, as TIGER-Lab/ViRL39K has it."""

import pytest

from racro.problems import read_problems
from support.diagrams import noise

GOOD = {
    "question": "<image>\nFind x.\nChoices:\n(A) 5\n(B) 6",
    "answer": r"\boxed{A}",
    "PassRate_32BTrained": 0.5,
    "PassRate_7BBase": -1.0,
    "category": "(GradeSchool) Geometric",
    "source": "Processed",
    "qid": "Processed-1",
    "image": ["images/1.png"],
}


@pytest.fixture
def file(tmp_path):
    (tmp_path / "images").mkdir()
    for number in (1, 2):
        (tmp_path / "images" / f"{number}.png").write_bytes(noise(number))
    return tmp_path / "39Krelease.parquet"


def write(file, *rows):
    from pyarrow import Table, parquet  # noqa: PLC0415

    parquet.write_table(Table.from_pylist([*rows]), file)
    return file


def test_a_problem(file) -> None:
    reading = read_problems(write(file, GOOD))
    [problem] = reading.problems
    assert problem.id == "Processed-1"
    assert problem.prompt == "Find x.\nChoices:\n(A) 5\n(B) 6"
    assert problem.images == (file.parent / "images/1.png",)
    assert (problem.answer, problem.options) == ("A", {})
    assert problem.category == "(GradeSchool) Geometric"
    assert reading.left_out == []


@pytest.mark.parametrize(
    ("answer", "short"),
    [(r"\boxed{17^\circ}", r"17^\circ"), (r"$\boxed{\frac{1}{2}}$", r"\frac{1}{2}"), ("42", "42")],
)
def test_the_answer_is_what_is_in_the_box(file, answer, short) -> None:
    [problem] = read_problems(write(file, GOOD | {"answer": answer})).problems
    assert problem.answer == short


UNFIT = {
    "it has no image": {"image": [], "question": "What?"},
    "1 image tags for 2 images": {"image": ["images/1.png", "images/2.png"]},
    r"the answer is not one closed \boxed{…}": {"answer": r"\boxed{\left\{x"},
    "the answer is empty": {"answer": None},
    "the question is empty": {"question": "<image>"},
}


@pytest.mark.parametrize(("reason", "change"), UNFIT.items())
def test_a_row_that_does_not_fit_is_left_out_and_named(file, reason, change) -> None:
    reading = read_problems(write(file, GOOD, GOOD | {"qid": "bad"} | change))
    assert [problem.id for problem in reading.problems] == ["Processed-1"]
    assert reading.left_out == [("bad", reason)]


def test_a_box_must_be_one(file) -> None:
    two = GOOD | {"answer": r"\boxed{A} or \boxed{B}"}
    assert read_problems(write(file, two)).problems == []


def test_another_parquet_is_an_error(file) -> None:
    with pytest.raises(ValueError, match=r"39Krelease\.parquet: .*no column 'image'"):
        read_problems(write(file, {name: GOOD[name] for name in GOOD if name != "image"}))


def test_a_file_that_is_no_parquet_is_an_error(file) -> None:
    file.write_bytes(b"no parquet at all")
    with pytest.raises(ValueError, match=r"39Krelease\.parquet: no parquet of ViRL39K"):
        read_problems(file)
