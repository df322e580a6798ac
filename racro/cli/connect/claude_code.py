"""Claude Code: `env` of its settings.json, and a command that prints the API key.

Sources: code.claude.com/docs/en/settings and /en/model-config; version 2.1.197 was run with both
forms: it posts to ANTHROPIC_BASE_URL + /v1/messages, and what `apiKeyHelper` prints it sends as
`x-api-key` and as a bearer. A variable of `env` is set over one of the shell.
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

_MODELS = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
)
_NO_OTHER_KEY = {"ANTHROPIC_API_KEY": ""}
_PRINT_KEY = "printenv "


def _settings(connection: Connection) -> Settings:
    where = {"ANTHROPIC_BASE_URL": connection.url}
    models = dict.fromkeys(_MODELS, connection.model)
    key = Variable(connection.key_env) if connection.key_env else NO_KEY
    folder = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")
    wanted: dict[str, Any] = {
        "env": {
            **where,
            # Beside what the helper prints, or in place of it, those of the shell would be sent.
            "ANTHROPIC_AUTH_TOKEN": "" if connection.key_env else NO_KEY,
            **_NO_OTHER_KEY,
            **models,
        },
        "apiKeyHelper": f"{_PRINT_KEY}{connection.key_env}" if connection.key_env else None,
    }
    return Settings(
        files=(SettingsFile(folder / "settings.json", "json", wanted),),
        exports={**where, "ANTHROPIC_AUTH_TOKEN": key, **_NO_OTHER_KEY, **models},
        alone=True,
        then=("claude",),
    )


def _endpoint(loaded: Loaded) -> Endpoint:
    [settings] = loaded.files
    env = settings["env"]
    key = env.get("ANTHROPIC_AUTH_TOKEN")
    if helper := settings.get("apiKeyHelper"):
        key = loaded.environment.get(helper.removeprefix(_PRINT_KEY))
    url = f"{env['ANTHROPIC_BASE_URL']}/v1/messages?beta=true"
    return Endpoint("messages", url, env["ANTHROPIC_MODEL"], key)


CLAUDE = Client("Claude Code", _settings, _endpoint)
