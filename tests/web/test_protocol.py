"""Connections that make no progress, with short limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from clock.web import protocol
from clock.web.protocol import BoundedProtocol
from clock.web.serve import listen

MEGABYTE = b"x" * 2**20
ASKED = b"GET / HTTP/1.1\r\nHost: web.test\r\n\r\n"

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter, ServerState], Awaitable[None]]


async def _large(_scope: Scope, _receive: Receive, send: Send) -> None:
    """A response larger than what the system buffers."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number in range(32):
        await send({"type": "http.response.body", "body": MEGABYTE, "more_body": number < 31})


async def _never(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


def _talk(app: Any, talk: Talk) -> None:
    """Serve ``app`` for one connection."""

    async def run() -> None:
        config, state = uvicorn.Config(app, lifespan="off", log_config=None), ServerState()
        config.load()
        loop = asyncio.get_running_loop()
        with closing(listen("127.0.0.1", [0])) as listener:
            address = listener.getsockname()
            server = await loop.create_server(
                lambda: BoundedProtocol(config, state, {}), sock=listener
            )
            async with server:
                reader, writer = await asyncio.open_connection(*address, limit=2**16)
                await asyncio.wait_for(talk(reader, writer, state), timeout=20)
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
                for task in state.tasks:
                    task.cancel()

    asyncio.run(run())


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADERS_WITHIN", 0.5)
    monkeypatch.setattr(protocol, "ANSWERED_WITHIN", 0.5)


def test_a_client_that_does_not_read_the_response_is_closed() -> None:
    received = 0

    async def talk(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: ServerState
    ) -> None:
        nonlocal received
        writer.write(ASKED)
        received += len(await reader.readexactly(1))
        while state.connections:
            await asyncio.sleep(0.02)
        with suppress(ConnectionError):
            while part := await reader.read(2**20):
                received += len(part)

    _talk(_large, talk)
    assert 0 < received < 32 * len(MEGABYTE)


def test_a_request_that_gets_no_response_is_closed() -> None:
    async def talk(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _state: ServerState
    ) -> None:
        writer.write(ASKED)
        with suppress(ConnectionError):
            assert await reader.read() == b""

    _talk(_never, talk)


def test_a_response_that_goes_on_may_take_longer() -> None:
    async def beats(scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(8):
            await asyncio.sleep(0.1)
            await send({"type": "http.response.body", "body": b":", "more_body": number < 7})
            scope[protocol.PROGRESS]()

    async def talk(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _state: ServerState
    ) -> None:
        writer.write(ASKED)
        assert (await reader.readuntil(b"0\r\n\r\n")).count(b":\r\n") == 8

    _talk(beats, talk)


def test_a_client_that_does_not_read_what_goes_on_is_closed() -> None:
    size, is_over = 0, False

    async def endless(scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal size, is_over
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not is_over:
            await send({"type": "http.response.body", "body": MEGABYTE[:1000], "more_body": True})
            size += 1000
            scope[protocol.PROGRESS]()
            await asyncio.sleep(0)

    async def talk(
        _reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: ServerState
    ) -> None:
        nonlocal is_over
        writer.write(ASKED)
        while not state.connections:
            await asyncio.sleep(0.01)
        while state.connections:
            await asyncio.sleep(0.02)
        is_over = True

    _talk(endless, talk)
    assert 0 < size < 16 * len(MEGABYTE)


def test_more_that_is_not_received_than_there_may_be_closes_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "ANSWERED_WITHIN", 60)
    monkeypatch.setattr(protocol, "UNSENT", 60 * len(MEGABYTE))

    async def at_once(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": 32 * MEGABYTE})

    async def talk(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: ServerState
    ) -> None:
        writer.write(ASKED)
        await reader.readexactly(1)
        others = []
        for _ in range(2):
            other = await asyncio.open_connection(*writer.get_extra_info("peername"), limit=2**16)
            other[1].write(ASKED)
            await other[0].readexactly(1)
            others.append(other)
        while len(state.connections) > 2:
            await asyncio.sleep(0.01)
        with pytest.raises(asyncio.IncompleteReadError):
            await reader.readexactly(32 * len(MEGABYTE))
        await others[-1][0].readexactly(32 * len(MEGABYTE))
        for _, one in others:
            one.transport.abort()

    _talk(at_once, talk)
