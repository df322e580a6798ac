"""Tenants and their API keys: the YAML file that `racro keys` writes and the gateway reads.

A key is `rk_<id>_<secret>`: looked up by its id, proved by its secret, of which only the SHA-256 is
kept.
"""

import hashlib
import hmac
import logging
import os
import re
import secrets
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import (
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from racro.base.atomic import replacing
from racro.base.frozen import Frozen
from racro.servekit.findings import Matching, findings, nearest, shown_name

_log = logging.getLogger(__name__)

# 256 bits, in base64url.
_SECRET_BYTES = 32
_KEY = re.compile(r"rk_(?P<id>[0-9a-f]{16})_(?P<secret>[A-Za-z0-9_-]{43})")


def key_id(key: str) -> str:
    """Return the id of a key; what is no key is returned as it is."""
    match = _KEY.fullmatch(key)
    return match["id"] if match else key


TenantName = Annotated[
    str,
    Matching(r"^[a-z0-9][a-z0-9-]{0,62}$", "a name of up to 63 small letters, digits and hyphens"),
]


class BadKeysFileError(Exception):
    """The file of tenants cannot be read; the message names it and the field."""


class _Record(Frozen):
    """A part of the file. Fields of a later version are kept and written again.

    One whose name is near a known one is refused: it may be a limit, misspelt.
    """

    model_config = ConfigDict(extra="allow")


class KeyRecord(_Record):
    sha256: Annotated[str, Matching(r"^[0-9a-f]{64}$", "a SHA-256 in 64 hexadecimal digits")]
    created: date


class TenantRecord(_Record):
    """The limits of a tenant (None: no limit), and its keys by their ids.

    `weight` (None: 1) is its share of the queues before captioner and reasoners, in relation to
    the weights of other tenants.
    """

    requests_per_minute: int | None = Field(default=None, ge=1)
    images_per_minute: int | None = Field(default=None, ge=1)
    concurrency: int | None = Field(default=None, ge=1)
    weight: float | None = Field(default=None, ge=0.01, le=1000)
    reasoners: tuple[str, ...] | None = None
    keys: dict[str, KeyRecord] = Field(default={})


class KeysFile(_Record):
    tenants: dict[TenantName, TenantRecord] = Field(default={})

    @cached_property
    def _by_id(self) -> dict[str, tuple[str, KeyRecord]]:
        return {
            identifier: (name, record)
            for name, tenant in self.tenants.items()
            for identifier, record in tenant.keys.items()
        }

    @model_validator(mode="after")
    def _a_key_is_one_tenant_s(self) -> Self:
        if len(self._by_id) < sum(len(tenant.keys) for tenant in self.tenants.values()):
            raise ValueError("two tenants have a key of the same id")
        return self

    @model_validator(mode="after")
    def _no_field_is_misspelt(self) -> Self:
        for prefix, part in self._parts():
            for name in part.model_extra or ():
                if problem := _probably_meant(name, part):
                    raise ValueError(f"{prefix}{shown_name(name)} {problem}")
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises BadKeysFileError, also for one without `tenants`, which would refuse every key: it
        may be half a change.
        """
        try:
            file = cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except ValidationError as error:
            raise BadKeysFileError(f"{path}: {findings(error, cls)[0]}") from error
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            raise BadKeysFileError(f"{path} cannot be read: {error}") from error
        if "tenants" not in file.model_fields_set:
            raise BadKeysFileError(f"{path}: tenants: is required")
        for field in file.unknown_fields():
            _log.warning("%s: %s is unknown: this version ignores it", path, field)
        return file

    def unknown_fields(self) -> Iterator[str]:
        """Yield where in the file a field is that this version does not know."""
        for prefix, part in self._parts():
            for name in part.model_extra or ():
                yield f"{prefix}{shown_name(name)}"

    def _parts(self) -> Iterator[tuple[str, _Record]]:
        """Yield all parts of the file with what the paths of their fields begin with."""
        yield "", self
        for name, tenant in self.tenants.items():
            yield f"tenants.{name}.", tenant
            for identifier, key in tenant.keys.items():
                yield f"tenants.{name}.keys.{identifier}.", key

    def write(self, path: Path) -> None:
        """Writes the file, whole or not at all; one that exists keeps its owner and mode.

        A new file can be read by all users, because the gateway may run as another one: digests of
        256 random bits do not reveal a key. Two processes must not write at the same time.

        Raises OSError.
        """
        text = yaml.safe_dump(self.model_dump(mode="json", exclude_none=True), sort_keys=False)
        with replacing(path) as unfinished:
            unfinished.unlink(missing_ok=True)
            descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                if path.exists():
                    stat = path.stat()
                    os.fchmod(file.fileno(), stat.st_mode)
                    os.fchown(file.fileno(), stat.st_uid, stat.st_gid)

    def tenant_of(self, key: str) -> str | None:
        """Return the name of the tenant that a key belongs to, or None."""
        match = _KEY.fullmatch(key)
        if match is None:
            return None
        name, record = self._by_id.get(match["id"], (None, None))
        proof = _sha256(match["secret"])
        return name if record and hmac.compare_digest(record.sha256, proof) else None

    def with_new_key(self, tenant: str, limits: TenantRecord) -> tuple[Self, str]:
        """Return the file with one more key of `tenant`, and the key, which is stored nowhere."""
        identifier, secret = secrets.token_hex(8), secrets.token_urlsafe(_SECRET_BYTES)
        record = KeyRecord(sha256=_sha256(secret), created=date.today())  # noqa: DTZ011 - for people
        keys = {**limits.keys, identifier: record}
        changed = limits.model_copy(update={"keys": keys})
        tenants = {**self.tenants, tenant: changed}
        return self._with(tenants), f"rk_{identifier}_{secret}"

    def without_key(self, identifier: str) -> Self | None:
        """Return the file without that key, or None if it has no such key."""
        for name, tenant in self.tenants.items():
            if identifier in tenant.keys:
                keys = {one: record for one, record in tenant.keys.items() if one != identifier}
                changed = tenant.model_copy(update={"keys": keys})
                return self._with({**self.tenants, name: changed})
        return None

    def _with(self, tenants: dict[TenantName, TenantRecord]) -> Self:
        return type(self)(**{**(self.model_extra or {}), "tenants": tenants})


def _probably_meant(name: str, part: _Record) -> str | None:
    """Return what is wrong with an unknown field if one of this version was probably meant."""
    written = name.strip().lower()
    if meant := nearest(written, list(type(part).model_fields)):
        return f"is unknown; did you mean {meant}?"
    # A line with too few or too many blanks before it.
    elsewhere = any(written in kind.model_fields for kind in (KeysFile, TenantRecord, KeyRecord))
    return "is unknown at this place" if elsewhere else None


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
