"""Whose an execution is, and whether its end may still be written."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from redis import Redis

from clock import keys
from clock.connection import rq_keys
from clock.connection.scripts import script


class OvertakenError(Exception):
    """The execution was taken from this child, which seemed dead; its end is not written."""


class OwnedExecution(NamedTuple):
    """An execution of a job by a child of ours. ``owner`` is the child, as ``NAME.TOKEN``, and
    ``text`` what a person finds under its heartbeat; ``began`` is an aware datetime.
    """

    job: str
    execution: str
    queue: str
    began: datetime
    owner: str
    text: str

    @property
    def entry(self) -> str:
        """What RQ's registries call it."""
        return f"{self.job}:{self.execution}"

    def may_end(self, connection: Redis) -> bool:
        """Whether the execution is still its owner's; then it stays so for ``keys.HEARTBEAT_TTL``
        seconds, time enough to write its end. Raises what the client raises.
        """
        return bool(
            connection.register_script(script("clock.worker", "may_end.lua"))(
                keys=[
                    rq_keys.execution(self.entry),
                    rq_keys.registry("wip", self.queue),
                    keys.heartbeat(self.owner),
                ],
                args=[self.owner, self.entry, self.text, keys.HEARTBEAT_TTL],
            )
        )
