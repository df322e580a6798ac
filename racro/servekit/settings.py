"""Settings: one YAML file named by `RACRO_CONFIG`, each value overridable by the environment.

Read once, then frozen. `RACRO_CACHE__URL` overrides `cache: {url: …}`. A wrong name or value stops
the boot with the field's name.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from racro.contracts.client import KEY_VARIABLE

PREFIX = "RACRO_"
CONFIG_VARIABLE = "RACRO_CONFIG"


class Section(BaseModel):
    """A nested group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WrongSettingsError(Exception):
    """`problems`: a line for each, with the field's name."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(self.problems))


class ServiceSettings(BaseSettings):
    """What every process has; services add their own fields."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        # An empty variable is how compose files and charts spell "not set".
        env_ignore_empty=True,
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(ge=0, le=65535, description="Port to listen on.")
    shutdown_timeout_s: int = Field(
        default=30, ge=0, description="How long a stopping service waits for its open requests."
    )
    log_level: str = Field(
        default="info",
        pattern="^(debug|info|warning|error)$",
        description="Lowest level that is logged.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources = [init_settings, env_settings]
        if path := os.environ.get(CONFIG_VARIABLE):
            sources.append(YamlConfigSettingsSource(settings_cls, yaml_file=Path(path)))
        return tuple(sources)

    @classmethod
    def load(cls) -> Self:
        """Read the settings, or leave the process with the names of the fields that are wrong."""
        try:
            return cls.read()
        except WrongSettingsError as error:
            problems = (f"  {problem}" for problem in error.problems)
            sys.exit("\n".join(["wrong settings:", *problems]))

    @classmethod
    def read(cls) -> Self:
        """Raises WrongSettingsError."""
        if problems := [*_missing_config_file(), *cls._unknown_variables()]:
            raise WrongSettingsError(problems)
        try:
            return cls()
        except ValidationError as error:
            raise WrongSettingsError(
                f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors()
            ) from error
        except Exception as error:
            raise WrongSettingsError([f"{CONFIG_VARIABLE}: {error}"]) from error

    @classmethod
    def _unknown_variables(cls) -> list[str]:
        """A misspelt variable would otherwise be ignored in silence."""
        known = {PREFIX + name.upper() for name in cls.model_fields}
        known |= {CONFIG_VARIABLE, KEY_VARIABLE}
        return [
            f"{name}: no such setting"
            for name in sorted(os.environ)
            if name.startswith(PREFIX) and name.split("__")[0].upper() not in known
        ]


def _missing_config_file() -> list[str]:
    path = os.environ.get(CONFIG_VARIABLE)
    return [f"{CONFIG_VARIABLE}: no file at {path}"] if path and not Path(path).is_file() else []


def _must_be_set(variable: str) -> str:
    if not os.environ.get(variable):
        raise ValueError(f"environment variable {variable} is not set")
    return variable


# The name of the environment variable that holds a key: keys themselves are never settings.
ApiKeyEnv = Annotated[str, AfterValidator(_must_be_set)]


def api_key(variable: str | None) -> str | None:
    """The key in an environment variable that was validated as ApiKeyEnv."""
    return None if variable is None else os.environ[variable]


def kind_of(default: str) -> Discriminator:
    """Tells a union's members apart by `kind`, which may be left out for the default one."""

    def kind(value: Any) -> Any:
        if isinstance(value, dict):
            return value.get("kind", default)
        return getattr(value, "kind", None)

    return Discriminator(kind)
