"""Whatever ends a run, its folder goes on from there, for the same run and no other."""

import resource
import signal

import pytest

from racro.evaluation.failures import EvaluationError
from racro.evaluation.results import RunFolder, System, read_folder
from support.evaluated import CAPTIONER, REASONER, result, run_of, written


def test_what_is_written_is_read(tmp_path) -> None:
    results = [result("1"), result("2", tentative=None)]
    written(tmp_path / "run", results, left_out=(("7", "no answer"),))
    run, read = read_folder(tmp_path / "run")
    assert read == {"1": results[0], "2": results[1]}
    assert (run.captioner, run.reasoner) == (CAPTIONER, REASONER)
    assert run.left_out == (("7", "no answer"),)


def test_a_run_is_of_one_that_sees_or_of_one_that_reads(tmp_path) -> None:
    native = {"tentative": None, "captioner": None, "caption": "", "cache": ""}
    written(tmp_path, [result("1", **native), result("2", **native)])
    run, _ = read_folder(tmp_path)
    assert (run.captioner, run.reasoner) == (None, REASONER)
    with pytest.raises(EvaluationError, match="answers of the captioner none, and now eye"):
        written(tmp_path, [result("3")])


@pytest.mark.parametrize("cut", range(1, 40, 6))
def test_a_line_without_its_end_is_an_item_not_done(tmp_path, cut) -> None:
    written(tmp_path, [result("1"), result("2")])
    lines = tmp_path / "results.jsonl"
    lines.write_bytes(lines.read_bytes()[:-cut])
    assert list(read_folder(tmp_path)[1]) == ["1"]
    with RunFolder.opened(tmp_path, run_of()) as folder:
        assert list(folder.results) == ["1"]
        folder.add(result("2"))
    assert read_folder(tmp_path)[1] == {"1": result("1"), "2": result("2")}


def test_killed_before_the_first_answer(tmp_path) -> None:
    written(tmp_path, [])
    (tmp_path / "results.jsonl").write_bytes(b'{"id": "1", "cat')
    written(tmp_path, [result("1")])
    assert list(read_folder(tmp_path)[1]) == ["1"]


@pytest.mark.parametrize("other", [{"sha256": "b" * 64}, {"model": "larger"}, {"racro": "0.2.0"}])
def test_another_runs_folder_is_refused_and_left_as_it_is(tmp_path, other) -> None:
    written(tmp_path, [result("1")])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(EvaluationError, match="holds another run"):
        written(tmp_path, [result("2")], **other)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("theirs", [b'{"loss": 1}\n{"loss": 2}\n{"lo', b"{"])
def test_another_tools_results_are_refused_and_left_as_they_are(tmp_path, theirs) -> None:
    (tmp_path / "results.jsonl").write_bytes(theirs)
    with pytest.raises(EvaluationError, match=r"without a run\.json"):
        written(tmp_path, [result("1")])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [theirs]


def test_the_same_run_may_be_extended_and_asked_elsewhere(tmp_path) -> None:
    left_out = (("7", "no answer"),)
    written(tmp_path, [result("1")], problems=9, left_out=left_out)
    written(tmp_path, [result("2")], problems=2, gateway="http://other", label_reasoner="M")
    run, results = read_folder(tmp_path)
    asked = (run.gateway, run.label_reasoner, run.problems, run.left_out)
    assert (asked, len(results)) == (("http://other", "M", 9, left_out), 2)


def test_what_failed_is_known_until_it_is_answered(tmp_path) -> None:
    for results, failed in [
        ([result("1")], {"2": "too_large", "3": "too_large"}),
        ([result("2")], {"4": "status 503"}),
    ]:
        with RunFolder.opened(tmp_path, run_of()) as folder:
            for one in results:
                folder.add(one)
            folder.note_failed(failed)
    assert read_folder(tmp_path)[0].failed == {"3": "too_large", "4": "status 503"}


@pytest.mark.parametrize(
    "answered_by",
    [
        {"captioner": System("eye", "e2", "racro-v1")},
        {"captioner": System("eye", "e1", "racro-v2")},
        {"reasoner": System("mind", "m2")},
        {"reasoner": System("other", "m1")},
    ],
)
def test_answers_of_another_system_are_refused(tmp_path, answered_by) -> None:
    written(tmp_path, [result("1")])
    with pytest.raises(EvaluationError, match="one run is of one system"):
        written(tmp_path, [result("2", **answered_by)])
    assert list(read_folder(tmp_path)[1]) == ["1"]


def test_two_at_a_time_are_one_too_many(tmp_path) -> None:
    with (
        RunFolder.opened(tmp_path, run_of()),
        pytest.raises(EvaluationError, match="another run is writing"),
        RunFolder.opened(tmp_path, run_of()),
    ):
        pass


def test_a_damaged_line_is_named(tmp_path) -> None:
    written(tmp_path, [result("1")])
    lines = tmp_path / "results.jsonl"
    lines.write_bytes(lines.read_bytes() + b'{"id": 5}\n')
    with pytest.raises(EvaluationError, match=r"results\.jsonl, line 2 "):
        read_folder(tmp_path)


def test_no_run_and_no_folder(tmp_path) -> None:
    with pytest.raises(EvaluationError, match="holds no run"):
        read_folder(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="cannot be written"):
        written(tmp_path / "file", [])


def test_a_full_disk_stops_the_run_and_costs_one_item(tmp_path) -> None:
    written(tmp_path, [result("1")])
    size = (tmp_path / "results.jsonl").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with RunFolder.opened(tmp_path, run_of()) as folder:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
            with pytest.raises(EvaluationError, match="cannot be written"):
                folder.add(result("2"))
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            folder.add(result("3"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    written(tmp_path, [result("2")])
    assert list(read_folder(tmp_path)[1]) == ["1", "3", "2"]
