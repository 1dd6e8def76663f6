"""Connecting a command to its server."""

from __future__ import annotations

import os
import time

from redis import Redis

from clock.connection.server import find_server
from clock.ledger.time_source import server_now


def connect(url: str | None, settings: str | None) -> tuple[Redis, float]:
    """A connection to the server of ``--url`` or ``--config``, and its time in UTC seconds.

    Raises SettingsError for an invalid address, ServerError where the server does not answer.
    """
    connection = find_server(url, settings, os.environ).connect()
    return connection, server_now(connection, time.time())
