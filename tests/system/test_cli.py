"""The `racro` command, as it is typed."""

import json
import random
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from experiments.recipes.captioner.scenes import draw_scene
from support.command import CLEAN, RACRO, WITH_CTRL_C, racro
from support.pictures import png
from support.processes import PATIENCE_S, Service, free_port, wait_until
from support.scripted import ScriptedServer

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def test_solve_shows_caption_and_answer(gateway: Service, tmp_path: Path) -> None:
    picture = tmp_path / "chart.png"
    picture.write_bytes(png("cli"))
    shown = racro("solve", str(picture), "How high?", "--gateway", gateway.url)
    assert shown.returncode == 0, shown.stderr
    assert "A bar chart with one bar of height 42." in shown.stdout
    assert "Answer: 42" in shown.stdout


def test_solve_prints_json_and_nothing_else(
    gateway: Service, captioner: ScriptedServer, tmp_path: Path
) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(png(name))
    images = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    printed = racro("solve", *images, "Same?", "--json", "--no-tentative", "--gateway", gateway.url)
    assert json.loads(printed.stdout)["answer"] == "42"
    asked = captioner.perceptions[-1].json
    assert (len(asked["images"]), asked["question"], asked["parts"]) == (2, "Same?", ["caption"])


@pytest.mark.parametrize("name", ["paper.pdf", "scan.PDF", "download"])
def test_solve_takes_a_pdf_whatever_its_name(
    gateway: Service, captioner: ScriptedServer, tmp_path: Path, name: str
) -> None:
    paper = tmp_path / name
    paper.write_bytes(b"%PDF-1.7\n%%EOF\n" + name.encode())
    shown = racro("solve", str(paper), "How much?", "--gateway", gateway.url)
    assert shown.returncode == 0, shown.stderr
    assert captioner.perceptions[-1].json["images"][0].startswith("data:application/pdf;base64,")


def test_up_serves_until_ctrl_c_and_leaves_nothing_behind(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        command = [*WITH_CTRL_C, RACRO, "up", "--free-ports"]
        up = subprocess.Popen(command, stdout=output, env=CLEAN)
    found = wait_until(lambda: re.search(r"RACRO serves at (\S+)", log.read_text()), what="its URL")
    services = psutil.Process(up.pid).children(recursive=True)
    # Captioner, its worker and multiprocessing's own process; reasoner, its engine; gateway.
    assert len(services) == 6
    shown = racro(
        "solve", str(EXAMPLES / "table.png"), "How many?", "--json", "--gateway", found[1]
    )
    assert json.loads(shown.stdout)["visual_context"]["caption"]
    shell, python = snippets(log.read_text())
    assert json.loads(printed_by("bash", "-c", shell))["object"] == "solve"
    assert printed_by(sys.executable, "-c", python).strip()
    up.send_signal(signal.SIGINT)
    assert up.wait(PATIENCE_S) == 0
    wait_until(lambda: not any(one.is_running() for one in services), what="they are gone")
    assert all(f"{name} ready" in log.read_text() for name in ("captioner", "reasoner", "gateway"))


def snippets(printed: str) -> list[str]:
    """What is printed to be copied, by its headings."""
    return re.split(r"^# From .*:$", printed, flags=re.MULTILINE)[1:]


def printed_by(*command: str) -> str:
    """What a command prints in the repository's root; it succeeds."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=CLEAN,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_up_with_the_captioner_that_sees(tmp_path: Path) -> None:
    picture = tmp_path / "rectangle.png"
    scene = draw_scene(random.Random(4), "rectangle")
    scene.image.save(picture)
    question = "What is the length of the rectangle?"
    log = tmp_path / "log"
    with log.open("w") as output:
        command = [RACRO, "up", "--free-ports", "--captioner", "drawn"]
        up = subprocess.Popen(command, stdout=output, env=CLEAN)
    try:
        found = wait_until(lambda: re.search(r"RACRO serves at (\S+)", log.read_text()), what="it")
        shown = racro("solve", str(picture), question, "--json", "--gateway", found[1])
    finally:
        up.terminate()
        assert up.wait(PATIENCE_S) == 0
    solved = json.loads(shown.stdout)
    assert solved["visual_context"]["model"] == "racro-drawn"
    assert solved["visual_context"]["tentative"]
    assert "Rectangle." in solved["visual_context"]["caption"]
    assert solved["answer"] == str(scene.facts.numbers["length"])


@pytest.mark.parametrize(
    ("option", "service"),
    [("--port", "gateway"), ("--captioner-port", "captioner"), ("--reasoner-port", "reasoner")],
)
def test_a_taken_port_is_named_with_its_option(gateway: Service, option: str, service: str) -> None:
    others = {"--port", "--captioner-port", "--reasoner-port"} - {option}
    free = [argument for other in others for argument in (other, free_port())]
    refused = racro("up", option, gateway.port, *free)
    assert refused.returncode == 1
    assert f"port {gateway.port} is taken: give the {service} another" in refused.stderr
    assert f"with {option}, or use --free-ports" in refused.stderr


def test_ports_are_ports_and_each_service_has_its_own() -> None:
    for port in ("80000", "0", "-1", "http"):
        refused = racro("up", "--port", port)
        assert refused.returncode == 2
        assert "Invalid value for '--port'" in refused.stderr
    twice = racro("up", "--captioner-port", "9000", "--reasoner-port", "9000")
    assert twice.returncode == 1
    assert "--captioner-port and --reasoner-port are both 9000" in twice.stderr


def test_the_demo_succeeds_only_if_every_stage_ran(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "receipt.png", tmp_path)
    good = {"image": "receipt.png", "question": "What is the total?", "expected": "13.95"}
    (tmp_path / "questions.jsonl").write_text(json.dumps(good))
    demo = racro("demo", "--examples", str(tmp_path))
    assert demo.returncode == 0, demo.stderr
    assert "CORNER SHOP" in demo.stdout

    (tmp_path / "broken.png").write_bytes(png()[:60])
    (tmp_path / "questions.jsonl").write_text(json.dumps({**good, "image": "broken.png"}))
    demo = racro("demo", "--examples", str(tmp_path))
    assert demo.returncode == 1
    assert "not every stage ran" in demo.stderr
