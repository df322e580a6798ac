"""Cline's CLI: a provider in providers.json, and beside it what its model can do.

Sources: what `cline auth --provider openai …` of version 3.0.65 writes, and in its packages
@cline/core and @cline/llms 0.0.86 `StoredModelEntrySchema` and `apiKeyEnv`: the key of the provider
"openai-compatible" is that of the file or else OPENAI_API_KEY.
"""

import os
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
    Variable,
)
from racro.cli.connect.merging import IfAbsent, Own

_PROVIDER = "openai-compatible"
_KEY = "OPENAI_API_KEY"
# Cline insists on a date; one that stays makes the same settings the same file.
_UPDATED = "2026-01-01T00:00:00.000Z"


def _settings(connection: Connection) -> Settings:
    own: dict[str, Any] = {
        "provider": _PROVIDER,
        "model": connection.model,
        "baseUrl": connection.api_url,
    }
    if not connection.key_env:
        own["apiKey"] = NO_KEY
    providers = {
        "version": 1,
        "lastUsedProvider": _PROVIDER,
        "modes": IfAbsent({}),
        "providers": {
            _PROVIDER: Own(settings=own, updatedAt=_UPDATED, tokenSource="manual"),
        },
    }
    folder = _data_folder() / "settings"
    return Settings(
        files=(
            SettingsFile(folder / "providers.json", "json", providers),
            SettingsFile(folder / "models.json", "json", _models(connection)),
        ),
        exports={_KEY: Variable(connection.key_env)} if connection.key_env else {},
        then=("cline",),
    )


def _models(connection: Connection) -> dict[str, Any]:
    model: dict[str, Any] = {
        "id": connection.model,
        "name": connection.model,
        "capabilities": ["streaming", "tools", "images"],
    }
    if tokens := connection.context_tokens:
        model |= {"contextWindow": tokens, "maxInputTokens": tokens}
    provider = {
        "name": "OpenAI Compatible",
        "baseUrl": connection.api_url,
        "defaultModelId": connection.model,
    }
    entry = Own(provider=provider, models={connection.model: model})
    return {"version": 1, "providers": {_PROVIDER: entry}}


def _data_folder() -> Path:
    if folder := os.environ.get("CLINE_DATA_DIR"):
        return Path(folder)
    return Path(os.environ.get("CLINE_DIR") or Path.home() / ".cline") / "data"


def _endpoint(loaded: Loaded) -> Endpoint:
    providers, _ = loaded.files
    own = providers["providers"][providers["lastUsedProvider"]]["settings"]
    key = own.get("apiKey") or loaded.environment.get(_KEY)
    return Endpoint("chat", f"{own['baseUrl']}/chat/completions", own["model"], key)


CLINE = Client("Cline", _settings, _endpoint)
