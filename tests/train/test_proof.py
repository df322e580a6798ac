"""The proof's own arithmetic, and its whole way on a handful of problems."""

import json

import numpy as np
import pytest

from experiments.cro_proof.evaluating import READER, Candidate, evaluate
from experiments.cro_proof.problems import write_problems
from experiments.cro_proof.report import Findings, write
from experiments.cro_proof.runs import METHODS, Inputs, Run
from racro.embedded.captioner import CHECKPOINT


def findings(*, cro: float, sft: float, problems: int = 400) -> Findings:
    rng = np.random.default_rng(1)
    rights = {
        method: rng.random((3, problems)) < share for method, share in (("cro", cro), ("sft", sft))
    }
    return Findings("reader", np.zeros(problems, bool), rights)


def test_a_gain_is_the_difference_of_means_within_its_interval():
    gain = findings(cro=0.8, sft=0.5).gain()
    assert 0.2 < gain.low < gain.value < gain.high < 0.4
    assert gain.n == 400


def test_no_gain_has_an_interval_around_nothing():
    gain = findings(cro=0.5, sft=0.5).gain()
    assert gain.low < 0 < gain.high


def test_the_interval_grows_where_seeds_differ():
    alike = findings(cro=0.6, sft=0.5)
    unlike = Findings("reader", alike.start, {**alike.rights, "cro": alike.rights["cro"].copy()})
    unlike.rights["cro"][0] = True
    unlike.rights["cro"][1] = False
    widths = [gain.high - gain.low for gain in (alike.gain(), unlike.gain())]
    assert widths[1] > 2 * widths[0]


@pytest.mark.timeout(3600)
def test_the_whole_way(tmp_path):
    problems = tmp_path / "problems"
    write_problems(problems, seed=4, count=14)
    runs = [Run(method, 1, tmp_path / f"{method}-1") for method in METHODS]
    for run in runs:
        run.train(Inputs(problems, problems, CHECKPOINT), steps=2)
        assert run.cpu_s["trainer"] > 0
    asked = {READER: 14}
    candidates = [Candidate("start", "start", CHECKPOINT, asked)]
    candidates += [
        Candidate(run.output.name, run.output.name, run.output / "final", asked) for run in runs
    ]
    for one in candidates:
        evaluate(one, problems / "problems.jsonl", tmp_path / "answers")
    write(tmp_path, tmp_path / "answers", problems, runs)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["gain"][READER]["n"] == 14
    assert report["cpu_s"]["cro-1"]["reasoner"] > 0
    assert "| 10 |" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "curve.png").stat().st_size > 5000
    assert (tmp_path / "captions.png").stat().st_size > 5000
