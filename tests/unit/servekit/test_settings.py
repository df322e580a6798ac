"""Settings come from one YAML file and the environment; a wrong one stops the boot by name."""

import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from gateway.settings import GatewaySettings, ReasonerSection
from racro.base.wrong_settings import WrongSettingsError
from racro.embedded.captioner import MODEL, PROJECTOR
from racro.engines.llama import LlamaSettings, LlamaVisionSettings
from racro.engines.registry import create_engine
from racro.engines.remote import RemoteVisionSettings
from racro.engines.vllm.settings import VllmSettings
from racro.servekit.findings import Finding, findings
from racro.servekit.settings import api_key
from services.captioner.settings import CaptionerSettings, VlmSettings
from services.reasoner.settings import ReasonerSettings
from support.certificates import make_authority
from support.processes import PATIENCE_S

SERVICES = [GatewaySettings, CaptionerSettings, ReasonerSettings]
PORTS = dict(zip(SERVICES, (8000, 8001, 8002), strict=True))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith("RACRO_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Settings out of a YAML file and environment variables."""

    def read(settings, config=None, **env: str):
        if config is not None:
            path = tmp_path / "config.yaml"
            path.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
            monkeypatch.setenv("RACRO_CONFIG", str(path))
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        return settings.read()

    return read


@pytest.mark.parametrize("settings", SERVICES)
def test_nothing_has_to_be_set(load, settings) -> None:
    loaded = load(settings)
    assert (loaded.host, loaded.port) == ("127.0.0.1", PORTS[settings])


def test_services_do_not_share_a_port() -> None:
    assert [settings().port for settings in SERVICES] == list(PORTS.values())


def test_yaml_is_read_and_the_environment_overrides_it_value_by_value(load) -> None:
    config = {
        "port": 9000,
        "limits": {"max_images": 3, "max_image_bytes": 1000},
        "fetch": {"allow_networks": ["10.0.0.0/8"]},
    }
    loaded = load(GatewaySettings, config, RACRO_PORT="9001", RACRO_LIMITS__MAX_IMAGES="4")
    assert loaded.port == 9001
    assert loaded.limits.max_images == 4
    assert loaded.limits.max_image_bytes == 1000
    assert [str(network) for network in loaded.fetch.allow_networks] == ["10.0.0.0/8"]


def test_the_environment_reaches_into_a_map(load) -> None:
    config = {"reasoners": {"r1": {"url": "http://one/v1", "model": "one"}}}
    loaded = load(GatewaySettings, config, RACRO_REASONERS__R1__URL="http://two/v1")
    assert loaded.reasoners["r1"].url == "http://two/v1"
    assert loaded.reasoners["r1"].model == "one"


def test_the_environment_alone_chooses_another_captioner(load) -> None:
    loaded = load(
        CaptionerSettings,
        RACRO_CAPTIONER__KIND="vlm",
        RACRO_CAPTIONER__ENGINE__URL="http://vlm/v1",
        RACRO_CAPTIONER__ENGINE__MODEL="m",
    )
    assert isinstance(loaded.captioner, VlmSettings)


def test_one_value_of_the_default_captioner_is_set_without_naming_its_kind(load) -> None:
    assert load(CaptionerSettings, RACRO_CAPTIONER__THREADS="2").captioner.threads == 2


def test_one_value_of_the_default_engine_is_set_without_naming_its_kind(load) -> None:
    assert load(ReasonerSettings, {"engine": {"parallel": 2}}).engine.parallel == 2


def test_an_empty_variable_is_not_set(load) -> None:
    assert load(GatewaySettings, RACRO_PORT="").port == 8000


@pytest.mark.parametrize("settings", SERVICES)
def test_settings_are_frozen(load, settings) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(settings).port = 1


def reasoners(**sections: dict[str, Any]) -> dict[str, Any]:
    least = {"url": "http://r/v1", "model": "m"}
    return {"reasoners": {name: {**least, **section} for name, section in sections.items()}}


@pytest.mark.parametrize(
    ("settings", "config", "env", "named"),
    [
        (GatewaySettings, {"port": 70000}, {}, "port: "),
        (GatewaySettings, {}, {"RACRO_PORT": "eighty"}, "port: "),
        (GatewaySettings, {}, {"RACRO_LOG_LEVEL": "loud"}, "log_level: "),
        (GatewaySettings, {"captioner": {"url": "captioner:8001"}}, {}, "captioner.url: "),
        (GatewaySettings, {"cache": {"url": "file:///tmp"}}, {}, "cache.url: "),
        (GatewaySettings, {}, {"RACRO_LIMITS__MAX_IMAGES": "0"}, "limits.max_images: "),
        (GatewaySettings, {}, {"RACRO_LIMITS__MAX_IMGES": "1"}, "limits.max_imges: "),
        (GatewaySettings, {"reasoners": {}}, {}, "reasoners: "),
        (
            GatewaySettings,
            {"reasoners": {"r1": {"url": "http://r/v1"}}},
            {},
            "reasoners.r1.model: ",
        ),
        (
            GatewaySettings,
            {
                "reasoners": {
                    "r1": {"url": "http://r/v1", "model": "m", "context_tokens": 4096},
                }
            },
            {},
            "visual_budget_tokens is more than context_tokens",
        ),
        (
            GatewaySettings,
            reasoners(r1={"url": ["http://a/v1", "http://b/v1"], "stateful": True}),
            {},
            "reasoners.r1: stateful: true needs a single url",
        ),
        (
            GatewaySettings,
            reasoners(r1={"dialects": ["chat", "completions"]}),
            {},
            "reasoners.r1.dialects[1]: 'chat', 'responses' or 'messages' is expected",
        ),
        (GatewaySettings, reasoners(r1={"dialects": []}), {}, "reasoners.r1.dialects: "),
        (
            GatewaySettings,
            reasoners(r1={"also_known_as": ["gpt *"]}),
            {},
            "reasoners.r1.also_known_as[0]: a name",
        ),
        (
            GatewaySettings,
            reasoners(r1={"also_known_as": ["x" * 129]}),
            {},
            "reasoners.r1.also_known_as[0]: a name",
        ),
        (
            GatewaySettings,
            reasoners(r1={"also_known_as": [f"x{number}" for number in range(33)]}),
            {},
            "reasoners.r1.also_known_as: at most 32 entries",
        ),
        (
            GatewaySettings,
            reasoners(r1={"also_known_as": ["*", "r2"]}, r2={}),
            {},
            "reasoners.r1.also_known_as[1]: r2 is the name of a reasoner",
        ),
        (
            GatewaySettings,
            reasoners(r1={"also_known_as": ["gpt-*"]}, r2={"also_known_as": ["*", "gpt-*"]}),
            {},
            "reasoners.r2.also_known_as[1]: gpt-* is in reasoners.r1.also_known_as[0], too",
        ),
        (
            GatewaySettings,
            {"fetch": {"allow_networks": ["10.0.0.0/99"]}},
            {},
            "fetch.allow_networks[0]: ",
        ),
        (GatewaySettings, {"fetch": {"allow_privat": True}}, {}, "fetch.allow_privat: "),
        (GatewaySettings, {"colour": "red"}, {}, "colour: "),
        (GatewaySettings, {}, {"RACRO_COLOUR": "red"}, "RACRO_COLOUR: no such setting"),
        (GatewaySettings, {}, {"RACRO_CAHCE__URL": "memory://"}, "RACRO_CAHCE__URL: "),
        (GatewaySettings, {}, {"RACRO_CONFIG": "/nowhere.yaml"}, "RACRO_CONFIG: no file at"),
        (GatewaySettings, "port: [", {}, "RACRO_CONFIG: "),
        (GatewaySettings, "- port", {}, "RACRO_CONFIG: "),
        (CaptionerSettings, {"max_images": 0}, {}, "max_images: "),
        (CaptionerSettings, {"captioner": {"kind": "oracle"}}, {}, "captioner.kind: "),
        (CaptionerSettings, {"captioner": {"kind": "vlm", "engine": {"model": "m"}}}, {}, ".url: "),
        (ReasonerSettings, {"timeout_s": 0}, {}, "timeout_s: "),
        (ReasonerSettings, {"engine": {"kind": "magic"}}, {}, "engine.kind: "),
        (ReasonerSettings, {"engine": {"kind": "url", "model": "m"}}, {}, ".url: "),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_wrong_setting_stops_the_boot_and_is_named(load, settings, config, env, named) -> None:
    with pytest.raises(WrongSettingsError) as end:
        load(settings, config, **env)
    assert end.value.told.startswith("wrong settings:\n  ")
    assert named in end.value.told


def test_all_wrong_settings_are_named_at_once(load) -> None:
    with pytest.raises(WrongSettingsError) as end:
        load(GatewaySettings, {"port": "x", "limits": {"max_images": "y"}})
    assert {line.split(":")[0].strip() for line in end.value.told.splitlines()[1:]} == {
        "port",
        "limits.max_images",
    }


def test_a_secret_in_the_wrong_place_is_not_printed(load) -> None:
    with pytest.raises(WrongSettingsError) as end:
        load(GatewaySettings, {"captioner": {"url": "sk-secret"}, "api_key": "sk-secret"})
    assert "sk-secret" not in str(end.value)


SECRET = "hf_abcDEF0123456789"


@pytest.mark.parametrize(
    ("settings", "config"),
    [
        (GatewaySettings, {"captioner": {"url": SECRET}}),
        (GatewaySettings, {"cache": {"url": f"redis:/:{SECRET}@redis"}}),
        (GatewaySettings, {"port": SECRET}),
        (GatewaySettings, {"api_key": SECRET}),
        (
            GatewaySettings,
            {"reasoners": {"r1": {"url": "http://r/v1", "model": "m", "api_key_env": SECRET}}},
        ),
        (ReasonerSettings, {"engine": {"kind": SECRET}}),
        (ReasonerSettings, {"engine": {"kind": "url", "url": SECRET, "model": "m"}}),
    ],
)
def test_a_secret_is_not_printed_wherever_it_was_put(load, settings, config) -> None:
    with pytest.raises(WrongSettingsError) as end:
        load(settings, config)
    assert SECRET not in str(end.value)


@pytest.mark.parametrize(
    ("settings", "config", "env", "told"),
    [
        (
            GatewaySettings,
            {},
            {"RACRO_PORT": "eighty"},
            "port: a whole number is expected, not 'eighty' (RACRO_PORT)",
        ),
        (
            GatewaySettings,
            {"captioner": {"url": "captioner:8001"}},
            {},
            "captioner.url: a URL that begins with http:// or https:// or a list is expected",
        ),
        (
            GatewaySettings,
            {"reasoners": {"r1": {"url": "r:8000/v1", "model": "m"}}},
            {},
            "reasoners.r1.url: a URL that begins with http:// or https:// or a list is expected",
        ),
        (
            GatewaySettings,
            {"reasoners": {"r1": {"url": ["http://a/v1", "b"], "model": "m"}}},
            {},
            "reasoners.r1.url[1]: a URL that begins with http:// or https:// is expected",
        ),
        (
            GatewaySettings,
            {"limits": {"max_imges": 1}},
            {},
            "limits.max_imges: is unknown; did you mean max_images?",
        ),
        (
            GatewaySettings,
            {},
            {"RACRO_CAHCE__URL": "memory://"},
            "RACRO_CAHCE__URL: no such setting; did you mean RACRO_CACHE__URL?",
        ),
        (
            GatewaySettings,
            {},
            {"RACRO_FETCH__ALLOW_NETWORKS": "10.1.0.0/16"},
            "fetch.allow_networks: a list is expected (RACRO_FETCH__ALLOW_NETWORKS, as JSON)",
        ),
        (
            GatewaySettings,
            {"cors": {"origins": ["https://chat.example.org/"]}},
            {},
            "cors.origins[0]: an origin such as https://chat.example.org, without a path, or * for "
            "every one, is expected",
        ),
        (
            CaptionerSettings,
            {"captioner": {"kind": "vlm", "engine": {"url": "http://v/v1", "modle": "m"}}},
            {},
            "captioner.engine.modle: is unknown; did you mean model?",
        ),
        (
            ReasonerSettings,
            {"engine": {"kind": "magic"}},
            {},
            "engine.kind: 'llama', 'vllm' or 'url' is expected, not 'magic'",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_wrong_setting_is_told_in_plain_words(load, settings, config, env, told) -> None:
    with pytest.raises(WrongSettingsError) as end:
        load(settings, config, **env)
    assert f"  {told}" in end.value.told.splitlines()


# Of pydantic's own sentences and names.
PYDANTIC = re.compile(r"Input|should|permitted|Field|validator|function|parse|constrained|\(\)|tag")
WRONG_VALUES = ["x", 5, -1, 1.5, None, [], {}, True, ["x"], {"x": 1}, [[5]]]


def paths(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        yield (*above, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from paths(field.annotation, (*above, name))


@pytest.mark.parametrize(
    ("settings", "below"),
    [
        *((settings, ()) for settings in SERVICES),
        (GatewaySettings, ("reasoners", "r1")),
        (CaptionerSettings, ("captioner", "engine")),
        (ReasonerSettings, ("engine",)),
    ],
)
def test_no_wrong_value_of_any_setting_is_told_in_pydantic_s_words(settings, below) -> None:
    section = {
        "reasoners": ReasonerSection,
        "captioner": RemoteVisionSettings,
        "engine": VllmSettings,
    }
    model = section[below[0]] if below else settings
    told = [
        finding.message
        for path in paths(model)
        for wrong in WRONG_VALUES
        for finding in found(settings, nested((*below, *path), wrong))
    ]
    assert told
    assert [one for one in told if PYDANTIC.search(one)] == []


def nested(path: tuple[str, ...], value: Any) -> Any:
    for name in reversed(path):
        value = {name: value}
    kinds = {"captioner": {"kind": "vlm"}, "engine": {"kind": "vllm"}}
    return {name: {**kinds.get(name, {}), **below} if isinstance(below, dict) else below
            for name, below in value.items()}  # fmt: skip


def found(settings, config) -> list[Finding]:
    try:
        settings(**config)
    except ValidationError as error:
        return findings(error, settings)
    return []


REMOTE = {"url": "http://127.0.0.1:1/v1", "model": "m", "api_key_env": "MY_KEY"}
WITH_KEY = {
    "gateway": (GatewaySettings, {"reasoners": {"r1": REMOTE}}, "reasoners.r1.api_key_env"),
    "captioner": (
        CaptionerSettings,
        {"captioner": {"kind": "vlm", "engine": REMOTE}},
        "api_key_env",
    ),
    "reasoner": (ReasonerSettings, {"engine": {"kind": "url", **REMOTE}}, "api_key_env"),
}


def test_an_api_key_is_read_from_the_variable_named_for_it(load) -> None:
    loaded = load(GatewaySettings, {"reasoners": {"r1": REMOTE}}, MY_KEY="sk-1")
    assert api_key(loaded.reasoners["r1"].api_key_env) == "sk-1"
    assert "sk-1" not in repr(loaded)
    assert api_key(None) is None


@pytest.mark.parametrize("env", [{}, {"MY_KEY": ""}], ids=["unset", "empty"])
@pytest.mark.parametrize(("settings", "config", "named"), WITH_KEY.values(), ids=WITH_KEY)
def test_a_named_but_unset_key_stops_the_boot(load, settings, config, named, env) -> None:
    with pytest.raises(WrongSettingsError) as end:
        load(settings, config, **env)
    assert f"{named}: " in str(end.value)
    assert "MY_KEY is not set" in str(end.value)


@pytest.mark.parametrize(("settings", "config", "named"), WITH_KEY.values(), ids=WITH_KEY)
def test_a_key_with_a_line_break_stops_the_boot(load, settings, config, named) -> None:
    with pytest.raises(WrongSettingsError) as end:
        load(settings, config, MY_KEY="sk-1\n")
    assert f"{named}: environment variable MY_KEY has a line break in it" in str(end.value)
    assert "sk-1" not in str(end.value)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    make_authority(folder)
    (folder / "empty.pem").touch()
    encrypted = ["openssl", "rsa", "-aes256", "-passout", "pass:secret", "-in", "client.key"]
    subprocess.run(
        [*encrypted, "-out", "locked.key"],
        cwd=folder, check=True, capture_output=True, timeout=PATIENCE_S,
    )  # fmt: skip
    return folder


@pytest.mark.parametrize("settings", SERVICES)
def test_files_of_tls_that_are_right_are_taken(load, settings, authority) -> None:
    files = {"ca_file": "ca.pem", "client_certificate": "client.pem", "client_key": "client.key"}
    section = {name: str(authority / file) for name, file in files.items()}
    upstreams = load(settings, {"upstreams": section}).upstreams
    assert upstreams.sets_tls
    assert upstreams.tls_context().verify_mode == ssl.CERT_REQUIRED
    assert not load(settings, {}).upstreams.sets_tls


@pytest.mark.parametrize("settings", SERVICES)
@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"ca_file": "nowhere.pem"}, "ca_file"),
        ({"ca_file": "empty.pem"}, "ca_file"),
        ({"ca_file": "ca.key"}, "ca_file"),
        ({"client_certificate": "nowhere.pem"}, "client_certificate"),
        ({"client_certificate": "client.pem"}, "client_key"),
        ({"client_key": "client.key"}, "client_key"),
        ({"client_certificate": "client.pem", "client_key": "nowhere.key"}, "client_key"),
        ({"client_certificate": "client.pem", "client_key": "server.key"}, "client_key"),
        ({"client_certificate": "client.pem", "client_key": "locked.key"}, "client_key"),
    ],
)
def test_a_wrong_file_of_tls_stops_the_boot_by_its_name(
    load, settings, authority, files, named
) -> None:
    section = {name: str(authority / file) for name, file in files.items()}
    with pytest.raises(WrongSettingsError, match=rf"^upstreams\.{named}: "):
        load(settings, {"upstreams": section})


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"client": "aiohttp", "tls_timeout_s": 3}, "tls_timeout_s"),
        ({"client": "aiohttp", "first_byte_timeout_s": 3}, "first_byte_timeout_s"),
        ({"client": "httpx"}, "client"),
        ({"connect_timeout_s": 0}, "connect_timeout_s"),
        ({"proxy": "https://proxy:1"}, "proxy"),
        ({"proxy": "http://me:secret@proxy:1"}, "proxy"),
        ({"proxy": "http://proxy:1/path"}, "proxy"),
    ],
)
def test_what_the_client_of_upstreams_cannot_do_stops_the_boot(load, section, named) -> None:
    with pytest.raises(WrongSettingsError, match=rf"^upstreams\.{named}: ") as end:
        load(GatewaySettings, {"upstreams": section})
    assert "secret" not in str(end.value)


def test_the_client_of_upstreams_can_be_aiohttp(load) -> None:
    loaded = load(GatewaySettings, RACRO_UPSTREAMS__CLIENT="aiohttp")
    assert loaded.upstreams.client == "aiohttp"
    assert load(GatewaySettings, RACRO_UPSTREAMS__CLIENT="").upstreams.client == "http1"


def test_a_missing_model_file_stops_the_boot_and_names_its_setting() -> None:
    with pytest.raises(WrongSettingsError, match=r"^engine\.model_path"):
        create_engine(LlamaSettings(model_path="/nowhere.gguf"), section="engine", served_name="m")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"model_path": "/nowhere.gguf"}, r"^captioner\.engine\.model_path"),
        ({"model_path": __file__}, r"^captioner\.engine\.projector_path"),
        (
            {"model_path": __file__, "projector_path": "/nowhere.gguf"},
            r"^captioner\.engine\.projector_path",
        ),
    ],
)
def test_a_missing_file_of_a_vision_model_stops_the_boot_and_names_its_setting(
    settings, named
) -> None:
    with pytest.raises(WrongSettingsError, match=named):
        create_engine(LlamaVisionSettings(**settings), section="captioner.engine", served_name="m")


def test_the_packaged_vision_model_needs_no_file_to_be_named(load) -> None:
    config = {"captioner": {"kind": "vlm", "engine": {"kind": "llama", "threads": 2}}}
    engine = load(CaptionerSettings, config).captioner.engine
    assert (engine.model_path, engine.projector_path) == (MODEL, PROJECTOR)
    assert (engine.model, engine.threads) == ("racro-drawn", 2)


def test_a_vision_model_of_ones_own_is_shown_by_its_file_or_its_name() -> None:
    assert LlamaVisionSettings(model_path="/models/some-vl.gguf").model == "some-vl"
    assert LlamaVisionSettings(model_path="/models/some-vl.gguf", model="eyes").model == "eyes"


@pytest.mark.parametrize(
    ("config", "env"),
    [
        ({"captioner": {"workers": 2}}, {}),
        ({"captioner": {"workers": 5}, "workers": {"count": 2}}, {}),
        ({}, {"RACRO_CAPTIONER__WORKERS": "2"}),
        ({}, {"RACRO_CAPTIONER": '{"workers": 2}'}),
        ({"workers": {"timeout_s": 9}}, {"RACRO_CAPTIONER__WORKERS": "2"}),
    ],
    ids=str,
)
def test_a_former_name_is_taken_with_a_warning(load, caplog, config, env) -> None:
    loaded = load(CaptionerSettings, config, **env)
    assert loaded.workers.count == 2
    assert loaded.workers.timeout_s == config.get("workers", {}).get("timeout_s", 30)
    [message] = caplog.messages
    assert message.startswith("captioner.workers")
    assert "former name of workers.count" in message


class Renamed(GatewaySettings):
    """Settings of which some have had other names."""

    former_names: ClassVar[Mapping[str, str]] = {
        "threads": "limits.max_images",
        "old.depth": "captioner.max_tokens",
        "reasoners.*.length": "reasoners.*.context_tokens",
    }


@pytest.mark.parametrize(
    ("config", "env"),
    [
        ({"threads": 3, "old": {"depth": 7}}, {}),
        ({}, {"RACRO_THREADS": "3", "RACRO_OLD__DEPTH": "7"}),
        ({"limits": {"max_images": 3}, "threads": 5}, {"RACRO_OLD__DEPTH": "7"}),
    ],
    ids=str,
)
def test_former_names_may_be_of_any_depth(load, config, env) -> None:
    reasoners = {name: {"url": "http://r/v1", "model": "m", "length": 9000} for name in "ab"}
    loaded = load(Renamed, {**config, "reasoners": reasoners}, **env)
    assert (loaded.limits.max_images, loaded.captioner.max_tokens) == (3, 7)
    assert {reasoner.context_tokens for reasoner in loaded.reasoners.values()} == {9000}


@pytest.mark.parametrize(
    ("config", "env", "named"),
    [
        ({"old": {"depth": 7, "width": 1}}, {}, "old: is unknown"),
        ({"old": 7}, {}, "old: is unknown"),
        ({}, {"RACRO_OLD": "7"}, "RACRO_OLD: no such setting"),
        ({"threads": 0}, {}, "limits.max_images: at least 1"),
    ],
    ids=str,
)
def test_what_else_stands_beside_a_former_name_is_refused(load, config, env, named) -> None:
    with pytest.raises(WrongSettingsError, match=re.escape(named)):
        load(Renamed, config, **env)


REGIONS = {"url": "http://r/v1", "model": "m", "regions": {"most": 3}}


@pytest.mark.parametrize(
    ("config", "env", "ignored"),
    [
        ({"later_names": ["limits.regions"], "limits": {"regions": 3}}, {}, "limits.regions"),
        ({"later_names": ["regions"], "regions": {"on": True}}, {}, "regions"),
        ({"later_names": ["regions.on"], "regions": {"on": True}}, {}, "regions.on"),
        ({"later_names": ["regions.*"], "regions": {"on": True}}, {}, "regions.on"),
        ({"later_names": ["limits.*"], "limits": {"zones": 3}}, {}, "limits.zones"),
        ({"later_names": ["zones", "*"], "zones": {"on": True}}, {}, "zones"),
        (
            {"later_names": ["reasoners.*.regions"], "reasoners": {"a": REGIONS}},
            {},
            "reasoners.a.regions",
        ),
        ({}, {"RACRO_LATER_NAMES": '["regions"]', "RACRO_REGIONS": "1"}, "regions"),
        ({"later_names": ["regions.on"]}, {"RACRO_REGIONS__ON": "1"}, "regions.on"),
        ({"later_names": ["limits.regions"]}, {"RACRO_LIMITS__REGIONS": "1"}, "limits.regions"),
    ],
    ids=str,
)
def test_names_of_a_later_version_are_ignored_with_a_warning(
    load, caplog, config, env, ignored
) -> None:
    load(GatewaySettings, config, **env)
    assert caplog.messages == [f"{ignored} is ignored: later_names lists it"]


def test_a_name_that_is_known_is_not_ignored_although_it_is_listed(load, caplog) -> None:
    loaded = load(GatewaySettings, {"later_names": ["limits.*"], "limits": {"max_images": 3}})
    assert loaded.limits.max_images == 3
    assert caplog.messages == []


@pytest.mark.parametrize(
    "config",
    [
        {"limits": {"regions": 3}},
        {"later_names": ["regions"], "limits": {"regions": 3}},
        {"later_names": ["limits"], "limits": {"regions": 3}},
        {"later_names": ["limits.regions"], "limits": {"regions": 3, "max_imges": 3}},
        {"later_names": "limits.regions", "limits": {"regions": 3}},
        {"later_names": {"limits.regions": 1}, "limits": {"regions": 3}},
        {"later_names": ["regions.on"], "regions": {"on": 1, "off": 2}},
        {"later_names": ["regions.on"], "regions": 3},
        {"later_names": ["regions.*.on"], "regions": {"a": {"on": 1}, "b": {"off": 2}}},
    ],
    ids=str,
)
def test_other_unknown_names_stop_the_start(load, config) -> None:
    with pytest.raises(WrongSettingsError, match="is unknown"):
        load(GatewaySettings, config)


STARS = ["*", "*.*", "*.*.*", "limits.*", "reasoners.*.*"]
REMOTE_REASONER = {"url": "http://r/v1", "model": "m"}
MODLE = {**REMOTE_REASONER, "modle": "n"}


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"limit": {"max_images": 3}}, "limit: is unknown; did you mean limits?"),
        ({"limits": {"max_imges": 3}}, "limits.max_imges: is unknown; did you mean max_images?"),
        ({"reasoners": {"a": MODLE}}, "reasoners.a.modle: is unknown; did you mean model?"),
    ],
    ids=str,
)
def test_stars_among_later_names_cover_no_misspelt_name(load, config, named) -> None:
    with pytest.raises(WrongSettingsError, match=re.escape(named)):
        load(GatewaySettings, {"later_names": STARS, **config})


@pytest.mark.parametrize("wrong", [None, 4, "many", [1]], ids=str)
def test_what_is_no_section_is_named_although_a_former_name_stands_beside_it(load, wrong) -> None:
    config = {"captioner": {"workers": 3}, "workers": wrong}
    with pytest.raises(WrongSettingsError, match=r"^workers: an object with named fields"):
        load(CaptionerSettings, config)
    with pytest.raises(WrongSettingsError, match=r"^captioner(\.max_tokens)?: "):
        load(Renamed, {"old": {"depth": 7}, "captioner": wrong})


def test_a_former_name_may_be_listed_as_a_later_one(load) -> None:
    loaded = load(Renamed, {"threads": 3, "later_names": ["threads"]})
    assert loaded.limits.max_images == 3


def test_that_usage_is_not_asked_for_is_said_by_null_alone(load) -> None:
    def reasoner(value: bool | None) -> dict[str, Any]:
        return {"reasoners": {"a": {**REMOTE_REASONER, "stream_options": value}}}

    def captioner(value: bool | None) -> dict[str, Any]:
        engine = {"kind": "url", **REMOTE_REASONER, "stream_options": value}
        return {"captioner": {"kind": "vlm", "engine": engine}}

    for settings, config in ((GatewaySettings, reasoner), (CaptionerSettings, captioner)):
        for value in (True, None):
            load(settings, config(value))
        with pytest.raises(
            WrongSettingsError, match=r"stream_options: true, or null .* is expected"
        ):
            load(settings, config(False))
    load(GatewaySettings, reasoner(True), RACRO_REASONERS__A__STREAM_OPTIONS="true")
    loaded = load(GatewaySettings, reasoner(True), RACRO_REASONERS__A__STREAM_OPTIONS="null")
    assert loaded.reasoners["a"].stream_options is None


PROCESSES = {
    "gateway": ("gateway", {"reasoners": {"r1": REMOTE}}, "reasoners.r1.api_key_env: "),
    "captioner": ("services.captioner", {"max_images": 0}, "max_images: "),
    "vision model": (
        "services.captioner",
        {"captioner": {"kind": "vlm", "engine": {"kind": "llama", "model_path": "/nowhere.gguf"}}},
        "captioner.engine.model_path: ",
    ),
    "reasoner": ("services.reasoner", {"timeout_s": -1}, "timeout_s: "),
}


@pytest.mark.parametrize(("module", "config", "named"), PROCESSES.values(), ids=PROCESSES)
def test_a_process_ends_at_once_and_says_why(tmp_path, module, config, named) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({"port": 0, **config}))
    ended = subprocess.run(
        [sys.executable, "-m", module],
        env={**os.environ, "RACRO_CONFIG": str(path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode != 0
    assert ended.stderr.startswith(f"wrong settings:\n  {named}")
    assert "Traceback" not in ended.stderr
