"""Jobs that failed, as a worker leaves them."""

from __future__ import annotations

import zlib
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from rq import Queue

NOW = 1_800_000_000.0


def fail(
    redis: Redis,
    name: str,
    queue: str = "high",
    *,
    error: str | None = "ValueError: no",
    task: str = "work.x",
    ago: float = 60,
    event: str | None = None,
) -> None:
    """A failed job that ended ``ago`` seconds before ``NOW``."""
    meta = {} if event is None else {"clock": {"event": event, "scheduled_at": "x"}}
    job = Queue(queue, connection=redis).enqueue(task, job_id=name, meta=meta)
    redis.lrem(f"rq:queue:{queue}", 1, name)
    ended = datetime.fromtimestamp(NOW - ago, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    redis.hset(job.key, mapping={"status": "failed", "ended_at": ended})
    redis.zadd(f"rq:failed:{queue}", {name: int(NOW - ago) + 86_400})
    if error is not None:
        text = (
            f'Traceback (most recent call last):\n  File "w.py", line 3, in x\n    y()\n{error}\n'
        )
        fields: dict[Any, Any] = {"exc_string": b64encode(zlib.compress(text.encode())), "type": 2}
        redis.xadd(f"rq:results:{name}", fields)
