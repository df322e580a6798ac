"""The documentation's code blocks hold: settings load, commands and their options exist."""

import json
import shlex
import subprocess
import tomllib
from collections.abc import Iterable

import pytest
import yaml
from typer.main import get_command

from gateway.settings import GatewaySettings
from racro.cli.commands import app, imported
from racro.cro.settings import RewardSettings
from services.captioner.settings import CaptionerSettings
from services.reasoner.settings import ReasonerSettings
from support.markdown import ROOT, Block, blocks, code_spans, documents
from support.processes import PATIENCE_S

SETTINGS = {
    "# gateway.yaml": GatewaySettings,
    "# captioner.yaml": CaptionerSettings,
    "# reasoner.yaml": ReasonerSettings,
}
# Files of other programs.
FOREIGN = {
    "# prometheus.yml",
    "# values of the chart prometheus-adapter",
    "# Configuration of NVIDIA's device plugin",
}
SHELLS = {"console", "sh"}


def written_in(*languages: str) -> list[Block]:
    found = [block for path in documents() for block in blocks(path)]
    return [block for block in found if block.language in languages]


@pytest.mark.parametrize("block", written_in("yaml"), ids=str)
def test_settings_are_taken_by_the_service_that_they_name(block, tmp_path, monkeypatch) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(block.text)
    monkeypatch.setenv("TENANT_SECRET", "secret")
    monkeypatch.setenv("RACRO_CONFIG", str(file))
    name = block.lines[0].partition(":")[0]
    assert name in SETTINGS.keys() | FOREIGN, f"{block}: the first line says whose settings it has"
    if name in SETTINGS:
        SETTINGS[name].read()
    else:
        assert yaml.safe_load(block.text)


@pytest.mark.parametrize("block", written_in("json"), ids=str)
def test_json_is_json(block) -> None:
    assert json.loads(block.text.replace("{…}", "{}"))


@pytest.mark.parametrize("block", written_in("toml"), ids=str)
def test_a_reward_is_taken_by_the_trainer(block) -> None:
    RewardSettings(**tomllib.loads(block.text)["reward"])


def racro_commands(lines: Iterable[str]) -> list[list[str]]:
    """The words after `racro`, or after `python -m racro.cli`."""
    found = []
    for line in lines:
        for part in line.replace("-m racro.cli ", "; racro ").split(";"):
            program, _, rest = part.strip().partition(" ")
            if program.rpartition("/")[2] == "racro":
                found.append(shlex.split(rest, comments=True))
    return found


def unknown_option(words: list[str]) -> str | None:
    """The first word that `racro` would not take: a command, or an option of it."""
    command = get_command(app)
    if words and words[0] in command.commands:
        name, *words = words
        command = imported(name)
    while words and hasattr(command, "commands") and words[0][0] not in "…-":
        name, *words = words
        if name not in command.commands:
            return name
        command = command.commands[name]
    options = {name for one in command.params for name in [*one.opts, *one.secondary_opts]}
    given = [word for word in words if word.startswith("--")]
    return next((word for word in given if word not in options), None)


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        ("eval run data.tsv --output runs/a", None),
        ("eval run data.tsv --out runs/a", "--out"),
        ("eval walk data.tsv", "walk"),
        ("solve a.png Why? --no-tentative", None),
    ],
)
def test_unknown_options_are_found(line, unknown) -> None:
    assert unknown_option(line.split()) == unknown


@pytest.mark.parametrize("block", written_in(*SHELLS), ids=str)
def test_the_shell_reads_it_and_racro_takes_it(block) -> None:
    subprocess.run(["bash", "-n", "-c", block.text], check=True, timeout=PATIENCE_S)
    assert [words for words in racro_commands(block.lines) if unknown_option(words)] == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_racro_takes_what_sentences_name(path) -> None:
    named = racro_commands(code_spans(path))
    assert [words for words in named if unknown_option(words)] == []


def test_every_target_of_make_is_there() -> None:
    lines = [line for block in written_in(*SHELLS) for line in block.text.splitlines()]
    targets = {
        target
        for line in lines
        if line.startswith("make ")
        for target in shlex.split(line, comments=True)[1:]
    }
    assert {"demo", "bench", "prove-cro"} <= targets
    subprocess.run(
        ["make", "--dry-run", *sorted(targets)],
        cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE_S,
    )  # fmt: skip
