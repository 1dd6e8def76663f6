"""What the last step of a child has taken, as the server knows it: before the child can say so."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from redis import Redis

from clock import keys
from clock.worker.execution_owner import OwnedExecution
from clock.worker.step import TakeResult


def last_taken(connection: Redis, owner: str) -> OwnedExecution | None:
    """The execution that the last step of the child ``owner``, as ``NAME.TOKEN``, has begun; None
    where it took no job. Raises what the client raises.
    """
    raw: Any = connection.get(keys.step(owner))
    last = json.loads(raw.decode("utf-8", "surrogateescape")) if raw else {}
    if last.get("found") != TakeResult.JOB:
        return None
    return OwnedExecution(
        job=last["job"],
        execution=last["step"],
        queue=last["queue"],
        began=datetime.now(UTC),
        owner=owner,
        text="",
    )
