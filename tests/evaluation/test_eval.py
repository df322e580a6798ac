"""`racro eval` as it is typed, on a real gateway over scripted captioner and reasoner."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import gateway_config
from support.evaluated import result, written
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service, free_port, wait_until
from support.scripted import Asked, Script, ScriptedServer

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("RACRO_")}
COMMAND = ["env", "--default-signal=INT", sys.executable, "-m", "racro.cli", "eval"]
PICTURE = data_url(png("eval")).partition(",")[2]


def racro_eval(*arguments: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True, text=True, timeout=PATIENCE_S, env=CLEAN, check=False,
    )  # fmt: skip


def benchmark(path: Path, name: str, count: int) -> Path:
    """A TSV as VLMEvalKit's. Questions hold `name`: the gateway's cache outlives a test."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, delimiter="\t")
        rows.writerow(["index", "question", "answer", "category", "image"])
        for item in range(count):
            category = "even" if item % 2 == 0 else "odd"
            rows.writerow([item, f"{name}, item {item}: how high?", "42", category, PICTURE])
    return path


def item_of(prompt: str) -> int:
    return int(prompt.partition(", item ")[2].partition(":")[0])


def prompt_of(asked: Asked) -> str:
    return asked["messages"][1]["content"]


def answers(right: Callable[[int, bool], bool]) -> Callable[[Any], Script]:
    """A reasoner that is right where `right(item, with the tentative response)` says so."""

    def respond(asked: Any) -> Script:
        prompt = prompt_of(asked)
        is_right = right(item_of(prompt), "A tentative model response" in prompt)
        return Script(texts=[f"\\boxed{{{42 if is_right else 7}}}"])

    return respond


def results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def test_one_run_gives_three_accuracies(
    gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer, tmp_path: Path
) -> None:
    captioner.script.respond = lambda asked: Script(
        tentative=f"\\boxed{{{42 if item_of(asked['question']) % 4 == 0 else 7}}}"
    )
    reasoner.script.respond = answers(lambda item, tentative: item < (9 if tentative else 6))
    data = benchmark(tmp_path / "MathVista_MINI.tsv", "three", 12)
    run = tmp_path / "run"
    done = racro_eval(
        "run", data.parent, "--benchmark", "MathVista", "--gateway", gateway.url, "--output", run
    )
    assert done.returncode == 0, done.stderr
    accuracy = json.loads((run / "report.json").read_text())["accuracy"]
    shares = {
        group: [round(ways[way]["value"], 3) for way in ways] for group, ways in accuracy.items()
    }
    assert shares == {
        "overall": [0.75, 0.5, 0.25],
        "even": [round(5 / 6, 3), 0.5, 0.5],
        "odd": [round(4 / 6, 3), 0.5, 0],
    }
    assert "75.0 (" in done.stdout
    assert "beside Table 1" in (run / "report.md").read_text()
    # One look at each image, although there are two answers.
    assert len(captioner.perceptions) == 12
    assert len(reasoner.chats) == 24


def test_a_reasoner_that_sees_is_the_baseline(captioner, reasoner, tmp_path: Path) -> None:
    """It is asked once an item, with the image, and nobody is asked for a caption."""
    config = gateway_config(captioner.url, reasoner.url)
    config["reasoners"]["alone"] = {**config["reasoners"]["default"], "vision": True}
    data = benchmark(tmp_path / "data.tsv", "native", 4)
    run = tmp_path / "run"
    with Service("gateway", config) as service:
        done = racro_eval(
            "run", data, "--gateway", service.url, "--model", "alone", "--output", run
        )
    assert done.returncode == 0, done.stderr
    assert "native" in done.stdout
    [line, *_] = results(run)
    assert (line["captioner"], line["caption"], line["joint"]["answer"]) == (None, "", "42")
    assert captioner.perceptions == []
    asked = [chat.json["messages"][0]["content"] for chat in reasoner.chats]
    assert [[part["type"] for part in parts] for parts in asked] == [["image_url", "text"]] * 4


def test_a_tentative_response_is_read_as_models_write_it(
    gateway: Service, captioner: ScriptedServer, tmp_path: Path
) -> None:
    captioner.script.tentative = "The answer isn't 7 but 42, since the bar ends there."
    data = benchmark(tmp_path / "data.tsv", "tentative", 1)
    done = racro_eval("run", data, "--gateway", gateway.url, "--output", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert results(tmp_path / "run")[0]["tentative_alone"] == {"answer": "42", "right": True}


def test_a_result_has_all_that_was_said(
    gateway: Service, reasoner: ScriptedServer, tmp_path: Path
) -> None:
    data = benchmark(tmp_path / "data.tsv", "said", 1)
    done = racro_eval("run", data, "--gateway", gateway.url, "--output", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    (line,) = results(tmp_path / "run")
    assert (line["id"], line["category"], line["expected"], line["cache"]) == (
        "0", "even", "42", "miss",
    )  # fmt: skip
    assert line["caption"] == "A bar chart with one bar of height 42."
    assert line["tentative"] == "It is \\boxed{42}."
    assert line["tentative_alone"] == {"answer": "42", "right": True}
    assert line["joint"]["text"] == "The answer is \\boxed{42}."
    assert line["joint"]["usage"]["reasoner"]["completion_tokens"] == 3
    assert line["captioner"] == {
        "model": "scripted-vlm", "revision": "r1", "prompt_profile": "racro-v1",
    }  # fmt: skip
    assert line["reasoner"]["revision"] == "rev7"
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (run["data"], run["problems"], run["model"]) == ("data.tsv", 1, "default")
    assert len(run["sha256"]) == 64
    assert run["captioner"] == line["captioner"]


def test_options_are_asked_and_answered_by_letter(
    gateway: Service, reasoner: ScriptedServer, tmp_path: Path
) -> None:
    data = tmp_path / "options.tsv"
    header = "index\tquestion\tA\tB\tanswer\timage\n"
    data.write_text(f"{header}x1\toptions: how high?\t12 cm\t42 cm\tB\t{PICTURE}\n")
    reasoner.script.texts = ["\\boxed{B}"]
    done = racro_eval("run", data, "--gateway", gateway.url, "--output", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "options: how high?\nOptions:\nA. 12 cm\nB. 42 cm" in prompt_of(reasoner.chats[0].json)
    assert results(tmp_path / "run")[0]["joint"]["right"] is True


def test_a_captioner_without_tentative_responses_is_asked_for_one_answer(
    captioner: ScriptedServer, reasoner: ScriptedServer, tmp_path: Path
) -> None:
    data = benchmark(tmp_path / "data.tsv", "one", 2)
    captioner.script.identity["parts"] = ["caption"]
    reasoner.script.respond = answers(lambda item, _: item == 0)
    with Service("gateway", gateway_config(captioner.url, reasoner.url)) as gateway:
        done = racro_eval("run", data, "--gateway", gateway.url, "--output", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert len(reasoner.chats) == 2
    for line in results(tmp_path / "run"):
        assert line["joint"] == line["caption_only"]
        assert line["tentative"] is line["tentative_alone"] is None
    accuracy = json.loads((tmp_path / "run" / "report.json").read_text())["accuracy"]["overall"]
    assert [accuracy[way] and accuracy[way]["value"] for way in accuracy] == [0.5, 0.5, None]


def test_half_a_joint_answer_is_none(
    gateway: Service, captioner: ScriptedServer, tmp_path: Path
) -> None:
    data = benchmark(tmp_path / "data.tsv", "half", 1)
    captioner.script.tentative = None
    failed = racro_eval("run", data, "--gateway", gateway.url, "--output", tmp_path / "run")
    assert failed.returncode == 1
    assert "the tentative response failed" in failed.stderr
    assert results(tmp_path / "run") == []
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["failed"] == {"0": "no_tentative_response"}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_broken_off_goes_on(
    gateway: Service, reasoner: ScriptedServer, tmp_path: Path, how: signal.Signals
) -> None:
    data = benchmark(tmp_path / "data.tsv", f"broken off by {how.name}", 24)
    folder = tmp_path / "run"
    arguments = ["run", str(data), "--gateway", gateway.url, "--output", str(folder)]
    never = Script(held_at=0)
    reasoner.script.respond = lambda asked: never if item_of(prompt_of(asked)) >= 12 else None
    lines = folder / "results.jsonl"
    with subprocess.Popen([*COMMAND, *arguments, "--concurrency", "3"], env=CLEAN) as process:
        try:
            wait_until(lambda: lines.exists() and lines.read_bytes().count(b"\n") > 4)
        finally:
            process.send_signal(how)
    assert process.returncode == (130 if how == signal.SIGINT else -9)
    before = results(folder)
    assert 5 <= len(before) < 24
    if how == signal.SIGINT:
        assert f"answered: {len(before)} of 24" in (folder / "report.md").read_text()
    with lines.open("ab") as file:
        file.write(b'{"id": "23", "categ')

    reasoner.asked.clear()
    reasoner.script.respond = None
    done = racro_eval(*arguments)
    assert done.returncode == 0, done.stderr
    after = results(folder)
    assert after[: len(before)] == before
    assert sorted(int(line["id"]) for line in after) == list(range(24))
    asked_again = {item_of(prompt_of(asked.json)) for asked in reasoner.chats}
    assert asked_again == set(range(24)) - {int(line["id"]) for line in before}


def test_a_run_that_cannot_go_on_tells_what_it_has(
    gateway: Service, reasoner: ScriptedServer, tmp_path: Path
) -> None:
    error = {"error": {"message": "no such option", "code": "invalid_request"}}
    reasoner.script.respond = lambda asked: (
        Script(status=400, plain=error) if item_of(prompt_of(asked)) > 2 else None
    )
    data = benchmark(tmp_path / "data.tsv", "cannot go on", 40)
    stopped = racro_eval(
        "run", data, "--gateway", gateway.url, "--output", tmp_path / "run", "--concurrency", 1
    )
    assert stopped.returncode == 1
    assert "20 got no answer:\n  3: " in stopped.stderr
    assert "20 items in a row failed: " in stopped.stderr
    report = (tmp_path / "run" / "report.md").read_text()
    assert "answered: 3 of 40\n- failed: 20 (20 × " in report


def test_an_item_that_fails_is_not_wrong_but_tried_again(
    gateway: Service, reasoner: ScriptedServer, tmp_path: Path
) -> None:
    def fails(asked: Any) -> Script | None:
        error = {"error": {"message": "too odd", "code": "invalid_request"}}
        is_odd = item_of(prompt_of(asked)) == 1
        return Script(status=400, plain=error) if is_odd else None

    reasoner.script.respond = fails
    data = benchmark(tmp_path / "data.tsv", "fails", 3)
    arguments = ("run", data, "--gateway", gateway.url, "--output", tmp_path / "run")
    failed = racro_eval(*arguments)
    assert failed.returncode == 1
    assert "1 got no answer:\n  1: " in failed.stderr
    assert sorted(line["id"] for line in results(tmp_path / "run")) == ["0", "2"]

    reasoner.script.respond = None
    reasoner.asked.clear()
    assert racro_eval(*arguments).returncode == 0
    assert sorted(line["id"] for line in results(tmp_path / "run")) == ["0", "1", "2"]
    assert {item_of(prompt_of(asked.json)) for asked in reasoner.chats} == {1}


def test_another_runs_folder_is_refused(gateway: Service, tmp_path: Path) -> None:
    first = benchmark(tmp_path / "first.tsv", "first", 1)
    second = tmp_path / "second.tsv"
    second.write_text("refused before it is read\n")
    arguments = ("--gateway", gateway.url, "--output", tmp_path / "run")
    assert racro_eval("run", first, *arguments).returncode == 0
    report = (tmp_path / "run" / "report.md").read_bytes()
    refused = racro_eval("run", second, *arguments)
    assert refused.returncode == 1
    assert (tmp_path / "run" / "report.md").read_bytes() == report
    assert "holds another run: first.tsv" in refused.stderr
    assert len(results(tmp_path / "run")) == 1


def test_what_cannot_be_graded_is_left_out_and_told(gateway: Service, tmp_path: Path) -> None:
    data = tmp_path / "data.tsv"
    rows = ["a\tungraded: good?\t42", "b\tungraded: bad?\t"]
    lines = ["index\tquestion\tanswer\timage", *(f"{row}\t{PICTURE}" for row in rows)]
    data.write_text("\n".join(lines) + "\n")
    done = racro_eval("run", data, "--gateway", gateway.url, "--output", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "1 left out:\n  b: " in done.stderr
    assert [line["id"] for line in results(tmp_path / "run")] == ["a"]


def test_what_cannot_begin_says_why(gateway: Service, tmp_path: Path) -> None:
    data = benchmark(tmp_path / "data.tsv", "nobody", 1)
    output = tmp_path / "run"
    nobody = f"http://127.0.0.1:{free_port()}"
    away = racro_eval("run", data, "--gateway", nobody, "--output", output)
    unknown = racro_eval(
        "run", data, "--gateway", gateway.url, "--output", output, "--model", "huge"
    )
    assert (away.returncode, unknown.returncode) == (1, 1)
    assert "`racro up` starts one" in away.stderr
    assert "--model huge: the gateway has default" in unknown.stderr
    assert "Traceback" not in away.stderr + unknown.stderr
    assert not output.exists()


def test_runs_are_compared_and_laid_out(tmp_path: Path) -> None:
    good = written(tmp_path / "good", [result(str(item)) for item in range(9)])
    bad = written(
        tmp_path / "bad",
        [result(str(item), joint=item > 6) for item in range(8)],
        label_reasoner="small",
    )
    compared = racro_eval("compare", good, bad)
    assert compared.returncode == 0, compared.stderr
    assert "right in A alone 7, in B alone 0; McNemar's exact test p = 0.0156" in compared.stdout
    assert "only A has 1" in compared.stdout
    laid_out = racro_eval("matrix", good, bad, "--output", tmp_path / "matrix", "--of", "joint")
    assert laid_out.returncode == 0, laid_out.stderr
    assert "| captioner | captioner alone | mind | small |" in laid_out.stdout
    assert len(list((tmp_path / "matrix").glob("*.png"))) == 1
