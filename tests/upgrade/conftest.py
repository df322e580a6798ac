"""A system whose services are of this version or of the one before it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.address import Address
from support.processes import PATIENCE_S
from support.redis import RedisServer
from support.scripted import ScriptedServer
from support.versions import MODULES, NEW, OLD, OLD_PYTHON, System, run


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    assert OLD_PYTHON.exists(), "`make test-upgrade` installs version 0.1 into .compat-venv"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A keys file that the old version made and the new one has changed, and a key in it."""
    file = tmp_path_factory.mktemp("keys") / "keys.yaml"
    new = ["racro.cli", "keys", "new", "one", "--file", file]
    made = [run(version, *new) for version in (OLD, NEW)]
    assert all(not one.returncode for one in made), made
    return file, made[0].stdout.split()[-1]


@pytest.fixture(scope="session")
def models() -> Iterator[Sequence[ScriptedServer]]:
    """One that sees, and one that reasons."""
    with ScriptedServer() as vision, ScriptedServer() as text:
        yield vision, text


@pytest.fixture(scope="module")
def system(models: Sequence[ScriptedServer], keys: tuple[Path, str]) -> Iterator[System]:
    """Nothing of it runs yet. Each module has a cache of its own."""
    engines = [
        {"kind": "url", "url": f"{model.url}/v1", "model": "scripted", "revision": "r1"}
        for model in models
    ]
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        addresses = {kind: stack.enter_context(Address()) for kind in MODULES}
        reasoner = f"{addresses['reasoner'].url}/v1"
        configs = {
            "captioner": {"captioner": {"kind": "vlm", "engine": engines[0]}},
            "reasoner": {"model": "scripted", "engine": engines[1]},
            "gateway": {
                "captioner": {"url": addresses["captioner"].url},
                "reasoners": {"default": {"url": reasoner, "model": "scripted"}},
                # On a busy machine, too, Redis answers in time.
                "cache": {"url": redis.url, "timeout_ms": 1000 * PATIENCE_S},
                "tenants": {"keys_file": str(keys[0]), "secret_env": "SECRET"},
                # As behind a Service of Kubernetes: see docs/kubernetes.md.
                "reuse_connections": False,
            },
        }
        yield stack.enter_context(System(addresses, configs, keys[1]))
