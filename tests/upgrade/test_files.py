"""Settings and keys files forward and back, as docs/upgrades.md says."""

from pathlib import Path

import pytest
import yaml

from support.versions import MODULES, NEW, OLD, run


def start_with(version: str, kind: str, config: dict, folder: Path) -> str:
    """Return why a service does not start as another of its settings, the port, says."""
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump({**config, "port": 70000}))
    ended = run(version, MODULES[kind], RACRO_CONFIG=str(file))
    assert ended.returncode != 0
    return ended.stderr


@pytest.mark.parametrize("version", [OLD, NEW])
@pytest.mark.parametrize("config", [{"captioner": {"workers": 2}}, {"max_images": 3}], ids=str)
def test_settings_that_both_know(tmp_path: Path, version: str, config: dict) -> None:
    told = start_with(version, "captioner", config, tmp_path)
    assert "  port: " in told
    assert "is unknown" not in told


@pytest.mark.parametrize("config", [{"workers": {"count": 2}}, {"later_names": ["x"]}], ids=str)
def test_settings_that_the_version_before_refuses_by_name(tmp_path: Path, config: dict) -> None:
    [name] = config
    assert f"{name}: is unknown" in start_with(OLD, "captioner", config, tmp_path)
    assert "is unknown" not in start_with(NEW, "captioner", config, tmp_path)


def test_a_keys_file_that_the_version_before_refuses_by_name(
    tmp_path: Path, keys: tuple[Path, str]
) -> None:
    file = tmp_path / "keys.yaml"
    written = yaml.safe_load(keys[0].read_text())
    for changed in ({}, {"weight": 2}):
        written["tenants"]["one"] |= changed
        file.write_text(yaml.safe_dump(written))
        listed = {
            version: run(version, "racro.cli", "keys", "list", "--file", file)
            for version in (OLD, NEW)
        }
        assert listed[NEW].returncode == 0
        assert (listed[OLD].returncode == 0) == (not changed)
    assert "tenants.one.weight" in listed[OLD].stderr
