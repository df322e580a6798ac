"""What a client is told: where the gateway is, which model, and where the key comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

# For clients that insist on a key where the gateway wants none.
NO_KEY = "none"

Api = Literal["chat", "responses", "messages"]
Kind = Literal["json", "toml", "yaml"]


@dataclass(frozen=True)
class Connection:
    """A gateway by its URL, without /v1, and the name of a reasoner.

    `context_tokens` is None where the gateway does not tell them. `key_env` is the environment
    variable that holds the API key, None where the gateway needs none.
    """

    url: str
    model: str = "default"
    context_tokens: int | None = None
    key_env: str | None = None

    @property
    def api_url(self) -> str:
        """The base URL of clients that append /chat/completions."""
        return f"{self.url}/v1"


@dataclass(frozen=True)
class Variable:
    """An environment variable that a setting takes its value from."""

    name: str


@dataclass(frozen=True)
class SettingsFile:
    """A file of a client, and what has to stand in it.

    `wanted` is merged into what stands there, by the rules of `racro.cli.connect.merging`.
    """

    path: Path
    kind: Kind
    wanted: Any


@dataclass(frozen=True)
class Settings:
    """Everything that a client has to be told, in files, in its environment or in both.

    `alone` says that the exports do without the files. `then` are commands for after that.
    """

    files: tuple[SettingsFile, ...] = ()
    exports: Mapping[str, str | Variable] = field(default_factory=dict)
    alone: bool = False
    then: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """The settings as the client finds them: its files, parsed, and its environment.

    `key` is the API key that a command of `Settings.then` gives the client to keep.
    """

    files: tuple[Any, ...]
    environment: Mapping[str, str]
    key: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """Where a client sends its requests, and as what."""

    api: Api
    url: str
    model: str
    key: str | None = None


@dataclass(frozen=True)
class Client:
    """A program that asks gateways.

    `settings` makes its settings. `endpoint` reads them as the program does; it raises LookupError,
    TypeError or ValueError where something is missing in them.
    """

    title: str
    settings: Callable[[Connection], Settings]
    endpoint: Callable[[Loaded], Endpoint]
