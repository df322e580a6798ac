"""llm, the command-line tool: a model in extra-openai-models.yaml.

Sources: llm.datasette.io/en/stable/other-models.html; `register_models` and `get_key` of version
0.32. The key of a model is one that `llm keys set` stored; without `api_key_name` none is sent.
"""

import os
from pathlib import Path
from typing import Any

import typer

from racro.cli.connect.client_settings import (
    Client,
    Connection,
    Endpoint,
    Loaded,
    Settings,
    SettingsFile,
)

_NAME = "racro"


def _settings(connection: Connection) -> Settings:
    model: dict[str, Any] = {
        "model_id": _NAME,
        "model_name": connection.model,
        "api_base": connection.api_url,
        "vision": True,
        "supports_tools": True,
        "supports_schema": True,
    }
    then = [f"llm -m {_NAME} -a picture.png 'What is on it?'"]
    if connection.key_env:
        model["api_key_name"] = _NAME
        then.insert(0, f'llm keys set {_NAME} --value "${connection.key_env}"')
    folder = Path(os.environ.get("LLM_USER_PATH") or typer.get_app_dir("io.datasette.llm"))
    return Settings(
        (SettingsFile(folder / "extra-openai-models.yaml", "yaml", [model]),), then=tuple(then)
    )


def _endpoint(loaded: Loaded) -> Endpoint:
    [models] = loaded.files
    [model] = [one for one in models if one["model_id"] == _NAME]
    url = f"{model['api_base']}/chat/completions"
    key = loaded.key if "api_key_name" in model else None
    return Endpoint("chat", url, model["model_name"], key)


LLM = Client("llm", _settings, _endpoint)
