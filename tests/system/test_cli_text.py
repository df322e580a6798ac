"""What `racro` prints of strangers' texts, and how."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import gateway_config
from support.command import CLEAN, RACRO, racro
from support.pictures import png
from support.processes import Service
from support.scripted import ScriptedServer

# What Rich takes for a style, an emoji, a link; longer than a terminal is wide.
ODD = "[bold]x[/bold] :smile: [link=a]b " + "long " * 30


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(png("text"))
    return path


def solve(gateway: Service, picture: Path, question: str, *more: str, **variables: str) -> str:
    shown = racro("solve", picture, question, "--gateway", gateway.url, *more, **variables)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def test_the_parts_of_a_solve_are_told_apart_and_each_is_whole(
    gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer, picture: Path
) -> None:
    captioner.script.caption = f"caption {ODD}, seen"
    captioner.script.tentative = f"tentative {ODD}, guessed"
    reasoner.script.reasoning = ["thought ", ODD, "."]
    reasoner.script.texts = ["said ", ODD, " \\boxed{42}"]
    expected = (
        f"Caption\ncaption {ODD}, seen\n\n"
        f"Tentative response\ntentative {ODD}, guessed\n\n"
        "(caption: {cache}, by scripted-vlm)\n\n"
        f"Reasoning\nthought {ODD}.\n\n"
        f"Answer\nsaid {ODD} \\boxed{{42}}\n\n"
        "Answer: 42\n"
    )
    assert solve(gateway, picture, "Apart?") == expected.replace("{cache}", "miss")
    # Stored captions come whole, and look the same.
    assert solve(gateway, picture, "Apart?") == expected.replace("{cache}", "hit")


def test_a_part_that_there_is_not_has_no_heading(
    gateway: Service, captioner: ScriptedServer, picture: Path
) -> None:
    without = solve(gateway, picture, "One part?", "--no-tentative")
    assert "Tentative response" not in without
    assert "Reasoning" not in without
    captioner.script.tentative = None
    assert "Tentative response\nscripted (upstream_unavailable)" in solve(
        gateway, picture, "Half failed?"
    )


def test_nothing_is_said_on_stderr_where_nobody_watches(gateway: Service, picture: Path) -> None:
    shown = racro("solve", picture, "Quiet?", "--gateway", gateway.url, "--json")
    assert json.loads(shown.stdout)["answer"] == "42"
    assert shown.stderr == ""


def test_what_a_terminal_would_obey_is_not_passed_on(
    gateway: Service, reasoner: ScriptedServer, picture: Path
) -> None:
    reasoner.script.texts = [
        "red \x1b[31m, title \x1b]0;x\x07, back\x08, ",
        "tab\there\r\n\\boxed{1}",
    ]
    shown = solve(gateway, picture, "Controls?")
    assert "tab\there\n\\boxed{1}" in shown
    assert not {"\x1b", "\x07", "\x08", "\r"} & set(shown)


def test_an_encoding_that_lacks_characters_is_no_error(
    gateway: Service, captioner: ScriptedServer, picture: Path
) -> None:
    captioner.script.caption = "Größe 5 ✓"
    shown = solve(gateway, picture, "Encoding?", PYTHONIOENCODING="ascii")
    assert "Gr\\xf6\\xdfe 5 \\u2713" in shown


@pytest.fixture(scope="module")
def oddly_named(
    _scripted_captioner: ScriptedServer, _scripted_reasoner: ScriptedServer
) -> Iterator[Service]:
    config = gateway_config(_scripted_captioner.url, _scripted_reasoner.url)
    config["reasoners"][ODD] = config["reasoners"]["default"]
    with Service("gateway", config) as service:
        yield service


def test_the_models_of_a_gateway_are_listed(oddly_named: Service) -> None:
    listed = racro("models", "--gateway", oddly_named.url)
    assert listed.returncode == 0, listed.stderr
    assert "default" in listed.stdout
    # A table that is piped is as wide as what stands in it.
    assert f" {ODD} " in listed.stdout
    printed = racro("models", "--gateway", f"{oddly_named.url}/v1", "--json")
    assert {card["id"] for card in json.loads(printed.stdout)["data"]} == {"default", ODD}


def test_the_cells_of_a_table_are_texts(tmp_path: Path) -> None:
    keys = tmp_path / "keys.yaml"
    made = racro("keys", "new", "acme", "--file", keys, "--reasoner", ODD)
    assert made.stdout.startswith("rk_")
    assert made.stdout.count("\n") == 1
    assert f" {ODD} " in racro("keys", "list", "--file", keys).stdout


def on_a_terminal(*command: object, **variables: str) -> str:
    """What the command writes to a terminal of 80 columns, escape sequences included."""
    master, slave = pty.openpty()
    environment = {**CLEAN, "TERM": "xterm-256color", "COLUMNS": "80", **variables}
    with subprocess.Popen(
        [RACRO, *map(str, command)], stdin=slave, stdout=slave, stderr=slave, env=environment
    ):
        os.close(slave)
        written = b"".join(_read(master))
    os.close(master)
    return written.decode()


def _read(master: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # the other end is closed
            return
        yield data


def test_a_terminal_is_shown_that_it_works_and_gets_its_cursor_back(
    gateway: Service, captioner: ScriptedServer, picture: Path
) -> None:
    captioner.script.before_s = 0.2
    written = on_a_terminal("solve", picture, "Spin?", "--gateway", gateway.url)
    assert "captioning" in written
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") > 0
    assert "\x1b[1mCaption" in written


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": "dumb", "NO_COLOR": "1"}])
def test_a_dumb_terminal_gets_plain_text(
    gateway: Service, picture: Path, variables: dict[str, str]
) -> None:
    written = on_a_terminal("solve", picture, "Dumb?", "--gateway", gateway.url, **variables)
    assert "Answer: 42" in written
    assert "\x1b" not in written


def test_colours_are_left_out_where_they_are_not_wanted(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    assert "\x1b[31m" in on_a_terminal("keys", "list", "--file", missing)
    assert "\x1b" not in on_a_terminal("keys", "list", "--file", missing, NO_COLOR="1")
