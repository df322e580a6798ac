"""Our own format: read, refused with line and field, written and read again."""

import base64
import errno
import json
import os
import tempfile
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racro.problems import Problem, image_bytes, read_problems, write_jsonl
from support.diagrams import noise

IMAGE = noise(0)
BASE64 = base64.b64encode(IMAGE).decode()
GOOD = {"id": "1", "question": "What is x?", "images": ["x.png"], "answer": "5"}


@pytest.fixture
def file(tmp_path):
    (tmp_path / "x.png").write_bytes(IMAGE)
    return tmp_path / "problems.jsonl"


def write(file: Path, *lines: object) -> Path:
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return file


@pytest.mark.parametrize("image", ["x.png", BASE64, f"data:image/png;base64,{BASE64}"])
def test_an_image_is_a_path_base64_or_a_data_url(file, image) -> None:
    reading = read_problems(write(file, GOOD | {"images": [image]}))
    [problem] = reading.problems
    assert image_bytes(problem.images[0]) == IMAGE
    assert (problem.id, problem.question, problem.answer) == ("1", "What is x?", "5")
    assert reading.left_out == []


def test_options_are_a_mapping_or_a_list(file) -> None:
    mapping = GOOD | {"answer": "B", "options": {"A": "yes", "B": "no"}, "category": "logic"}
    listed = GOOD | {"id": 2, "answer": "B", "options": ["yes", "no"]}
    first, second = read_problems(write(file, mapping, listed)).problems
    assert first.options == second.options == {"A": "yes", "B": "no"}
    assert (first.category, second.id) == ("logic", "2")


def test_an_image_whose_base64_is_too_long_for_a_files_name_is_no_path(file) -> None:
    texts = (base64.b64encode(noise(seed)).decode() for seed in count())
    text = next(text for text in texts if max(map(len, text.split("/"))) > 255)
    [problem] = read_problems(write(file, GOOD | {"images": [text]})).problems
    assert image_bytes(problem.images[0]) == base64.b64decode(text)


def test_what_is_null_is_left_out(file) -> None:
    no_answer, no_question = GOOD | {"answer": None}, GOOD | {"id": "2", "question": None}
    reading = read_problems(write(file, no_answer, no_question, GOOD | {"id": "3"}))
    assert [problem.id for problem in reading.problems] == ["3"]
    assert reading.left_out == [("1", "the answer is empty"), ("2", "the question is empty")]


def test_an_answer_may_be_a_number(file) -> None:
    read = read_problems(write(file, GOOD | {"answer": 5}, GOOD | {"id": "2", "answer": 2.5}))
    assert [problem.answer for problem in read.problems] == ["5", "2.5"]


UNFIT = {
    "the question is empty": {"question": " "},
    "the answer is empty": {"answer": "\n"},
    "it has no id": {"id": ""},
    "it has no image": {"images": []},
    "2 image tags for 1 images": {"question": "<image><image>What?"},
    "the answer 'C' is none of the options A, B": {"answer": "C", "options": ["yes", "no"]},
    "option 'a' is no letter from A to Z": {"options": {"a": "yes"}, "answer": "a"},
    "option B is empty": {"options": ["yes", ""], "answer": "A"},
    "image 1: 'y.png' is neither a file nor base64": {"images": ["y.png"]},
    "image 2: no whole image of a known format": {"images": ["x.png", "aGVsbG8="]},
}


@pytest.mark.parametrize(("reason", "change"), UNFIT.items())
def test_a_row_that_does_not_fit_is_left_out_and_named(file, reason, change) -> None:
    bad = GOOD | {"id": "bad"} | change
    reading = read_problems(write(file, GOOD, bad))
    assert [problem.id for problem in reading.problems] == ["1"]
    assert reading.left_out == [(bad["id"] or "line 2", reason)]


def test_an_id_that_comes_again_is_left_out(file) -> None:
    reading = read_problems(write(file, GOOD, GOOD | {"question": "Another?"}))
    assert [problem.question for problem in reading.problems] == ["What is x?"]
    assert reading.left_out == [("1", "an earlier row has the same id")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (GOOD | {"solution": "?"}, "line 2: Object contains unknown field `solution`"),
        (GOOD | {"question": 3}, r"line 2: Expected `str . null`, got `int` - at `\$.question`"),
        (["a list"], "line 2: Expected `object`"),
    ],
)
def test_a_line_of_another_form_is_an_error_that_names_it(file, line, message) -> None:
    with pytest.raises(ValueError, match=rf"problems\.jsonl: {message}"):
        read_problems(write(file, GOOD, line))


@pytest.mark.parametrize("content", [b"no json", b"\x89PNG\r\n\x1a\n\x00", b"", b"\n\n"])
def test_a_file_that_holds_no_problems_is_an_error(file, content) -> None:
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"problems\.jsonl: "):
        read_problems(file)


def test_another_kind_of_file_is_an_error(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"x\.csv: problems are read from \.tsv, \.jsonl, \.parq"):
        read_problems(tmp_path / "x.csv")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="<>"), min_size=1, max_size=20)
WORDS = TEXT.map(str.strip).filter(bool)
IMAGES = st.lists(st.integers(0, 3).map(noise), min_size=1, max_size=3).map(tuple)


@st.composite
def problems(draw) -> list[Problem]:
    found = []
    for name in draw(st.lists(WORDS, unique=True, min_size=1, max_size=4)):
        options = dict(zip("ABCD", draw(st.lists(WORDS, max_size=4)), strict=False))
        answer = draw(st.sampled_from([*options]) if options else WORDS)
        category = draw(st.just("") | WORDS)
        found.append(Problem(name, draw(WORDS), draw(IMAGES), answer, options, category))
    return found


def with_bytes(problem: Problem) -> Problem:
    images = tuple(map(image_bytes, problem.images))
    return Problem(
        problem.id, problem.question, images, problem.answer, problem.options, problem.category
    )


@settings(max_examples=50, deadline=None)
@given(problems())
def test_what_is_written_is_read_again(written) -> None:
    with tempfile.TemporaryDirectory() as folder:
        reading = read_problems(write_jsonl(written, Path(folder) / "new"))
        assert reading.left_out == []
        assert [*map(with_bytes, reading.problems)] == written


def test_images_are_files_beside_it_each_once(tmp_path) -> None:
    jpeg = noise(1, "JPEG")
    write_jsonl([Problem(n, "What?", (IMAGE, jpeg), "5") for n in "12"], tmp_path)
    stored = sorted((tmp_path / "images").iterdir())
    assert sorted(path.read_bytes() for path in stored) == sorted([IMAGE, jpeg])
    assert {path.suffix for path in stored} == {".png", ".jpg"}


def test_an_id_that_comes_twice_is_not_written(tmp_path) -> None:
    with pytest.raises(ValueError, match="two problems have the id '1'"):
        write_jsonl([Problem("1", "What?", (IMAGE,), "5")] * 2, tmp_path)
    assert not (tmp_path / "problems.jsonl").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_leaves_no_file(tmp_path) -> None:
    (tmp_path / "problems.jsonl.unfinished").symlink_to("/dev/full")
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        write_jsonl([Problem("1", "What?", (IMAGE,), "5")], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["images"]
