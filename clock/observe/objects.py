"""JSON objects for the commands and the API, with their schemas.

Instants are strings in ISO 8601, in UTC; durations are seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clock.observe.formatting import utc, utc_exact
from clock.observe.state import State, last_decision, last_lateness
from clock.schedule.option import Schema

if TYPE_CHECKING:
    from clock.ledger.clocks import Life
    from clock.ledger.pauses import Pause
    from clock.ledger.sources import SourceState
    from clock.observe.conflict import ClockConflict
    from clock.observe.recent_runs import RecentRuns
    from clock.observe.rq.queues import QueueState
    from clock.observe.rq.workers import WorkerState
    from clock.observe.status import AppStatus, EventStatus
    from clock.observe.trends import Trend
    from clock.runs.output import RunOutput
    from clock.runs.run import Run

TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
MAYBE_COUNT: Schema = {"type": ["integer", "null"]}
MAYBE_SECONDS: Schema = {"type": ["number", "null"], "description": "Seconds."}
FLAG: Schema = {"type": "boolean"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
MAYBE_INSTANT: Schema = {"type": ["string", "null"], "format": "date-time"}


def listed(schema: Schema) -> Schema:
    """A list whose items fit ``schema``."""
    return {"type": "array", "items": schema}


def maybe(schema: Schema) -> Schema:
    """What fits ``schema``, or null."""
    return {"oneOf": [schema, {"type": "null"}]}


def of(**properties: Schema) -> Schema:
    """An object with all of ``properties`` and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def filled(schema: Schema, source: object, /, **values: Any) -> dict[str, Any]:
    """The object of ``schema`` about ``source``: a property that is not among ``values`` is the
    attribute of its name, without ``_at``. An instant of a fraction of a second keeps it.
    """
    members: dict[str, Any] = {}
    for name, property_ in schema["properties"].items():
        value = values[name] if name in values else getattr(source, name.removesuffix("_at"))
        if property_.get("format") == "date-time":
            value = utc(value) if isinstance(value, int) else utc_exact(value)
        members[name] = value
    return members


PAUSE = of(until=MAYBE_INSTANT, reason=TEXT, by=TEXT, since=INSTANT)


def pause_object(pause: Pause | None) -> dict[str, Any] | None:
    """A pause, or null."""
    return None if pause is None else filled(PAUSE, pause)


CLOCK = of(
    host=TEXT, pid=COUNT, version=TEXT, file=TEXT, serializer=TEXT, tz=TEXT, events=COUNT,
    started=INSTANT, last_tick=INSTANT,
)  # fmt: skip


def clock_object(life: Life) -> dict[str, Any]:
    """A clock."""
    return filled(CLOCK, life, tz=life.zone)


_SIDE = of(host=TEXT, pid=COUNT, file=TEXT)
CONFLICT = of(clocks=listed(_SIDE), events=listed(TEXT), number=COUNT)


def conflict_object(conflict: ClockConflict) -> dict[str, Any]:
    """A conflict of two clocks."""
    return filled(CONFLICT, conflict, clocks=[filled(_SIDE, life) for life in conflict.clocks])


SOURCE = of(
    source=TEXT, file=TEXT, answered=MAYBE_INSTANT, rows=COUNT, refused=COUNT,
    failing_since=MAYBE_INSTANT, error=TEXT,
)  # fmt: skip


def source_object(source: SourceState) -> dict[str, Any]:
    """A source of rows."""
    return filled(SOURCE, source, source=source.name)


STATUS = of(
    app=TEXT, healthy=FLAG, last_tick=MAYBE_INSTANT, clocks=listed(CLOCK),
    files_without_a_clock=listed(TEXT), overdue=listed(TEXT), unreadable=listed(TEXT),
    ahead=listed(TEXT), conflicts=listed(CONFLICT), events=COUNT, sources=listed(SOURCE),
)  # fmt: skip


def status_object(status: AppStatus) -> dict[str, Any]:
    """Whether clocks are alive and everything fired."""
    return filled(
        STATUS,
        status,
        healthy=status.is_healthy,
        last_tick=status.last_tick(),
        clocks=[clock_object(life) for life in status.alive],
        files_without_a_clock=status.missing,
        overdue=[event.name for event in status.overdue],
        ahead=[event.name for event in status.ahead],
        conflicts=[conflict_object(conflict) for conflict in status.conflicts],
        events=len(status.events),
        sources=[source_object(source) for source in status.sources],
    )


EVENT = of(
    event=TEXT, state={"type": "string", "enum": [*map(str, State)]}, task=TEXT,
    every=TEXT, sentence=TEXT, tz=TEXT, queue=TEXT, file=TEXT, enabled=FLAG, next=MAYBE_INSTANT,
    last_fired=MAYBE_INSTANT, lateness=MAYBE_SECONDS, last_decision=MAYBE_TEXT,
    last_decided=MAYBE_INSTANT, overdue=MAYBE_SECONDS, paused=maybe(PAUSE),
    counters={"type": "object", "additionalProperties": COUNT},
)  # fmt: skip


def event_object(event: EventStatus) -> dict[str, Any]:
    """An event and its status."""
    description, record = event.description, event.record
    last = last_decision(record)
    return filled(
        EVENT,
        description,
        event=event.name,
        state=event.state,
        every=description.rule,
        tz=description.zone.name,
        next=event.next,
        last_fired=None if record is None else record.fired,
        lateness=last_lateness(record),
        last_decision=None if last is None else last.kind.name.lower(),
        last_decided=None if last is None else last.last,
        overdue=_rounded(event.overdue),
        paused=pause_object(event.pause),
        counters={} if record is None else record.counters,
    )


RUN = of(
    event=TEXT, scheduled_at=INSTANT, enqueued_at=INSTANT, started_at=INSTANT, ended_at=INSTANT,
    outcome=TEXT, error=MAYBE_TEXT, attempt=COUNT, duration=MAYBE_SECONDS, wait=MAYBE_SECONDS,
    lateness=MAYBE_SECONDS, worker=TEXT, job=TEXT,
)  # fmt: skip


def run_object(run: Run) -> dict[str, Any]:
    """A run."""
    lengths = {name: _rounded(getattr(run, name)) for name in ("duration", "wait", "lateness")}
    return filled(RUN, run, **lengths)


OUTPUT = of(
    job=TEXT, attempt=COUNT, event=MAYBE_TEXT, outcome=TEXT, ended_at=INSTANT,
    text={**TEXT, "description": "Its last lines, without control characters."},
    written={**COUNT, "description": "Bytes that it wrote in all."}, is_cut=FLAG,
)  # fmt: skip


def output_object(output: RunOutput) -> dict[str, Any]:
    """The output of a run."""
    return filled(OUTPUT, output)


EVENT_AND_RUN = of(**EVENT["properties"], last_run=maybe(RUN))


def event_and_run_object(event: EventStatus, runs: RecentRuns | None) -> dict[str, Any]:
    """An event, with its last run."""
    return {**event_object(event), "last_run": None if runs is None else run_object(runs.newest)}


QUEUE = of(
    queue=TEXT, waiting=COUNT, age=MAYBE_SECONDS, workers=COUNT, started=COUNT, scheduled=COUNT,
    deferred=COUNT, finished=COUNT, failed=COUNT, canceled=COUNT, rate_limited=COUNT,
    ready_to_enqueue=COUNT, is_broken=FLAG, paused=maybe(PAUSE),
)  # fmt: skip


def queue_object(queue: QueueState, now: float) -> dict[str, Any]:
    """A queue."""
    age = _rounded(queue.age(now))
    return filled(
        QUEUE, queue, queue=queue.name, age=age, ready_to_enqueue=queue.ready,
        paused=pause_object(queue.paused),
    )  # fmt: skip


WORKER = of(
    name=TEXT, host=MAYBE_TEXT, pid=MAYBE_COUNT, state=TEXT, queues=listed(TEXT), job=MAYBE_TEXT,
    started=MAYBE_INSTANT, heartbeat=MAYBE_INSTANT, succeeded=COUNT, failed=COUNT,
    version=MAYBE_TEXT, is_ours=FLAG, supports_pauses=FLAG, processes=MAYBE_COUNT,
    memory={**MAYBE_COUNT, "description": "Bytes that its processes use."},
    cpu={**MAYBE_SECONDS, "description": "Processor seconds since its start."},
    load={"type": ["number", "null"], "description": "Processors that it keeps busy now."},
)  # fmt: skip


def worker_object(worker: WorkerState) -> dict[str, Any]:
    """A worker."""
    return filled(WORKER, worker)


BUCKET = of(
    at=INSTANT, enqueued=COUNT, done=COUNT, failed=COUNT,
    waited={"type": "number", "description": "Seconds that those which ended had waited, in all."},
)  # fmt: skip
TREND = of(name=TEXT, step={**COUNT, "description": "Seconds."}, buckets=listed(BUCKET))


def trend_object(trend: Trend) -> dict[str, Any]:
    """What was counted of a queue or event over time."""
    buckets = [filled(BUCKET, bucket, waited=round(bucket.waited, 3)) for bucket in trend.buckets]
    return filled(TREND, trend, buckets=buckets)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
