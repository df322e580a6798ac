"""The keys file is read again beside the requests, not between them."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from gateway.settings import GatewaySettings
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from gateway.tenancy.tenants import Tenants
from racro.contracts.errors import Unauthenticated


async def writing_end(pipe: Path) -> int:
    """Return the writing end of a pipe as soon as somebody reads it."""
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            await asyncio.sleep(0.01)


async def test_requests_go_on_while_the_file_is_read_again(tmp_path) -> None:
    path, pipe = tmp_path / "keys.yaml", tmp_path / "pipe"
    file, key = KeysFile().with_new_key("first", TenantRecord())
    file.write(path)
    tenants = Tenants(GatewaySettings(tenants={"keys_file": path}))
    watching = asyncio.create_task(tenants.watch())
    file, further = file.with_new_key("second", TenantRecord())
    file.write(path)
    text = path.read_bytes()
    # Reading it ends when we say so.
    os.mkfifo(pipe)
    pipe.replace(path)
    end = await writing_end(path)
    assert tenants.identify([(b"x-api-key", key.encode())]).name == "first"
    os.write(end, text)
    os.close(end)
    while True:
        with suppress(Unauthenticated):
            assert tenants.identify([(b"x-api-key", further.encode())]).name == "second"
            break
        await asyncio.sleep(0.01)
    watching.cancel()
