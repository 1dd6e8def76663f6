"""The output of runs: the last lines that a task printed and logged.

It is kept by job and attempt: a line of JSON, ``[event, outcome, ended, written]``, and after it
the text. ``output.lua`` bounds how much there is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.client import Pipeline

from clock import keys
from clock.connection.scripts import script
from clock.ledger.unreadable import READ_ERRORS, reply_about, skip, texts
from clock.ledger.values import instant, text, whole
from clock.runs.plain_text import plain_text
from clock.runs.run import RunOutcome

LONGEST = 65_536
"""Bytes kept of a run, its last ones."""

OVERHEAD = 450
"""Bytes of the server's memory that an output takes beside its text and its names."""

_LONGEST_HEAD = 10_000

_WELL = {RunOutcome.SUCCEEDED, RunOutcome.SKIPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutput:
    """What one attempt at ``job`` printed and logged. ``event`` is None for a job that stands for
    no occurrence, ``ended`` is in UTC seconds since 1970, ``written`` the bytes that there were
    in all.
    """

    job: str
    attempt: int
    event: str | None
    outcome: RunOutcome
    ended: float
    text: str
    written: int

    @property
    def is_cut(self) -> bool:
        """Whether there was more before ``text``."""
        return self.written > len(self.text.encode(errors="replace"))

    @property
    def is_bad(self) -> bool:
        """Whether its run did not go well: it failed, was retried, abandoned or stopped."""
        return self.outcome not in _WELL


def write_output(connection: Redis | Pipeline, app: str, output: RunOutput, room: int) -> None:
    """Keep ``output``, and what there is of others as far as all of it takes ``room`` bytes of
    memory: one command, on a connection or as part of a pipeline.
    """
    event = output.event or ""
    head = [output.event, str(output.outcome), round(output.ended, 3), output.written]
    stored = f"{json.dumps(head, separators=(',', ':'))}\n{output.text}"
    connection.eval(
        script("clock.runs", "output.lua"),
        4,
        keys.output(app, output.job),
        keys.outputs(app),
        keys.output_sizes(app),
        keys.bad_output(app, event) if output.is_bad else keys.last_output(app, event),
        f"{output.attempt}:{output.job}",
        stored.encode(errors="replace"),
        repr(output.ended),
        str(keys.OUTPUT_TTL),
        str(keys.BAD_OUTPUTS if output.is_bad else keys.OUTPUTS_KEPT),
        str(room),
        str(OVERHEAD),
        keys.output(app, ""),
    )


def read_outputs(connection: Redis, app: str, job: str) -> list[RunOutput]:
    """The outputs that are kept of ``job``, the first attempt first.

    Raises ServerError.
    """
    key = keys.output(app, job)
    stored: Mapping[Any, Any] = reply_about(key, connection.hgetall) or {}
    outputs = []
    for attempt, value in stored.items():
        try:
            outputs.append(_parse(job, attempt, value))
        except READ_ERRORS as error:
            skip(key, error, attempt)
    return sorted(outputs, key=lambda output: output.attempt)


def read_jobs_with_output(connection: Redis, app: str, event: str) -> set[str]:
    """The ids of the jobs of ``event`` of which output is kept, or was kept until it took too much
    memory. Raises ServerError.
    """
    members = []
    for key in (keys.last_output(app, event), keys.bad_output(app, event)):
        most = max(keys.OUTPUTS_KEPT, keys.BAD_OUTPUTS)
        members += texts(key, reply_about(key, connection.lrange, 0, most - 1))
    return {member.partition(":")[2] for member in members}


def _parse(job: str, attempt: bytes | str, stored: bytes | str) -> RunOutput:
    raw = stored.encode() if isinstance(stored, str) else stored
    head, _, body = raw.partition(b"\n")
    event, outcome, ended, written = json.loads(text(head, _LONGEST_HEAD))
    return RunOutput(
        job=job,
        attempt=whole(attempt, 1),
        event=None if event is None else text(event),
        outcome=RunOutcome(outcome),
        ended=instant(ended),
        text=plain_text(body[:LONGEST].decode(errors="replace")),
        written=whole(written, 0),
    )
