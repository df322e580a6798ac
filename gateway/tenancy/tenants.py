"""Who asks: tenants by their keys, and what each of them may do."""

import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from starlette.types import Scope

from gateway.settings import GatewaySettings
from gateway.tenancy.keys_file import BadKeysFileError, KeysFile, TenantRecord
from racro.contracts.cache_keys import tenant_tag
from racro.contracts.errors import Unauthenticated
from racro.servekit.context import header
from racro.servekit.file_stamp import stamp
from racro.servekit.settings import api_key

_log = logging.getLogger(__name__)

_SCOPE_KEY = "racro.tenant"
_LOOK_AT_THE_FILE_EVERY_S = 1.0


@dataclass(frozen=True)
class Tenant:
    """`tag` stands for it in cache keys, `counted_as` in those of limits."""

    name: str
    tag: str
    counted_as: str
    may: TenantRecord

    def may_ask(self, reasoner: str) -> bool:
        return self.may.reasoners is None or reasoner in self.may.reasoners


# Who asks where there are no keys.
ANYBODY = Tenant("", "", "", TenantRecord())


def enter(scope: Scope, tenant: Tenant) -> None:
    scope[_SCOPE_KEY] = tenant


def tenant_of(scope: Scope) -> Tenant:
    """Who asks. A route that was not let in on has no tenant, and fails."""
    tenant: Tenant = scope[_SCOPE_KEY]
    return tenant


class Tenants:
    """Those of the keys file. It is read again when it changes: a key is revoked at once."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Raises BadKeysFileError."""
        self._path = settings.tenants.keys_file
        self._stamp = self._path and stamp(self._path)
        self._share = settings.cache.share
        secret = api_key(settings.tenants.secret_env)
        # Without Redis captions live as long as the process, and so may the secret.
        self._secret = secrets.token_bytes(32) if secret is None else secret.encode()
        self._file = KeysFile() if self._path is None else KeysFile.read(self._path)
        self._looked = monotonic()
        self._complaint = ""

    @property
    def problem(self) -> str | None:
        """Why what has changed in the keys file does not count yet. The log has the details."""
        if self._path is not None:
            self._look_at_the_file(self._path)
        return "cannot be read; those of before are good" if self._complaint else None

    def identify(self, headers: Iterable[tuple[bytes, bytes]]) -> Tenant:
        """Raises Unauthenticated."""
        if self._path is None:
            return ANYBODY
        self._look_at_the_file(self._path)
        name = self._file.tenant_of(_key(list(headers)))
        if name is None:
            raise Unauthenticated("no such API key")
        tag = tenant_tag(name, self._secret)
        return Tenant(name, "" if self._share else tag, tag, self._file.tenants[name])

    def _look_at_the_file(self, path: Path) -> None:
        if monotonic() - self._looked < _LOOK_AT_THE_FILE_EVERY_S:
            return
        self._looked = monotonic()
        if (now := stamp(path)) == self._stamp:
            self._complaint = ""
            return
        try:
            self._file = KeysFile.read(path)
        except BadKeysFileError as error:
            # Half a change must not lock everybody out; it is looked at again in a second.
            if str(error) != self._complaint:
                _log.error("the keys file is left as it was: %s", error)
            self._complaint = str(error)
        else:
            self._stamp, self._complaint = now, ""
            _log.info("the keys file has changed")


def _key(headers: list[tuple[bytes, bytes]]) -> str:
    """Whichever header it comes in. Another scheme of Authorization is a proxy's business."""
    authorization = header(headers, "authorization") or ""
    scheme, _, bearer = authorization.partition(" ")
    given = {bearer.strip() if scheme.lower() == "bearer" else "", header(headers, "x-api-key")}
    match [key for key in given if key]:
        case [key]:
            return key
        case []:
            raise Unauthenticated("an API key is needed: Authorization: Bearer rk_…, or x-api-key")
    raise Unauthenticated("Authorization and x-api-key hold different keys")
