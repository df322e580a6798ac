"""The sockets of a service, taken before anything is started."""

import socket

import pytest
import uvicorn

from racro.base.wrong_settings import WrongSettingsError
from racro.servekit.drain import Drain, DrainingServer
from racro.servekit.listening import listen


def test_a_taken_address_is_refused_before_anything_starts() -> None:
    (first,) = listen("127.0.0.1", 0)
    with first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(WrongSettingsError, match=f"port: {port} on 127.0.0.1 is taken"):
            listen("127.0.0.1", port)


def test_connections_are_refused_until_the_server_listens() -> None:
    (bound,) = listen("127.0.0.1", 0)
    with bound, pytest.raises(ConnectionRefusedError):
        socket.create_connection(bound.getsockname())


def test_every_address_of_a_name_is_taken() -> None:
    sockets = listen("localhost", 0)
    assert "127.0.0.1" in {one.getsockname()[0] for one in sockets}
    for one in sockets:
        one.close()


def test_an_address_that_is_lost_while_the_service_starts_ends_it_in_order() -> None:
    sockets = listen("127.0.0.1", 0)
    told = []

    async def app(scope, receive, send) -> None:
        with socket.socket() as other:
            told.append((await receive())["type"])
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(sockets[0].getsockname())
            other.listen()
            await send({"type": "lifespan.startup.complete"})
            told.append((await receive())["type"])
            await send({"type": "lifespan.shutdown.complete"})

    config = uvicorn.Config(app, log_config=None, lifespan="on", loop="uvloop")
    with pytest.raises(WrongSettingsError, match="set a free one"):
        DrainingServer(config, Drain(timeout_s=1, quiet_s=0)).run(sockets)
    assert told == ["lifespan.startup", "lifespan.shutdown"]
    sockets[0].detach()  # it was closed by the event loop
