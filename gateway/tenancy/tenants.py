"""Tenants: found by their API keys, with what each of them may do."""

import asyncio
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import Scope

from gateway.settings import GatewaySettings
from gateway.tenancy.keys_file import BadKeysFileError, KeysFile, TenantRecord
from gateway.tenancy.tenant_labels import NO_LABELS, TenantLabels
from racro.contracts.cache_keys import tenant_tag
from racro.contracts.errors import Unauthenticated
from racro.servekit.context import header
from racro.servekit.file_stamp import stamp
from racro.servekit.settings import api_key

_log = logging.getLogger(__name__)

_SCOPE_KEY = "racro.tenant"
_CHECK_EVERY_S = 1.0


@dataclass(frozen=True)
class Tenant:
    """A tenant and its limits; `tag` names it in cache keys, `counted_as` in rate limits."""

    name: str
    tag: str
    counted_as: str
    may: TenantRecord
    labels: TenantLabels = field(default=NO_LABELS, compare=False, repr=False)

    @property
    def label(self) -> str:
        """What metrics call it now: its name, or what those share that are not named."""
        return self.labels.label(self.name)

    @property
    def weight(self) -> float:
        """Its share of a queue's places, in relation to those of other tenants."""
        return 1 if self.may.weight is None else self.may.weight

    def may_ask(self, reasoner: str) -> bool:
        return self.may.reasoners is None or reasoner in self.may.reasoners


# The tenant of every request where there are no keys.
ANYBODY = Tenant("", "", "", TenantRecord())


def set_tenant(scope: Scope, tenant: Tenant) -> None:
    scope[_SCOPE_KEY] = tenant


def tenant_of(scope: Scope) -> Tenant:
    """Return the tenant of a request. Fails for a request that was not admitted."""
    tenant: Tenant = scope[_SCOPE_KEY]
    return tenant


class Tenants:
    """The tenants of the keys file, which is read again when it changes.

    A revoked key is refused after a second and the time that reading the file takes.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        """Raises BadKeysFileError."""
        self._path = settings.tenants.keys_file
        self._stamp = self._path and stamp(self._path)
        self._share = settings.cache.share
        secret = api_key(settings.tenants.secret_env)
        # Without Redis captions live as long as the process, and so may the secret.
        self._secret = secrets.token_bytes(32) if secret is None else secret.encode()
        self._file = KeysFile() if self._path is None else KeysFile.read(self._path)
        self._labels = TenantLabels(0 if self._path is None else settings.metrics.max_tenants)
        self._labels.create_series()
        for name in self._labels.update(self._file.tenants.keys()):
            self._labels.meet(name)
        self._error = ""

    @property
    def problem(self) -> str | None:
        """Why a change of the keys file is not in force. The log has the details."""
        return "cannot be read; those of before are good" if self._error else None

    async def watch(self) -> None:
        """Read the keys file again whenever it has changed, until cancelled.

        Nothing that goes wrong ends it: revoked keys would be good for ever.
        """
        while self._path is not None:
            await asyncio.sleep(_CHECK_EVERY_S)
            try:
                await self._reload_if_changed(self._path)
            except Exception as error:  # noqa: BLE001 - it goes on watching
                _log.exception("the keys file could not be read again")
                self._error = repr(error)

    def identify(self, headers: Iterable[tuple[bytes, bytes]]) -> Tenant:
        """Return the tenant of the API key in `headers`. Raises Unauthenticated."""
        if self._path is None:
            return ANYBODY
        name = self._file.tenant_of(_key(list(headers)))
        if name is None:
            raise Unauthenticated("no such API key")
        self._labels.meet(name)
        tag = tenant_tag(name, self._secret)
        may = self._file.tenants[name]
        return Tenant(name, "" if self._share else tag, tag, may, self._labels)

    async def _reload_if_changed(self, path: Path) -> None:
        if (now := stamp(path)) == self._stamp:
            self._error = ""
            return
        try:
            # A file of a thousand tenants takes half a second.
            self._file = await asyncio.to_thread(KeysFile.read, path)
        except BadKeysFileError as error:
            # Half a change must lock nobody out; the file is read again in a second.
            if str(error) != self._error:
                _log.error("the keys file is left as it was: %s", error)
            self._error = str(error)
        else:
            self._stamp, self._error = now, ""
            _log.info("the keys file has changed")
            for name in self._labels.update(self._file.tenants.keys()):
                self._labels.meet(name)
                # Requests go on between the series of two tenants.
                await asyncio.sleep(0)


def _key(headers: list[tuple[bytes, bytes]]) -> str:
    """Return the API key from either header. Another Authorization scheme belongs to a proxy."""
    authorization = header(headers, "authorization") or ""
    scheme, _, bearer = authorization.partition(" ")
    given = {bearer.strip() if scheme.lower() == "bearer" else "", header(headers, "x-api-key")}
    match [key for key in given if key]:
        case [key]:
            return key
        case []:
            raise Unauthenticated("an API key is needed: Authorization: Bearer rk_…, or x-api-key")
    raise Unauthenticated("Authorization and x-api-key hold different keys")
