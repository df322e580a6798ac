"""Codex: a provider in config.toml, which names the environment variable of the API key.

Source: developers.openai.com/codex/config-reference; version 0.169 takes no other `wire_api` than
"responses", appends /responses to `base_url`, and assumes a large context of a model that it does
not know.
"""

import os
from pathlib import Path
from typing import Any

from racro.cli.connect.client_settings import (
    Client,
    Connection,
    Endpoint,
    Loaded,
    Settings,
    SettingsFile,
)
from racro.cli.connect.merging import Own

_PROVIDER = "racro"


def _settings(connection: Connection) -> Settings:
    provider = {"name": "RACRO", "base_url": connection.api_url, "wire_api": "responses"}
    if connection.key_env:
        provider["env_key"] = connection.key_env
    wanted: dict[str, Any] = {
        "model": connection.model,
        "model_provider": _PROVIDER,
        "model_context_window": connection.context_tokens,
        "model_providers": {_PROVIDER: Own(provider)},
    }
    folder = Path(os.environ.get("CODEX_HOME") or Path.home() / ".codex")
    return Settings((SettingsFile(folder / "config.toml", "toml", wanted),), then=("codex",))


def _endpoint(loaded: Loaded) -> Endpoint:
    [config] = loaded.files
    provider = config["model_providers"][config["model_provider"]]
    key = loaded.environment.get(provider["env_key"]) if "env_key" in provider else None
    return Endpoint("responses", f"{provider['base_url']}/responses", config["model"], key)


CODEX = Client("Codex", _settings, _endpoint)
