"""The floor under a burst: what it costs to write the same jobs with nothing decided or recorded.

A script is called with 500 new ids at a time, and with all other fields of RQ's job hash, which are
the same for every job: one HSET per job, one SADD and one RPUSH per call.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from redis import Redis

from benchmarks.ratio import seconds

AT_ONCE = 500

SCRIPT = """
local fields = { unpack(ARGV, 2, 1 + ARGV[1]) }
local ids = { unpack(ARGV, 2 + ARGV[1]) }
for _, id in ipairs(ids) do redis.call('HSET', 'rq:job:' .. id, unpack(fields)) end
redis.call('SADD', KEYS[1], KEYS[2])
redis.call('RPUSH', KEYS[2], unpack(ids))
"""


class Floor:
    """Writes jobs that all have the hash ``fields``, into ``queue``."""

    def __init__(self, connection: Redis, queue: str, fields: Mapping[bytes, bytes]) -> None:
        self._script = connection.register_script(SCRIPT)
        self._keys = ["rq:queues", queue]
        self._fields: list[bytes | int] = [2 * len(fields)]
        for field in fields.items():
            self._fields += field
        self._numbers = count()

    def write(self, jobs: int) -> float:
        """Write that many jobs; the seconds it took, without what it takes to think of ids."""
        # As long as the clock's own ids are.
        new = [f"event-{next(self._numbers):08}-0123456789-20270115T080000Z" for _ in range(jobs)]
        batches = [new[start : start + AT_ONCE] for start in range(0, jobs, AT_ONCE)]

        def write() -> None:
            for ids in batches:
                self._script(keys=self._keys, args=[*self._fields, *ids])

        return seconds(write)
