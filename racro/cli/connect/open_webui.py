"""Open WebUI: environment variables for its first start, after which its database counts.

Sources: docs.openwebui.com/getting-started/env-configuration and /features/openai.
"""

from racro.cli.connect.client_settings import (
    NO_KEY,
    Client,
    Connection,
    Endpoint,
    Loaded,
    Settings,
    Variable,
)

_URLS = "OPENAI_API_BASE_URLS"
_KEYS = "OPENAI_API_KEYS"
_MODEL = "DEFAULT_MODELS"


def _settings(connection: Connection) -> Settings:
    names = (_URLS, _KEYS, _MODEL)
    passed = " ".join(f"-e {name}" for name in names)
    return Settings(
        exports={
            _URLS: connection.api_url,
            _KEYS: Variable(connection.key_env) if connection.key_env else NO_KEY,
            _MODEL: connection.model,
        },
        alone=True,
        then=(
            "open-webui serve",
            f"# or, in a container: `docker run --network=host {passed} …`, with its image",
            "# where it ran before: Admin Settings, Connections, OpenAI API, with the same values",
        ),
    )


def _endpoint(loaded: Loaded) -> Endpoint:
    environment = loaded.environment
    url = f"{environment[_URLS]}/chat/completions"
    return Endpoint("chat", url, environment[_MODEL], environment.get(_KEYS))


OPEN_WEBUI = Client("Open WebUI", _settings, _endpoint)
