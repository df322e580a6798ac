"""The `racro` command, as it is typed."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from racro.embedded.captioner.recipe.scenes import draw_scene
from support.pictures import png
from support.processes import PATIENCE_S, Service, free_port, wait_until
from support.scripted import ScriptedServer

RACRO = Path(sys.executable).parent / "racro"
EXAMPLES = Path(__file__).parents[2] / "examples"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("RACRO_")}


def racro(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RACRO, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=CLEAN,
        check=False,
    )


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


def test_what_goes_wrong_is_said_in_a_line(gateway: Service, tmp_path: Path) -> None:
    text = tmp_path / "notes.png"
    text.write_text("no image")
    missing = racro("solve", str(tmp_path / "none.png"), "What?")
    nobody = racro("solve", str(text), "What?", "--gateway", f"http://127.0.0.1:{free_port()}")
    refused = racro("solve", str(text), "What?", "--gateway", gateway.url)
    assert [missing.returncode, nobody.returncode, refused.returncode] == [1, 1, 1]
    assert "No such file" in missing.stderr
    assert "racro up" in nobody.stderr
    assert "unsupported_media_type" in refused.stderr
    assert "Traceback" not in missing.stderr + nobody.stderr + refused.stderr


def test_up_serves_until_ctrl_c_and_leaves_nothing_behind(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        # Whoever started the tests in the background had them ignore Ctrl-C.
        command = ["env", "--default-signal=INT", RACRO, "up", "--free-ports"]
        up = subprocess.Popen(command, stdout=output, env=CLEAN)
    found = wait_until(lambda: re.search(r"RACRO serves at (\S+)", log.read_text()), what="its URL")
    services = psutil.Process(up.pid).children(recursive=True)
    assert len(services) == 4  # captioner, reasoner, its engine, gateway
    shown = racro(
        "solve", str(EXAMPLES / "table.png"), "How many?", "--json", "--gateway", found[1]
    )
    assert json.loads(shown.stdout)["visual_context"]["caption"]
    up.send_signal(signal.SIGINT)
    assert up.wait(PATIENCE_S) == 0
    assert not [service for service in services if service.is_running()]
    assert all(f"{name} ready" in log.read_text() for name in ("captioner", "reasoner", "gateway"))


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


def test_a_taken_port_is_named(gateway: Service) -> None:
    refused = racro("up", "--captioner-port", str(gateway.port))
    assert refused.returncode == 1
    assert f"port {gateway.port} is taken" in refused.stderr


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
