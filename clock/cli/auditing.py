"""Recording what a command does in the audit log."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from clock.ledger.audit import Change, audited
from clock.ledger.audit_entry import Actor
from clock.log import fields_shown


@contextmanager
def auditing(connection: Redis, app: str, what: str, on: str, now: float) -> Iterator[Change]:
    """Record what the block does to ``on`` at ``now`` (UTC seconds since 1970). A warning on
    stderr says that it could not be recorded.
    """
    actor = Actor(name=user_and_host(), how="shell", source=socket.gethostname())
    with fields_shown(), audited(connection, app, actor, what, on, now) as change:
        yield change


def user_and_host() -> str:
    """Who runs this command, as ``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
