"""What Python does at its start in each process of RQ's tests: ``rq.Worker`` and ``SimpleWorker``
are ours from then on, and what connects to port 6379, as the tests do, reaches the server at
``RQ_SUITE_PORT``.

A module of this name, because the tests start ``rqworker`` and other programs too.
"""

from __future__ import annotations

import os
import socket
from typing import Any

import rq
import rq.worker
from redis import Connection

from clock.worker import Worker

PORT = int(os.environ["RQ_SUITE_PORT"])

_connect: Any = Connection._connect


def _connect_to_ours(connection: Any) -> socket.socket:
    if connection.port == 6379:
        connection.port = PORT
    reached: socket.socket = _connect(connection)
    return reached


Connection._connect = _connect_to_ours  # type: ignore[method-assign]
# Before RQ's command and its pool are imported, which take them from here.
rq.Worker = rq.worker.Worker = Worker  # type: ignore[misc]
rq.SimpleWorker = rq.worker.SimpleWorker = Worker  # type: ignore[misc, assignment]
