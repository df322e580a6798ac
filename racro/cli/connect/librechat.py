"""LibreChat: a custom endpoint in librechat.yaml.

Sources: www.librechat.ai/docs/configuration/librechat_yaml/object_structure/custom_endpoint and
librechat.example.yaml of its repository, whose version is the one here. `${NAME}` is a variable of
the server's environment.
"""

import os
import re
from pathlib import Path

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
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)\}")


def _settings(connection: Connection) -> Settings:
    endpoint = {
        "name": _NAME,
        "apiKey": f"${{{connection.key_env}}}" if connection.key_env else NO_KEY,
        "baseURL": connection.api_url,
        "models": {"default": [connection.model], "fetch": True},
        "titleConvo": True,
        "titleModel": "current_model",
        "modelDisplayLabel": _NAME,
    }
    wanted = {"version": IfAbsent("1.3.17"), "endpoints": {"custom": [endpoint]}}
    then = []
    if name := connection.key_env:
        then.append(f'printf "{name}=%s\\n" "${name}" >> .env')
    then.append("# start LibreChat anew; in a container the gateway is not at 127.0.0.1")
    path = Path(os.environ.get("CONFIG_PATH") or "librechat.yaml").absolute()
    return Settings((SettingsFile(path, "yaml", wanted),), then=tuple(then))


def _endpoint(loaded: Loaded) -> Endpoint:
    [config] = loaded.files
    [own] = [one for one in config["endpoints"]["custom"] if one.get("name") == _NAME]
    key = own["apiKey"]
    if variable := _VARIABLE.fullmatch(key):
        key = loaded.environment.get(variable["name"])
    return Endpoint("chat", f"{own['baseURL']}/chat/completions", own["models"]["default"][0], key)


LIBRECHAT = Client("LibreChat", _settings, _endpoint)
