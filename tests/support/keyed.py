"""A gateway with a keys file, for tests of what is counted by tenant."""

from pathlib import Path
from typing import Any, Self

import httpx2

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from support import http
from support.pictures import data_url, png
from support.processes import Service
from support.scripted import ScriptedServer


class KeyedGateway:
    """A gateway with those tenants, of which metrics name so many."""

    def __init__(
        self,
        folder: Path,
        captioner: ScriptedServer,
        reasoner: ScriptedServer,
        tenants: list[str],
        *,
        max_tenants: int,
        **more: Any,
    ) -> None:
        self._path = folder / "keys.yaml"
        self._file = KeysFile()
        self._keys: dict[str, str] = {}
        self.add(*tenants)
        self.config = gateway_config(
            captioner.url,
            reasoner.url,
            tenants={"keys_file": str(self._path)},
            metrics={"max_tenants": max_tenants},
        )
        self.config["reasoners"]["default"] |= more
        self.service = Service("gateway", self.config)

    def __enter__(self) -> Self:
        self.service.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.service.__exit__(*error)

    @property
    def url(self) -> str:
        return self.service.url

    def add(self, *tenants: str) -> None:
        for tenant in tenants:
            self._file, self._keys[tenant] = self._file.with_new_key(tenant, TenantRecord())
        self._file.write(self._path)

    def remove(self, tenant: str) -> None:
        left = {name: one for name, one in self._file.tenants.items() if name != tenant}
        self._file = KeysFile(tenants=left)
        self._file.write(self._path)

    def post(self, path: str, tenant: str, body: dict[str, Any]) -> httpx2.Response:
        return http.post(self.url + path, json=body, headers={"x-api-key": self._keys[tenant]})

    def knows(self, tenant: str) -> bool:
        headers = {"x-api-key": self._keys[tenant]}
        return http.get(f"{self.url}/v1/models", headers=headers).status_code == 200

    def chat(self, tenant: str, *, stream: bool = False) -> httpx2.Response:
        message = {"role": "user", "content": "What is 2 + 2?"}
        body = {"model": "default", "messages": [message], "stream": stream}
        return self.post("/v1/chat/completions", tenant, body)

    def solve(self, tenant: str, *, stream: bool = False) -> httpx2.Response:
        body = {"question": "How high?", "images": [data_url(png())], "stream": stream}
        return self.post("/v1/solve", tenant, {**body, "tentative": False, "cache": "bypass"})

    def by_tenant(self, metric: str, **labels: str) -> dict[str, float]:
        """The samples of a metric that have those labels, by their tenants."""
        return {
            name.split('tenant="')[1].split('"')[0]: value
            for name, value in self.service.metrics().items()
            if name.startswith(f"{metric}{{")
            and all(f'{label}="{of}"' in name for label, of in labels.items())
        }
