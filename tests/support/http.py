"""HTTP calls as httpx2's, which wait as long as a busy machine may need.

Peers are our own processes: nothing is verified, which saves loading certificates for each call.
"""

from contextlib import AbstractContextManager
from typing import Any

import httpx2

from support.processes import PATIENCE_S

_OPTIONS: dict[str, Any] = {"timeout": PATIENCE_S, "verify": False}


def get(url: str, **options: Any) -> httpx2.Response:
    return httpx2.get(url, **_OPTIONS | options)


def post(url: str, **options: Any) -> httpx2.Response:
    return httpx2.post(url, **_OPTIONS | options)


def stream(method: str, url: str, **options: Any) -> AbstractContextManager[httpx2.Response]:
    return httpx2.stream(method, url, **_OPTIONS | options)


def client(**options: Any) -> httpx2.Client:
    return httpx2.Client(**_OPTIONS | options)


def async_client(**options: Any) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(**_OPTIONS | options)
