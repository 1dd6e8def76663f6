"""A TCP proxy before a server that loses replies to claims."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

DROPPED = 3
"""The reply to every third claim is lost."""


class Proxy:
    """Passes everything on in both directions; but every third claim is answered, once the server
    has done it, by a closed connection.
    """

    def __init__(self, port: int) -> None:
        """``port`` is the server's, on the loopback interface."""
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self.claims = 0
        self.dropped = 0

    def accept(self) -> None:
        """Serve connections until the proxy is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections, and end the open ones."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for client in self._open:
                _shut(client)

    def _serve(self, client: socket.socket) -> None:
        lose_reply = threading.Event()
        with client, socket.create_connection(self._server) as server:
            back = threading.Thread(
                target=self._pass_replies, args=(server, client, lose_reply), daemon=True
            )
            back.start()
            self._pass_commands(client, server, lose_reply)
            _shut(server)
            back.join()
        with self._lock:
            self._open.discard(client)

    def _pass_commands(
        self, client: socket.socket, server: socket.socket, lose_reply: threading.Event
    ) -> None:
        try:
            with client.makefile("rb") as stream:
                while (command := _command(stream)) is not None:
                    if self._is_unlucky(command):
                        lose_reply.set()
                    server.sendall(_written(command))
        except OSError:
            return

    def _pass_replies(
        self, server: socket.socket, client: socket.socket, lose_reply: threading.Event
    ) -> None:
        try:
            while reply := server.recv(65_536):
                # This reply is the one to lose, or that to the claim sent before it, with which
                # both are lost.
                if lose_reply.is_set():
                    break
                client.sendall(reply)
        except OSError:
            pass
        _shut(client)

    def _is_unlucky(self, command: list[bytes]) -> bool:
        if not _is_claim(command):
            return False
        with self._lock:
            self.claims += 1
            unlucky = self.claims % DROPPED == 0
            self.dropped += unlucky
        return unlucky


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A running proxy before the server on ``port``."""
    proxy = Proxy(port)
    thread = threading.Thread(target=proxy.accept, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()


def _is_claim(command: list[bytes]) -> bool:
    """A script called on the ledger and on RQ's set of queues; enrolment has no business with the
    latter.
    """
    is_call = command[0].upper() in {b"EVAL", b"EVALSHA", b"FCALL"}
    keys = command[3 : 3 + int(command[2])] if is_call else []
    return b"rq:queues" in keys and any(key.endswith(b":decided") for key in keys)


def _command(stream: BinaryIO) -> list[bytes] | None:
    """The next command of a client, which comes as a RESP array of strings; None at the end."""
    head = stream.readline()
    if not head:
        return None
    words = []
    for _ in range(int(head[1:])):
        length = int(stream.readline()[1:])
        words.append(stream.read(length + 2)[:-2])
    return words


def _written(command: list[bytes]) -> bytes:
    words = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in command)
    return b"*%d\r\n%s" % (len(command), words)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
