"""The listening socket."""

from __future__ import annotations

import asyncio
import socket

from clock.web.serve import listen


def test_a_response_does_not_wait_for_the_previous_one_to_be_acknowledged() -> None:
    assert asyncio.run(_has_no_delay())


async def _has_no_delay() -> int:
    """TCP_NODELAY of a connection that asyncio accepts, as uvicorn lets it."""
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    server = await asyncio.start_server(accept, sock=listen("127.0.0.1", [0]))
    async with server:
        address = server.sockets[0].getsockname()
        _, writer = await asyncio.open_connection(*address[:2])
        connection = await asyncio.wait_for(accepted, timeout=10)
        writer.close()
    return connection
