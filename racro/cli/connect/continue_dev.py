"""Continue: a model in config.yaml that is said to take images and tools.

Sources: docs.continue.dev/reference and /customize/deep-dives/model-capabilities. Secrets are those
of .env beside it; without `capabilities` what Continue does not know by its name gets no pictures.
"""

import os
import re
import shlex
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
from racro.cli.connect.merging import IfAbsent

_NAME = "RACRO"
_SECRET = re.compile(r"\$\{\{ secrets\.(?P<name>\w+) \}\}")


def _settings(connection: Connection) -> Settings:
    key = f"${{{{ secrets.{connection.key_env} }}}}" if connection.key_env else NO_KEY
    model: dict[str, Any] = {
        "name": _NAME,
        "provider": "openai",
        "model": connection.model,
        "apiBase": connection.api_url,
        "apiKey": key,
        "roles": ["chat", "edit", "apply"],
        "capabilities": ["tool_use", "image_input"],
    }
    if connection.context_tokens:
        model["defaultCompletionOptions"] = {"contextLength": connection.context_tokens}
    wanted = {
        "name": IfAbsent("Local Config"),
        "version": IfAbsent("1.0.0"),
        "schema": IfAbsent("v1"),
        "models": [model],
    }
    folder = Path(os.environ.get("CONTINUE_GLOBAL_DIR") or Path.home() / ".continue")
    then = []
    if name := connection.key_env:
        then.append(f'printf "{name}=%s\\n" "${name}" >> {shlex.quote(str(folder / ".env"))}')
    then.append(f"# choose {_NAME} among Continue's models")
    return Settings((SettingsFile(folder / "config.yaml", "yaml", wanted),), then=tuple(then))


def _endpoint(loaded: Loaded) -> Endpoint:
    [config] = loaded.files
    [model] = [one for one in config["models"] if one.get("name") == _NAME]
    key = model["apiKey"]
    if secret := _SECRET.fullmatch(key):
        key = loaded.environment.get(secret["name"])
    return Endpoint("chat", f"{model['apiBase']}/chat/completions", model["model"], key)


CONTINUE = Client("Continue", _settings, _endpoint)
