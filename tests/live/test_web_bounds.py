"""What unauthenticated clients can hold of ``clock web``: memory, connections, time."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from redis import Redis

from clock.web.guard import LARGEST, READ_WITHIN
from clock.web.protocol import CONNECTIONS, HEADERS_WITHIN
from tests.browser.web_process import WebProcess
from tests.live.memory import MEGABYTE, peak
from tests.live.server import Server
from tests.live.waiting import wait_for
from tests.web.serving import listening

PASSWORD = "a long password"
HALF_HEADERS = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "

UNFINISHED = {
    "nothing": b"",
    "half": HALF_HEADERS,
    "half of a second request": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + HALF_HEADERS,
}

Connect = Callable[[bytes], socket.socket]


@pytest.fixture
def web(server: Server, tmp_path: Path) -> Iterator[WebProcess]:
    """``clock web`` with actions and a password."""
    started = WebProcess(tmp_path, server.url, "--allow-actions", CLOCK_WEB_PASSWORD=PASSWORD)
    started.address()
    yield started
    started.clean_up()


@pytest.fixture
def connect(web: WebProcess) -> Iterator[Connect]:
    """Connect to it and send some bytes, as far as they are taken; the connection stays."""
    address = urlsplit(web.address())
    with contextlib.ExitStack() as stack:

        def made(data: bytes) -> socket.socket:
            client = stack.enter_context(
                socket.create_connection((address.hostname, address.port or 80), timeout=10)
            )
            _send(client, data)
            return client

        yield made


@pytest.mark.parametrize(
    "asked", ["POST /api/v1/jobs", "POST /run", "POST /login", "POST /nothing", "GET /healthz"]
)
def test_half_sent_bodies_of_unauthenticated_clients_are_not_kept(
    web: WebProcess, connect: Connect, asked: str
) -> None:
    assert _asked(web) == 200
    before = peak(web.process.pid)
    request = _request(asked, LARGEST - 1) + b"x" * (LARGEST - 2)
    clients = [connect(request) for _ in range(300)]
    assert _asked(web) == 200
    _send_more(clients)
    assert _asked(web) == 200
    assert peak(web.process.pid) - before < 50 * MEGABYTE


def test_half_sent_bodies_of_authenticated_clients_are_bounded(
    web: WebProcess, connect: Connect
) -> None:
    assert _asked(web) == 200
    before = peak(web.process.pid)
    known = b"Authorization: Basic bWU6YSBsb25nIHBhc3N3b3Jk\r\n"
    request = _request("POST /api/v1/jobs", LARGEST - 1, known) + b"x" * (LARGEST - 2)
    clients = [connect(request) for _ in range(300)]
    _send_more(clients)
    assert _asked(web) == 200
    assert peak(web.process.pid) - before < 100 * MEGABYTE


def test_an_unauthenticated_request_is_refused_before_its_body_is_read(connect: Connect) -> None:
    client = connect(_request("POST /api/v1/jobs", LARGEST - 1))
    assert _answer(client).startswith(b"HTTP/1.1 401 ")


def test_a_body_that_does_not_arrive_times_out(connect: Connect) -> None:
    client = connect(_request("POST /login", 100) + b"password=")
    begun = time.monotonic()
    assert _answer(client, READ_WITHIN + 15).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - begun > READ_WITHIN / 2


def test_headers_that_do_not_arrive_close_the_connection(connect: Connect) -> None:
    begun = time.monotonic()
    clients = {name: connect(sent) for name, sent in UNFINISHED.items()}
    closed: dict[str, float] = {}

    def are_closed() -> bool:
        for name in clients.keys() - closed.keys():
            # A client that sends a byte now and then gets no more time than others.
            with contextlib.suppress(BlockingIOError, ConnectionError):
                if UNFINISHED[name]:
                    clients[name].send(b"x")
            if _is_closed(clients[name]):
                closed[name] = time.monotonic() - begun
        return closed.keys() == clients.keys()

    wait_for("they are closed", are_closed, within=HEADERS_WITHIN + 15, pause=0.2)
    assert all(seconds > HEADERS_WITHIN / 2 for seconds in closed.values()), closed


def test_requests_are_answered_while_idle_clients_hold_all_connections(
    web: WebProcess, connect: Connect
) -> None:
    clients = [connect(HALF_HEADERS) for _ in range(CONNECTIONS + 50)]
    assert _asked(web) == 200
    # New connections are accepted, and the oldest idle ones are closed.
    wait_for("some were closed", lambda: sum(map(_is_closed, clients)) >= 50, within=5)
    assert not _is_closed(clients[-1])


def test_clients_that_do_not_read_the_stream_are_bounded(
    server: Server, web: WebProcess, connect: Connect
) -> None:
    queues = [f"{number:04} {'x' * 900}" for number in range(500)]
    with Redis.from_url(server.url) as redis:
        redis.sadd("rq:queues", *(f"rq:queue:{queue}" for queue in queues))
        quick = listening(web.address(), "queues", auth=("me", PASSWORD))
        with quick as messages:
            before = peak(web.process.pid)
            known = b"Authorization: Basic bWU6YSBsb25nIHBhc3N3b3Jk\r\n\r\n"
            asked = b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n" + known
            clients = [connect(asked) for _ in range(150)]
            for number in range(1, 4):
                redis.rpush(f"rq:queue:{queues[0]}", f"{number}")
                waiting = messages.next().data["queues"][0]["waiting"]
                assert (waiting, len(clients)) == (number, 150)
            assert peak(web.process.pid) - before < 50 * MEGABYTE


def _request(asked: str, length: int, headers: bytes = b"") -> bytes:
    head = f"{asked} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n".encode()
    return head + b"Content-Type: application/json\r\n" + headers + b"\r\n"


def _send(client: socket.socket, data: bytes) -> None:
    client.settimeout(0.05)
    with contextlib.suppress(TimeoutError, ConnectionError):
        client.sendall(data)
    client.setblocking(False)


def _send_more(clients: list[socket.socket]) -> None:
    """What fits once the server has taken, or thrown away, what there was."""
    for client in clients:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            client.send(b"x" * 65_536)


def _answer(client: socket.socket, within: float = 10) -> bytes:
    client.settimeout(within)
    return client.recv(65_536)


def _is_closed(client: socket.socket) -> bool:
    while True:
        try:
            if not client.recv(65_536):
                return True
        except BlockingIOError:
            return False
        except ConnectionError:
            return True


def _asked(web: WebProcess) -> int:
    """The status of an authenticated request."""
    return httpx.get(f"{web.address()}/", auth=("me", PASSWORD), timeout=10).status_code
