"""Settings: one YAML file named by `RACRO_CONFIG`, each value overridable by the environment.

Read once, then frozen. `RACRO_CACHE__URL` overrides `cache: {url: …}`. A wrong name or value stops
the boot with the field's name.
"""

import os
import re
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from racro.base.frozen import Frozen
from racro.base.wrong_settings import WrongSettingsError
from racro.contracts.client import KEY_VARIABLE
from racro.servekit.findings import Finding, Matching, findings, nearest, unknown_names
from racro.servekit.setting_names import in_present_names

PREFIX = "RACRO_"
CONFIG_VARIABLE = "RACRO_CONFIG"
# Variables that begin so and are none of a service's settings.
_NO_SETTINGS = {CONFIG_VARIABLE.lower(), KEY_VARIABLE.lower()}
_VARIABLE_NAME = re.compile("[A-Z][A-Z0-9_]{0,63}")

Url = Annotated[str, Matching("^https?://.+", "a URL that begins with http:// or https://")]


def _at_least_one_body(value: int, info: ValidationInfo) -> int:
    most = info.data.get("max_body_bytes")
    if most is not None and value < most:
        raise ValueError(f"at least max_body_bytes = {most} is expected")
    return value


# Stands behind `max_body_bytes`. Where it is not set, that counts if it is more than the default.
BytesInFlight = Annotated[int, AfterValidator(_at_least_one_body)]


class Section(Frozen):
    """A nested group of settings."""


class UpstreamsSection(Section):
    """How other services are asked."""

    client: Literal["http1", "aiohttp"] = Field(
        default="http1",
        description="The HTTP client: http1, our own, or for this release still aiohttp, which "
        "knows neither tls_timeout_s nor first_byte_timeout_s.",
    )
    connect_timeout_s: float = Field(
        default=1,
        gt=0,
        description="Longest wait for a TCP connection; one that is not made in time is tried once "
        "more, one that is refused nine times more at once.",
    )
    tls_timeout_s: float = Field(
        default=10,
        gt=0,
        description="Longest wait for a TLS handshake, and for a proxy before it.",
    )
    first_byte_timeout_s: float | None = Field(
        default=None,
        gt=0,
        description="Longest wait for an answer's status and headers. Unset, the request's own "
        "time: a plain answer of a reasoner begins when it is complete.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="Certificates (PEM) of the authorities that are trusted; unset, the system's.",
    )
    client_certificate: Path | None = Field(
        default=None, description="Certificate (PEM) to present to servers that ask for one."
    )
    client_key: Path | None = Field(
        default=None,
        validate_default=True,
        description="Its private key (PEM, not encrypted); unset, it is in the same file.",
    )
    proxy: (
        Annotated[
            str,
            Matching(r"^http://[^/@\s]+/?$", "http://host:port, without credentials or a path,"),
        ]
        | None
    ) = Field(
        default=None,
        description="A proxy that all upstreams are reached through, http://host:port. Variables "
        "such as HTTP_PROXY are not read.",
    )

    @property
    def sets_tls(self) -> bool:
        """Whether TLS is anything but the default."""
        return self.ca_file is not None or self.client_certificate is not None

    def tls_context(self) -> ssl.SSLContext:
        """Return what TLS connections are made with."""
        return _tls_context(self.ca_file, self.client_certificate, self.client_key)

    @field_validator("tls_timeout_s", "first_byte_timeout_s")
    @classmethod
    def _is_known(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("client") == "aiohttp":
            raise ValueError("client: aiohttp does not know it")
        return value

    @field_validator("ca_file")
    @classmethod
    def _has_authorities(cls, file: Path | None) -> Path | None:
        try:
            if file is not None:
                _tls_context(file)
        except (OSError, ValueError) as error:
            raise ValueError("a file of certificates (PEM) is expected") from error
        return file

    @field_validator("client_certificate")
    @classmethod
    def _is_there(cls, file: Path | None) -> Path | None:
        if file is not None and not file.is_file():
            raise ValueError("a file with a certificate (PEM) is expected")
        return file

    @field_validator("client_key")
    @classmethod
    def _fits(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if "client_certificate" not in info.data:
            return key  # What is wrong with that one is told.
        certificate: Path | None = info.data["client_certificate"]
        if certificate is None and key is not None:
            raise ValueError("client_certificate is needed with it")
        try:
            if certificate is not None:
                _tls_context(None, certificate, key)
        except (OSError, ValueError) as error:
            raise ValueError(
                "the private key (PEM, not encrypted) of client_certificate is expected, there or "
                "in a file of its own"
            ) from error
        return key


def _tls_context(
    ca_file: Path | None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Return the context of a TLS client. Raises OSError or ValueError where a file is wrong."""
    context = ssl.create_default_context(cafile=ca_file)
    if certificate is not None:
        # Without the last argument OpenSSL would ask a terminal for a password.
        context.load_cert_chain(certificate, key, lambda: "")
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Environment(EnvSettingsSource):
    """Variables as they are where they are no JSON, and those of no setting.

    Validation names what is wrong with them.
    """

    def __call__(self) -> dict[str, Any]:
        sections = {name.partition("__")[0] for name in self.env_vars}
        unknown = sections - {(PREFIX + name).lower() for name in self.settings_cls.model_fields}
        further = {
            section.removeprefix(PREFIX.lower()): self._value(section)
            for section in unknown - _NO_SETTINGS
            if section.startswith(PREFIX.lower())
        }
        return super().__call__() | further

    def _value(self, variable: str) -> Any:
        """Return what is set under a name that no setting has."""
        below = self.explode_env_vars(
            variable.removeprefix(PREFIX.lower()), FieldInfo(annotation=dict), self.env_vars
        )
        return below or self.env_vars[variable]

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


class ServiceSettings(BaseSettings):
    """What every process has; services add their own fields.

    `former_names` has the present names of settings by those that they had in the release before.
    """

    former_names: ClassVar[Mapping[str, str]] = {}

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        # An empty variable is how compose files and charts spell "not set".
        env_ignore_empty=True,
        # As YAML spells it: "do not send", where a setting may be that.
        env_parse_none_str="null",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(ge=0, le=65535, description="Port to listen on.")
    shutdown_timeout_s: int = Field(
        default=30,
        ge=0,
        description="How long a stopping service waits for its open requests. In the first half "
        "of it, at most 30 seconds, it serves those that still come.",
    )
    shutdown_quiet_s: float = Field(
        default=2,
        ge=0,
        description="How long nothing must have been in flight before a stopping service ends: "
        "so long it keeps idle connections for clients that have not heard of it.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level that is logged."
    )
    access_log_share: float = Field(
        default=1,
        ge=0,
        le=1,
        description="Share of the requests that get a line in the access log, chosen at random; "
        "those that fail always do.",
    )
    max_connections: int | None = Field(
        default=None,
        ge=1,
        description="Most connections of clients at once; one beyond is answered 503. Unset, half "
        "of the process's limit of open files (ulimit -n) less 100, and at most 5000.",
    )
    idle_connection_s: float = Field(
        default=95,
        gt=0,
        description="How long a client's connection may stay idle between requests.",
    )
    upstreams: UpstreamsSection = Field(
        default=UpstreamsSection(), description="How other services are asked."
    )
    later_names: tuple[str, ...] = Field(
        default=(),
        description="Names of settings that only a later release has, such as limits.new_one or "
        "reasoners.*.new_one. They are ignored, with a warning, where they are not known. A star "
        "is any name but one that is near a known one.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources = [init_settings, _Environment(settings_cls)]
        if path := os.environ.get(CONFIG_VARIABLE):
            sources.append(YamlConfigSettingsSource(settings_cls, yaml_file=Path(path)))
        return tuple(sources)

    @classmethod
    def read(cls) -> Self:
        """Reads the settings from file and environment. Raises WrongSettingsError."""
        if problems := _missing_config_file():
            raise WrongSettingsError(*problems)
        try:
            return cls()
        except ValidationError as error:
            known = [PREFIX + name.upper() for name in cls.model_fields]
            told = (_told(finding, known) for finding in findings(error, cls))
            raise WrongSettingsError(*told) from error
        except Exception as error:
            raise WrongSettingsError(f"{CONFIG_VARIABLE}: {error}") from error

    @model_validator(mode="wrap")
    @classmethod
    def _in_present_names(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Validate once more where names are unknown that another version has."""
        try:
            return handler(values)
        except ValidationError as error:
            unknown = unknown_names(error, cls)
            return handler(in_present_names(values, unknown, former=cls.former_names))


def _told(finding: Finding, known: Sequence[str]) -> str:
    """With the environment variable that the value came from, if it came from one.

    `known` has the variables of all settings, without what stands below them.
    """
    steps = [str(step).upper() for step in finding.path]
    given = sorted(name.upper() for name, value in os.environ.items() if value)
    for variable in given:
        section = variable.partition("__")[0]
        if section not in known and steps == [section.removeprefix(PREFIX)]:
            return _no_such_variable(variable, known)
    for length in range(len(steps), 0, -1):
        variable = PREFIX + "__".join(steps[:length])
        if variable in given:
            return f"{finding} ({variable}{', as JSON' if finding.wants_entries else ''})"
    return str(finding)


def _no_such_variable(name: str, known: Sequence[str]) -> str:
    head, *rest = name.split("__")
    meant = nearest(head, known)
    hint = f"; did you mean {'__'.join([meant, *rest])}?" if meant else ""
    return f"{name}: no such setting{hint}"


def _missing_config_file() -> list[str]:
    path = os.environ.get(CONFIG_VARIABLE)
    return [f"{CONFIG_VARIABLE}: no file at {path}"] if path and not Path(path).is_file() else []


def _must_be_set(variable: str) -> str:
    if key := os.environ.get(variable):
        if "\n" in key or "\r" in key:
            # No header of a request can have it.
            raise ValueError(f"environment variable {variable} has a line break in it")
        return variable
    # A key in place of the name of its variable must not reach a log.
    if _VARIABLE_NAME.fullmatch(variable):
        raise ValueError(f"environment variable {variable} is not set")
    raise ValueError("the name of an environment variable that is set is expected, not the key")


# The name of the environment variable that holds a key: keys themselves are never settings.
ApiKeyEnv = Annotated[str, AfterValidator(_must_be_set)]


def api_key(variable: str | None) -> str | None:
    """The key in an environment variable that was validated as ApiKeyEnv."""
    return None if variable is None else os.environ[variable]


# Of a server, beside its API key: see racro/servekit/spaced_probe.py.
ProbeInterval = Annotated[
    float | None,
    Field(
        default=None,
        ge=0,
        le=3600,
        description="Shortest time between two questions whether it answers, in seconds; readiness "
        "checks in between are told what it said. Unset, 30 with an API key and 0 without one.",
    ),
]

# What a server of OpenAI's chat API calls the token limit of an answer.
MaxTokensField = Literal["max_tokens", "max_completion_tokens"]


def _not_false(value: bool | None) -> bool | None:
    if value is False:
        raise ValueError("true, or null for what is not sent, is expected")
    return value


# Whether a chat request of our own has `stream_options`; None: not sent, as with other fields.
AsksForUsage = Annotated[
    bool | None, AfterValidator(_not_false), WithJsonSchema({"enum": [True, None]})
]


def kind_of(default: str) -> Discriminator:
    """Tells a union's members apart by `kind`, which may be left out for the default one."""

    def kind(value: Any) -> Any:
        if isinstance(value, dict):
            return value.get("kind", default)
        return getattr(value, "kind", None)

    return Discriminator(kind)
