"""Clients that read an answer slowly, or not at all: memory, others, and the end of the process."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from redis import Redis

from clock import load
from clock.runs.output import RunOutput, write_output
from clock.runs.run import RunOutcome
from clock.web.protocol import UNSENT
from clock.web.serve import GRACE
from tests.browser.web_process import WebProcess
from tests.live.memory import MEGABYTE, peak
from tests.live.server import Server
from tests.loop.heartbeat import START, Watched

EVENTS = 1050
CLIENTS = 80
"""Clients of each address; with those of all, there is room for others."""

ADDRESSES = ["/api/v1/stream", "/api/v1/events", "/", "/output?id=long"]

HELD = UNSENT + 72 * MEGABYTE
"""What they may make the process take: what is not sent yet, and what its threads need to make as
many answers at once."""


@pytest.fixture
def web(server: Server, redis: Redis, tmp_path: Path) -> Iterator[WebProcess]:
    """``clock web`` of an application with many events, and a job that printed much."""
    file = tmp_path / "schedule.py"
    file.write_text(
        "from clock import every\n"
        f"for n in range({EVENTS}): every('day', 'work.add', at='03:00', name=f'n{{n}}')"
    )
    now = time.time()
    Watched(redis, load(file), app="clock", now=now - 9).turn(
        now - START - back for back in range(9, 0, -1)
    )
    for attempt in range(1, 6):
        output = RunOutput(
            job="long", attempt=attempt, event=None, outcome=RunOutcome.FAILED, ended=time.time(),
            text="<a line of output>\n" * 10_000, written=190_000,
        )  # fmt: skip
        write_output(redis, "clock", output, 2**24)
    started = WebProcess(tmp_path, server.url)
    started.address()
    yield started
    started.clean_up()


def test_clients_that_do_not_read_take_little_memory_and_hold_up_nobody(web: WebProcess) -> None:
    port = urlsplit(web.address()).port or 0
    with httpx.Client(base_url=web.address(), timeout=30) as other, contextlib.ExitStack() as stack:
        for address in ADDRESSES[1:]:
            assert other.get(address).status_code == 200
        before = peak(web.process.pid)
        clients = [stack.enter_context(_connected(port)) for _ in range(CLIENTS * len(ADDRESSES))]
        for number, client in enumerate(clients):
            address = ADDRESSES[number % len(ADDRESSES)]
            client.sendall(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        for client in clients:
            assert client.recv(1) == b"H"
        for _ in range(20):
            for client in clients:
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    client.recv(1, socket.MSG_DONTWAIT)
            assert other.get("/").status_code == 200
        assert peak(web.process.pid) - before < HELD
        begun = time.monotonic()
        assert web.stop() == 0
        assert time.monotonic() - begun < GRACE + 5


def _connected(port: int) -> socket.socket:
    """A client whose system takes little of what it does not read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    return client
