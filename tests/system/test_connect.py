"""`racro connect`: settings as each client reads them, printed, written, taken back and tried."""

import json
import stat
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, get_args

import pytest
from ruamel.yaml import YAML

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from racro.cli.connect.all_clients import ClientName
from support.command import invoke
from support.markdown import ROOT, Block, blocks, run_by
from support.processes import Service, free_port
from support.scripted import Asked, Fixed, ScriptedServer

# What is printed and written for each client, with HOME and the gateway's URL in place of these.
GOLDEN = Path(__file__).parent / "connect_files"
HOME, URL = "/home/user", "http://127.0.0.1:8000"
NAMES = get_args(ClientName)
ANSWER = "The answer is \\boxed{42}."
# Where each client posts to.
PATHS = {"claude": "/v1/messages", "codex": "/v1/responses"}
FILES = {
    "claude": (".claude/settings.json",),
    "codex": (".codex/config.toml",),
    "opencode": (".config/opencode/opencode.json",),
    "cline": (".cline/data/settings/providers.json", ".cline/data/settings/models.json"),
    "open-webui": (),
    "aider": (".aider.conf.yml", ".aider.model.metadata.json"),
    "llm": (".config/io.datasette.llm/extra-openai-models.yaml",),
    "continue": (".continue/config.yaml",),
    "librechat": ("librechat.yaml",),
}
WRITING = [name for name in NAMES if FILES[name]]
# What may stand in the file already, in the manners of people.
BEFORE = {
    "claude": '{\n    "permissions": {"allow": ["Bash(ls:*)"]},\n    "env": {"FOO": "bar"}\n}\n',
    "codex": (
        '# mine\nmodel = "gpt-6"  # the best\napproval_policy = "never"\n\n'
        '[model_providers.other]\nname = "Other"\nbase_url = "https://other.example/v1"\n\n'
        '[mcp_servers.files]\ncommand = "npx" # files\nargs = ["-y", "x"]\n'
    ),
    "opencode": '{"theme": "dark", "provider": {"other": {"options": {"apiKey": "sk-other"}}}}',
    "cline": '{\n\t"version": 1,\n\t"modes": {"voiceInput": {"providerId": "x", "modelId": "y"}},'
    '\n\t"providers": {}\n}\n',
    "aider": "# mine\nauto-commits: false  # never\nread:\n- CONVENTIONS.md\n",
    "llm": '- model_id: "other"   # mine\n  model_name: other\n  aliases: [o, "p"]\n',
    "continue": (
        "# mine\nname: Work\nversion: 0.0.1\nschema: v1\nmodels:\n    - name: Other\n"
        "      provider: ollama\n      model: llama   # small\nrules:\n    - Be brief\n"
    ),
    "librechat": (
        "version: 1.2.1 # old\ncache: true\nendpoints:\n  custom:\n    # first\n"
        "    - name: 'Groq'\n      apiKey: '${GROQ_API_KEY}'\n      models:\n"
        "        default: ['llama3']\n        fetch: false\n"
    ),
}
Connect = Callable[..., CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's folder, which is the working directory, too."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def connect(home: Path) -> Connect:
    """Runs `racro connect` in that folder, where no variable leads elsewhere."""

    def run(*arguments: object, **variables: str) -> CompletedProcess[str]:
        clean = dict.fromkeys(
            ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME", "CLINE_DIR", "CLINE_DATA_DIR",
             "LLM_USER_PATH", "CONTINUE_GLOBAL_DIR", "CONFIG_PATH"), ""
        )  # fmt: skip
        places = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        return invoke("connect", *arguments, **{**clean, **places, **variables})

    return run


@pytest.fixture(scope="module")
def nobody() -> str:
    """The URL of a gateway that does not run."""
    return f"http://127.0.0.1:{free_port()}"


def golden(name: str, home: Path, url: str) -> str:
    """What is expected, for this folder and this gateway."""
    return (GOLDEN / name).read_text().replace(HOME, str(home)).replace(URL, url)


@pytest.mark.parametrize("key", ["", "rk_secret"])
@pytest.mark.parametrize("name", NAMES)
def test_settings_are_printed_ready_to_copy(
    connect: Connect, home: Path, gateway: Service, name: str, key: str
) -> None:
    printed = connect(name, "--gateway", gateway.url, RACRO_KEY=key)
    assert printed.returncode == 0, printed.stderr
    assert printed.stderr == ""
    assert printed.stdout == golden(f"{name}{'-key' if key else ''}.txt", home, gateway.url)
    assert list(home.iterdir()) == []


def contents(home: Path, name: str) -> list[bytes]:
    return [(home / path).read_bytes() for path in FILES[name]]


def values(path: Path) -> Any:
    """What a file says, read by another library than the one that wrote it where there is one."""
    text = path.read_text()
    if path.suffix == ".toml":
        return tomllib.loads(text)
    return json.loads(text) if path.suffix in {".json", ".jsonc"} else YAML(typ="safe").load(text)


def backups(home: Path) -> list[Path]:
    return sorted(path for path in home.rglob("*.racro-*"))


@pytest.mark.parametrize("name", WRITING)
def test_files_are_written_once_and_taken_back(
    connect: Connect, home: Path, gateway: Service, name: str
) -> None:
    written = connect(name, "--write", "--url", gateway.url)
    assert written.returncode == 0, written.stderr
    printed = connect(name, "--url", gateway.url).stdout
    for path in FILES[name]:
        file = home / path
        assert file.read_text().strip() in printed
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert f"✓ {file} written" in written.stdout
    made = contents(home, name)
    again = connect(name, "--write", "--url", gateway.url)
    assert "has these settings already" in again.stdout
    assert contents(home, name) == made
    assert len(backups(home)) == len(FILES[name])
    undone = connect(name, "--undo")
    assert undone.returncode == 0, undone.stderr
    assert [path for path in home.rglob("*") if path.is_file()] == []
    nothing = connect(name, "--undo")
    assert nothing.returncode == 1
    assert "nothing that `racro connect` wrote" in nothing.stderr


@pytest.mark.parametrize("name", WRITING)
def test_what_stands_in_a_file_stays(
    connect: Connect, home: Path, gateway: Service, name: str
) -> None:
    file = home / FILES[name][0]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(BEFORE[name])
    file.chmod(0o640)
    before = values(file)
    written = connect(name, "--write", "--url", gateway.url)
    assert written.returncode == 0, written.stderr
    assert file.read_text() == golden(f"{name}-merged{file.suffix}", home, gateway.url)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    lines = written.stdout.splitlines()
    removed = [line for line in lines if line.startswith("-") and not line.startswith("---")]
    # JSON is written anew, with an item a line; Codex' model is replaced.
    assert file.suffix == ".json" or [line for line in removed if "gpt-6" not in line] == []
    [backup] = [path for path in backups(home) if path.name.startswith(file.name)]
    assert backup.read_text() == BEFORE[name]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o640
    assert connect(name, "--undo").returncode == 0
    assert file.read_text() == BEFORE[name]
    assert values(file) == before
    assert backups(home) == []


def asked_of(reasoner: ScriptedServer, name: str) -> Asked:
    """The one request that reached the reasoner."""
    [asked] = [one for one in reasoner.asked if "perceive" not in one.path]
    assert asked.path == PATHS.get(name, "/v1/chat/completions")
    return asked


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_asked_by_the_settings_just_made(
    connect: Connect,
    gateway: Service,
    reasoner: ScriptedServer,
    captioner: ScriptedServer,
    name: str,
    written: bool,
) -> None:
    options = ["--write"] if written and FILES[name] else []
    tried = connect(name, *options, "--test", "--url", gateway.url)
    assert tried.returncode == 0, tried.stdout + tried.stderr
    last = tried.stdout.splitlines()[-2:]
    assert f"✓ example: answered by default at {gateway.url}/v1/" in last[0]
    assert last[0].endswith(ANSWER)
    assert last[1] == "all good"
    asked = asked_of(reasoner, name)
    assert asked.json["stream"] is True
    # It reached the gateway as a picture, and the reasoner as words.
    assert captioner.script.caption in asked.raw.decode()
    assert "base64" not in asked.raw.decode()


@pytest.fixture(scope="module")
def keyed(
    _scripted_captioner: ScriptedServer,
    _scripted_reasoner: ScriptedServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Service, str]]:
    """A gateway that wants a key, and one; it has two reasoners."""
    keys, key = KeysFile().with_new_key("one", TenantRecord())
    file = tmp_path_factory.mktemp("keys") / "keys.yaml"
    keys.write(file)
    config = gateway_config(
        _scripted_captioner.url, _scripted_reasoner.url, tenants={"keys_file": str(file)}
    )
    config["reasoners"]["org/Big-7B"] = {**config["reasoners"]["default"], "context_tokens": 16384}
    with Service("gateway", config) as service:
        yield service, key


@pytest.mark.parametrize("name", NAMES)
def test_the_key_is_taken_from_a_variable_and_stands_nowhere(
    connect: Connect,
    home: Path,
    keyed: tuple[Service, str],
    reasoner: ScriptedServer,
    captioner: ScriptedServer,
    name: str,
) -> None:
    gateway, key = keyed
    options = ["--write"] if FILES[name] else []
    to = ("--url", gateway.url, "--model", "org/Big-7B", "--key-env", "TEAM_KEY", "--test")
    tried = connect(name, *options, *to, TEAM_KEY=key)
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "✓ example: answered by org/Big-7B at" in tried.stdout
    assert tried.stderr == ""
    assert key not in tried.stdout
    for path in home.rglob("*"):
        assert path.is_dir() or key not in path.read_text()
    wrong = connect(name, *options, *to, TEAM_KEY="rk_wrong_wrong")
    assert wrong.returncode == 1
    assert "✗ example: " in wrong.stdout
    assert "→ set TEAM_KEY to a key of the gateway" in wrong.stdout
    assert "refuses the API key" in wrong.stderr


@pytest.mark.parametrize(
    "typed", ["{url}", "{url}/", "{url}/v1", "{url}/v1/", "127.0.0.1:{port}", "127.0.0.1:{port}/v1"]
)
@pytest.mark.parametrize("name", ["claude", "codex"])
def test_the_url_may_be_typed_in_any_manner(
    connect: Connect, home: Path, gateway: Service, name: str, typed: str
) -> None:
    url = typed.format(url=gateway.url, port=gateway.port)
    assert connect(name, "--write", "--url", url).returncode == 0
    [file] = [home / path for path in FILES[name]]
    expected = gateway.url if name == "claude" else f"{gateway.url}/v1"
    found = values(file)
    told = found["env"]["ANTHROPIC_BASE_URL"] if name == "claude" else None
    assert expected == (told or found["model_providers"]["racro"]["base_url"])


def test_a_gateway_that_does_not_run_is_told_and_the_default_taken(
    connect: Connect, nobody: str
) -> None:
    printed = connect("codex", "--url", nobody)
    assert printed.returncode == 0
    assert 'model = "default"' in printed.stdout
    assert "model_context_window" not in printed.stdout
    assert "nothing listens at" in printed.stderr
    assert "`racro up` starts a gateway" in printed.stderr
    assert "The model is taken to be default: --model names another" in printed.stderr
    tried = connect("codex", "--url", nobody, "--model", "mine", "--test")
    assert tried.returncode == 1
    assert 'model = "mine"' in tried.stdout
    assert "✗ example: nothing listens at" in tried.stdout


def test_a_name_that_the_gateway_does_not_list_is_told(
    connect: Connect, keyed: tuple[Service, str], captioner: ScriptedServer
) -> None:
    gateway, key = keyed
    to = ("--url", gateway.url, "--model", "org/Bgi-7B")
    printed = connect("codex", *to, "--test", RACRO_KEY=key)
    assert "--model org/Bgi-7B: the gateway lists org/Big-7B, default" in printed.stderr
    assert printed.returncode == 1
    assert "no such model" in printed.stdout
    assert "`racro models` shows which there are" in printed.stdout
    keyless = connect("codex", "--url", gateway.url)
    assert "set RACRO_KEY to a key of the gateway" in keyless.stderr


@pytest.mark.parametrize(
    ("name", "fixed", "said"),
    [
        ("codex", Fixed(status=404), ["is not served", "`racro doctor gateway.yaml`"]),
        ("claude", Fixed(body=b"{}"), ["not with a stream", "`racro doctor`"]),
        ("opencode", Fixed(status=500), ["status 50", "`racro doctor`"]),
    ],
)
def test_an_example_that_fails_is_told_with_advice(
    connect: Connect, reasoner: ScriptedServer, name: str, fixed: Fixed, said: list[str]
) -> None:
    """On a server that is asked without a gateway before it."""
    reasoner.script.fixed[PATHS.get(name, "/v1/chat/completions")] = fixed
    tried = connect(name, "--url", reasoner.url, "--model", "scripted", "--test")
    assert tried.returncode == 1
    for words in said:
        assert words in tried.stdout
    assert tried.stdout.splitlines()[-1] == "1 finding"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("claude", "{not json", "is no JSON"),
        ("claude", '{// mine\n"env": {}}', "has comments, which would be lost"),
        ("claude", '{"env": 1}', "something else than a mapping under 'env'"),
        ("claude", "[]", "has no mapping at its top"),
        ("claude", '{"a": 1, "a": 2}', "stands twice"),
        ("claude", '{"a": ' + "[" * 100_000, "is nested too deep"),
        ("codex", "model = = 1", "is no TOML"),
        ("codex", "model_providers = 3", "something else than a mapping under 'model_providers'"),
        ("aider", "a: [b", "is no YAML"),
        ("aider", "- a", "has no mapping at its top"),
        ("llm", "model_id: x", "has no list at its top"),
        ("continue", "models: x", "something else than a list under 'models'"),
        ("librechat", "endpoints: {custom: 1}", "under 'custom' in 'endpoints'"),
        ("aider", "a: \udcff", "is not UTF-8"),
        ("codex", "#" * (4 * 2**20 + 1), "has more than 4 MiB"),
    ],
    ids=lambda value: value[:12],
)
def test_a_file_that_cannot_be_merged_into_is_left_as_it_is(
    connect: Connect, home: Path, gateway: Service, name: str, text: str, said: str
) -> None:
    file = home / FILES[name][-1 if text == "model_id: x" else 0]
    file.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode(errors="surrogateescape")
    file.write_bytes(data)
    refused = connect(name, "--write", "--url", gateway.url)
    assert refused.returncode == 1
    assert str(file) in refused.stderr
    assert said in refused.stderr
    assert "put this into it by hand" in refused.stderr
    assert gateway.url in refused.stdout
    assert file.read_bytes() == data
    assert [path for path in home.rglob("*") if path.is_file()] == [file]


def test_a_second_file_that_is_bad_keeps_the_first_from_being_written(
    connect: Connect, home: Path, gateway: Service
) -> None:
    (home / ".aider.model.metadata.json").write_text("// json5\n{}")
    refused = connect("aider", "--write", "--url", gateway.url)
    assert refused.returncode == 1
    assert "supports_vision" in refused.stdout
    assert not (home / ".aider.conf.yml").exists()


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_left(
    connect: Connect, home: Path, gateway: Service
) -> None:
    (home / "file").write_text("")
    refused = connect("codex", "--write", "--url", gateway.url, CODEX_HOME=str(home / "file/below"))
    assert refused.returncode == 1
    assert f"{home}/file/below/config.toml cannot be read: Not a directory" in refused.stderr
    # The second file of two: what was written of the first is taken back.
    folder = home / ".aider.model.metadata.json.unfinished"
    folder.mkdir()
    refused = connect("aider", "--write", "--url", gateway.url)
    assert refused.returncode == 1
    assert ".aider.model.metadata.json cannot be written: " in refused.stderr
    assert "nothing was changed" in refused.stderr
    assert not (home / ".aider.conf.yml").exists()
    assert backups(home) == []


def test_a_link_stays_one(connect: Connect, home: Path, gateway: Service) -> None:
    kept = home / "dotfiles" / "codex.toml"
    kept.parent.mkdir()
    kept.write_text(BEFORE["codex"])
    link = home / ".codex" / "config.toml"
    link.parent.mkdir()
    link.symlink_to("../dotfiles/codex.toml")
    assert connect("codex", "--write", "--url", gateway.url).returncode == 0
    assert link.is_symlink()
    assert tomllib.loads(kept.read_text())["model_provider"] == "racro"
    assert [backup.parent for backup in backups(home)] == [kept.parent]
    assert connect("codex", "--undo").returncode == 0
    assert link.is_symlink()
    assert kept.read_text() == BEFORE["codex"]
    link.unlink()
    link.symlink_to("config.toml")
    refused = connect("codex", "--write", "--url", gateway.url)
    assert refused.returncode == 1
    assert "config.toml" in refused.stderr


def test_what_was_changed_since_is_lost_only_by_force(
    connect: Connect, home: Path, gateway: Service
) -> None:
    file = home / ".codex" / "config.toml"
    assert connect("codex", "--write", "--url", gateway.url).returncode == 0
    file.write_text(file.read_text() + "# more\n")
    refused = connect("codex", "--undo")
    assert refused.returncode == 1
    assert f"{file} was changed since" in refused.stderr
    assert "# more" in file.read_text()
    assert connect("codex", "--undo", "--force").returncode == 0
    assert not file.exists()


def test_writes_are_taken_back_one_after_the_other(
    connect: Connect, home: Path, gateway: Service
) -> None:
    file = home / ".claude" / "settings.json"
    file.parent.mkdir()
    file.write_text(BEFORE["claude"])
    urls = [gateway.url, "http://elsewhere.example"]
    for url in urls:
        assert connect("claude", "--write", "--url", url, "--model", "m").returncode == 0
    assert values(file)["env"]["ANTHROPIC_BASE_URL"] == urls[1]
    assert connect("claude", "--undo").returncode == 0
    assert values(file)["env"]["ANTHROPIC_BASE_URL"] == urls[0]
    assert connect("claude", "--undo").returncode == 0
    assert file.read_text() == BEFORE["claude"]


def test_keys_of_others_are_neither_kept_in_force_nor_shown(
    connect: Connect, home: Path, gateway: Service
) -> None:
    file = home / ".claude" / "settings.json"
    file.parent.mkdir()
    others = {"ANTHROPIC_API_KEY": "sk-ant-1", "ANTHROPIC_AUTH_TOKEN": "sk-ant-2"}
    file.write_text(json.dumps({"apiKeyHelper": "print sk-ant-3", "env": others}))
    written = connect("claude", "--write", "--url", gateway.url)
    assert written.returncode == 0
    assert "sk-ant" not in written.stdout
    assert values(file)["env"]["ANTHROPIC_AUTH_TOKEN"] == "none"
    assert "sk-ant" not in file.read_text()
    with_key = connect("claude", "--write", "--url", gateway.url, RACRO_KEY="rk_secret")
    assert with_key.returncode == 0
    assert values(file)["apiKeyHelper"] == "printenv RACRO_KEY"
    assert values(file)["env"]["ANTHROPIC_AUTH_TOKEN"] == ""
    # What stands in the shell's environment would be sent, too.
    assert values(file)["env"]["ANTHROPIC_API_KEY"] == ""


def test_the_commented_file_of_opencode_is_used_where_it_is_the_only_one(
    connect: Connect, home: Path, gateway: Service
) -> None:
    folder = home / ".config" / "opencode"
    folder.mkdir(parents=True)
    (folder / "opencode.jsonc").write_text('{"theme": "dark"}')
    assert connect("opencode", "--write", "--url", gateway.url).returncode == 0
    assert values(folder / "opencode.jsonc")["model"] == "racro/default"
    assert not (folder / "opencode.json").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("vi",), "'vi' is not one of"),
        (("codex", "--undo", "--write"), "--undo is in place of"),
        (("codex", "--undo", "--test"), "--undo is in place of"),
        (("codex", "--force"), "--force needs --undo"),
        (("codex", "--key-env", "rk_ab-cd"), "takes the name of an environment variable"),
        (("codex", "--url", "ftp://x"), "it begins with ftp://"),
    ],
)
def test_what_cannot_be_a_command_is_refused(
    connect: Connect, options: tuple[str, ...], said: str
) -> None:
    refused = connect(*options)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert "rk_ab" not in refused.stderr


def printed_commands() -> list[Block]:
    """Blocks of the README and of docs/clients.md that tell how to connect."""
    name = str(Path(__file__).relative_to(ROOT))
    clients = [block for block in blocks(ROOT / "docs/clients.md") if name in block.suites]
    return [*run_by(__file__), *clients]


@pytest.mark.parametrize("block", printed_commands(), ids=str)
def test_the_printed_commands_lead_to_a_picture_that_is_answered(
    connect: Connect, home: Path, embedded_gateway: Service, block: Block
) -> None:
    """The agents themselves are not run here."""
    program, command, *rest = block.commands[0]
    assert program == ".venv/bin/racro"
    if command == "up":
        assert rest[0] == "--reasoner-url"
        return
    tried = connect(*rest, "--url", embedded_gateway.url)
    assert command == "connect"
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "13.95" in tried.stdout.splitlines()[-2]
    assert connect(rest[0], "--undo").returncode == 0
    for agent, *words in block.commands[1:]:
        assert agent == rest[0]
        assert any("examples/receipt.png" in word for word in words)


def test_open_webui_has_nothing_to_write(connect: Connect, gateway: Service) -> None:
    refused = connect("open-webui", "--write", "--url", gateway.url)
    assert refused.returncode == 1
    assert "Open WebUI has no file of settings to write" in refused.stderr
