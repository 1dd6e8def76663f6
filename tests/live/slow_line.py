"""A line before a server that is long, thin, or both."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue


class _Direction:
    """One of the two directions, which all connections share."""

    def __init__(self, delay: float, rate: float) -> None:
        self._delay = delay
        self._rate = rate
        self._lock = threading.Lock()
        self._free_at = 0.0

    def arrives_at(self, size: int) -> float:
        """When ``size`` bytes that are sent now have arrived, by the monotonic clock."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._rate
            return self._free_at + self._delay


class SlowLine:
    """Passes everything on, as late as a line would: ``round_trip`` is in seconds, ``rate`` in
    bytes a second. To connect takes a round trip.
    """

    def __init__(self, port: int, round_trip: float, rate: float) -> None:
        """``port`` is the server's, on the loopback interface."""
        self._server = ("127.0.0.1", port)
        self._round_trip = round_trip
        self._there = _Direction(round_trip / 2, rate)
        self._back = _Direction(round_trip / 2, rate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def accept(self) -> None:
        """Serve connections until the line is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections; the open ones end with those who have them."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        time.sleep(self._round_trip)
        server = socket.create_connection(self._server)
        with client, server:
            back = threading.Thread(target=_pass, args=(server, client, self._back), daemon=True)
            back.start()
            _pass(client, server, self._there)
            back.join()


@contextmanager
def slow_line_to(
    port: int, *, round_trip: float = 0.0, rate: float = float("inf")
) -> Iterator[SlowLine]:
    """A line before the server on ``port``, while the block runs."""
    line = SlowLine(port, round_trip, rate)
    thread = threading.Thread(target=line.accept, daemon=True)
    thread.start()
    try:
        yield line
    finally:
        line.close()
        thread.join()


def _pass(source: socket.socket, target: socket.socket, direction: _Direction) -> None:
    """Pass on what comes from ``source``, until it ends."""
    under_way: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
    end = threading.Thread(target=_deliver, args=(under_way, target), daemon=True)
    end.start()
    with suppress(OSError):
        while data := source.recv(16_384):
            under_way.put((direction.arrives_at(len(data)), data))
    under_way.put((0.0, b""))
    end.join()


def _deliver(under_way: SimpleQueue[tuple[float, bytes]], target: socket.socket) -> None:
    with suppress(OSError):
        while True:
            at, data = under_way.get()
            if not data:
                target.shutdown(socket.SHUT_WR)
                return
            time.sleep(max(at - time.monotonic(), 0))
            target.sendall(data)
