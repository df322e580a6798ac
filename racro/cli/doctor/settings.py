"""The gateway's settings, and the file of its API keys: the part of `racro doctor` without HTTP."""

import os
from pathlib import Path

from gateway.settings import GatewaySettings
from gateway.tenancy.keys_file import BadKeysFileError, KeysFile
from racro.base.wrong_settings import WrongSettingsError
from racro.cli.doctor.check_report import Finding, bad, good, skipped
from racro.servekit.settings import CONFIG_VARIABLE

_CHECK = "settings"
_KEYS = "API keys"


def read_settings(config: Path) -> tuple[GatewaySettings | None, list[Finding]]:
    """The settings of a YAML file, with what the environment overrides; None if they are wrong."""
    os.environ[CONFIG_VARIABLE] = str(config)
    try:
        settings = GatewaySettings.read()
    except WrongSettingsError as error:
        advice = f"correct {config}; docs/settings.md has every setting"
        return None, [bad(_CHECK, problem, advice) for problem in error.problems]
    return settings, [good(_CHECK, f"{config} is valid"), _check_keys(settings)]


def _check_keys(settings: GatewaySettings) -> Finding:
    path = settings.tenants.keys_file
    if path is None:
        return skipped(_KEYS, f"none are wanted: whoever reaches {settings.host} may ask")
    try:
        file = KeysFile.read(path)
    except BadKeysFileError as error:
        advice = f"`racro keys new TENANT --file {path}` makes it, and a key"
        return bad(_KEYS, f"tenants.keys_file: {error}", advice)
    keys = sum(len(tenant.keys) for tenant in file.tenants.values())
    if not keys:
        return bad(_KEYS, f"{path} has no key", f"`racro keys new TENANT --file {path}` makes one")
    return good(_KEYS, f"{keys} of {len(file.tenants)} tenant(s) in {path}")
