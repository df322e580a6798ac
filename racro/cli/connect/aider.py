"""aider: its configuration, and metadata that say that the model takes images.

Sources: aider.chat/docs/config/aider_conf.html and /adv-model-settings.html, and main.py of version
0.86.2: it takes pictures only where the metadata have `supports_vision`.
"""

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
from racro.cli.connect.merging import Own

# litellm's name for servers of the OpenAI chat API; the server is not told it.
_PROVIDER = "openai"
_KEY = "OPENAI_API_KEY"


def _settings(connection: Connection) -> Settings:
    model = f"{_PROVIDER}/{connection.model}"
    config = {
        "model": model,
        "openai-api-base": connection.api_url,
        "openai-api-key": None if connection.key_env else NO_KEY,
    }
    metadata: dict[str, Any] = {
        "litellm_provider": _PROVIDER,
        "mode": "chat",
        "supports_vision": True,
    }
    if connection.context_tokens:
        metadata["max_input_tokens"] = connection.context_tokens
    home = Path.home()
    return Settings(
        files=(
            SettingsFile(home / ".aider.conf.yml", "yaml", config),
            SettingsFile(home / ".aider.model.metadata.json", "json", {model: Own(metadata)}),
        ),
        exports={_KEY: Variable(connection.key_env)} if connection.key_env else {},
        then=("aider",),
    )


def _endpoint(loaded: Loaded) -> Endpoint:
    config, _ = loaded.files
    model = config["model"].removeprefix(f"{_PROVIDER}/")
    key = config.get("openai-api-key") or loaded.environment.get(_KEY)
    return Endpoint("chat", f"{config['openai-api-base']}/chat/completions", model, key)


AIDER = Client("aider", _settings, _endpoint)
