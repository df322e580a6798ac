"""opencode: a provider in opencode.json, with a model that is said to take images.

Sources: opencode.ai/docs/config, /docs/providers, and the schema opencode.ai/config.json. Without
`attachment` and `modalities` opencode drops pictures before it asks. The API key is `{env:NAME}`.
"""

import os
import re
from pathlib import Path
from typing import Any

from racro.cli.connect.client_settings import (
    NO_KEY,
    Client,
    Connection,
    Endpoint,
    Loaded,
    Settings,
    SettingsFile,
)
from racro.cli.connect.merging import Own

_PROVIDER = "racro"
_VARIABLE = re.compile(r"\{env:(?P<name>\w+)\}")


def _settings(connection: Connection) -> Settings:
    model: dict[str, Any] = {
        "name": f"{connection.model} (RACRO)",
        "attachment": True,
        "tool_call": True,
        "modalities": {"input": ["text", "image"], "output": ["text"]},
    }
    if tokens := connection.context_tokens:
        # Of its answer opencode asks for as much as the limit, 32,000 tokens where there is none.
        model["limit"] = {"context": tokens, "output": max(1, tokens // 4)}
    key = f"{{env:{connection.key_env}}}" if connection.key_env else NO_KEY
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "RACRO",
        "options": {"baseURL": connection.api_url, "apiKey": key},
        "models": {connection.model: model},
    }
    wanted = {
        "$schema": "https://opencode.ai/config.json",
        "model": f"{_PROVIDER}/{connection.model}",
        "provider": {_PROVIDER: Own(provider)},
    }
    return Settings((SettingsFile(_path(), "json", wanted),), then=("opencode",))


def _path() -> Path:
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "opencode"
    plain, commented = folder / "opencode.json", folder / "opencode.jsonc"
    return commented if commented.exists() and not plain.exists() else plain


def _endpoint(loaded: Loaded) -> Endpoint:
    [config] = loaded.files
    name, _, model = config["model"].partition("/")
    options = config["provider"][name]["options"]
    key = options["apiKey"]
    if variable := _VARIABLE.fullmatch(key):
        key = loaded.environment.get(variable["name"])
    return Endpoint("chat", f"{options['baseURL']}/chat/completions", model, key)


OPENCODE = Client("opencode", _settings, _endpoint)
