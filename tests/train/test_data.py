"""What is trained on, before any model is loaded."""

from racro.problems import Problem, write_jsonl
from racro.training.data import read_data, to_explore
from racro.training.run_folder import Run, mark_complete
from racro.training.settings import Data
from support.diagrams import noise

STATE = '{{"global_step": {step}, "max_steps": 3}}'


def problems(*numbers: int) -> list[Problem]:
    return [Problem(f"p{n}", f"What is x{n}?", (noise(n),), "5") for n in numbers]


def test_what_an_evaluation_shows_is_neither_trained_on_nor_held_out(tmp_path):
    train = write_jsonl(problems(1, 2, 3), tmp_path / "train")
    heldout = write_jsonl(problems(3, 4), tmp_path / "heldout")
    [evaluation] = problems(3)
    against = write_jsonl(
        [Problem("e1", "Which?", evaluation.images, "A", {"A": "x", "B": "y"})], tmp_path / "e"
    )
    data = read_data(Data(train=(train,), heldout=(heldout,), against=(against,)), to_explore)
    assert [row.problem.id for row in data.train] == ["p1", "p2"]
    assert [row.problem.id for row in data.heldout] == ["p4"]
    reason = "image 1: it is that of evaluation problem e1"
    assert data.left_out == [(f"{train}: p3", reason), (f"{heldout}: p3", reason)]
    assert str(against) in data.digests, "another evaluation is another training"


def test_a_checkpoint_that_was_being_deleted_is_not_looked_into(tmp_path):
    """The oldest one, of which a killed trainer left no more than the mark that it was whole."""
    for step, state in {1: None, 2: STATE, 3: STATE, 10: None}.items():
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state.format(step=step))
        if step <= 3:
            mark_complete(folder)
    # 10 is not whole, 3 is the end.
    assert Run(tmp_path).to_go_on_from() == tmp_path / "checkpoint-2"
