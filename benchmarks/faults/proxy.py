"""A TCP proxy before the server that loses what passes through it, on request."""

from __future__ import annotations

import select
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable
from enum import StrEnum

LARGEST = 1 << 20


class Loss(StrEnum):
    """What may become of a claim on its way."""

    MID_REQUEST = "cut in mid-request"
    MID_REPLY = "cut in mid-reply"
    REPLY = "reply dropped"
    SILENCE = "reply withheld"
    KILL = "clock killed in mid-claim"


class Proxy:
    """Passes everything on in both directions, except the claims it was asked to lose."""

    def __init__(self, port: int, mark: bytes, kill: Callable[[], None]) -> None:
        """``port`` is the server's, on the loopback interface; ``mark`` is in every claim; ``kill``
        ends the client.
        """
        self._mark = mark
        self._server = ("127.0.0.1", port)
        self._kill = kill
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._armed: deque[Loss] = deque()
        self._drop_every = 0
        self._claims = 0
        self.lost: Counter[Loss] = Counter()
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, loss: Loss) -> None:
        """Lose the next claim in this way."""
        self._armed.append(loss)

    def drop_every(self, number: int) -> None:
        """Drop every so-manieth reply to a claim; 0 for none."""
        self._drop_every = number

    def disarm(self) -> None:
        """Lose nothing from now on."""
        self._armed.clear()
        self._drop_every = 0

    def close(self) -> None:
        """Take no more connections; the open ones end with their clients."""
        # Closing alone would not wake who waits for a connection.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, socket.create_connection(self._server, timeout=10) as server:
                server.settimeout(30)
                client.settimeout(30)
                self._pass_on(client, server)
        except OSError:
            return

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        loss: Loss | None = None
        while True:
            readable, _, _ = select.select([client, server], [], [])
            if client in readable:
                request = client.recv(LARGEST)
                # What is lost stays lost: a later claim on the connection changes nothing.
                if loss is None and self._mark in request:
                    loss = self._next_loss()
                if not request or loss is Loss.MID_REQUEST:
                    server.sendall(request[: len(request) // 2])
                    return
                server.sendall(request)
                if loss is Loss.KILL:
                    self._kill()
            if server in readable:
                reply = server.recv(LARGEST)
                if loss is Loss.SILENCE and reply:
                    continue
                if loss is Loss.MID_REPLY:
                    client.sendall(reply[: len(reply) // 2])
                if not reply or loss in {Loss.REPLY, Loss.MID_REPLY}:
                    return
                client.sendall(reply)

    def _next_loss(self) -> Loss | None:
        self._claims += 1
        loss = None
        if self._armed:
            loss = self._armed.popleft()
        elif self._drop_every and self._claims % self._drop_every == 0:
            loss = Loss.REPLY
        if loss is not None:
            self.lost[loss] += 1
        return loss
