"""What needs a person's attention, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from clock.decision import Decision, Group
from clock.ledger.pauses import Pause
from clock.observe.conflict import ClockConflict
from clock.observe.formatting import local
from clock.observe.last_errors import shortened
from clock.observe.state import State, last_decision
from clock.observe.status import AppStatus, EventStatus
from clock.runs.run import Run

LONG_PAUSE = 86_400
"""Seconds after which a pause needs attention: somebody may have forgotten it."""


class AttentionKind(StrEnum):
    """Why something needs attention, the most urgent first."""

    FAILING = "failing"
    """The last run of an event failed, or its condition raised an error."""

    OVERDUE = "overdue"
    """An event should have fired, and did not, whether or not a clock of it is alive."""

    REFUSED = "refused"
    """An event cannot fire as declared: its record is ahead of the server's time, two clocks
    declare it differently, or it is a row of a source with a mistake.
    """

    MISSED = "missed"
    """The last decided occurrence of an event was missed or expired."""

    WITHOUT_WORKER = "without a worker"
    """No worker listens on a queue."""

    PAUSED = "paused"
    """An event has been paused for more than a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One thing that needs attention. ``name`` is the event's, or that of a queue without a worker.

    ``since`` is in UTC seconds since 1970, None where it is not known:

    - failing: the first of the latest occurrences that failed one after another, as far as the
      status has their runs
    - overdue: when the occurrence could have been decided; without a clock, its scheduled time
    - refused: when the later clock of a conflict started, or the mistake in a row was found; None
      for a record ahead of time
    - missed: the last occurrence that was missed
    - paused: when the pause began

    ``line`` is one line of plain text for a person, at most some 200 characters. ``run`` is the
    last run of an event, where that made it failing.
    """

    kind: AttentionKind
    name: str
    since: float | None
    line: str
    run: Run | None = None


def attention(
    status: AppStatus,
    without_worker: Iterable[str],
    now: float,
    *,
    errors: Mapping[str, str] | None = None,
) -> tuple[Attention, ...]:
    """What needs attention at ``now`` (UTC seconds since 1970), by kind, the latest first.

    An event may need it for several reasons; one that is disabled needs none, and one that is
    paused only as such, or where two clocks are in conflict. ``without_worker`` are the queues
    without a worker, ``errors`` the last line of the error of failing events, where it is known
    (see ``clock.observe.last_errors``).
    """
    items = [
        *(item for event in status.events for item in _of_event(event, status, errors or {}, now)),
        *(item for conflict in status.conflicts for item in _of_conflict(conflict)),
        *(_without_worker(queue, status) for queue in without_worker),
    ]
    return tuple(sorted(items, key=_urgency))


_ORDER = list(AttentionKind)


def _urgency(item: Attention) -> tuple[int, float, str]:
    since = float("-inf") if item.since is None else item.since
    return _ORDER.index(item.kind), -since, item.name


def _of_event(
    event: EventStatus, status: AppStatus, errors: Mapping[str, str], now: float
) -> Iterator[Attention]:
    if event.description.refused:
        line = f"a row of {event.description.source}: {event.description.refused}"
        yield _item(AttentionKind.REFUSED, event, event.description.since, line)
    if not event.description.enabled:
        return
    if event.pause is not None:
        if now - event.pause.since > LONG_PAUSE:
            yield _paused(event, event.pause)
        return
    if event.is_ahead:
        yield _ahead(event)
        return
    last = last_decision(event.record)
    if event.is_failing and event.name in status.runs:
        yield _failing(event, status, errors)
    elif last is not None and last.kind.group is Group.FAILED:
        yield _item(AttentionKind.FAILING, event, last.last, _reason(last))
    if event.overdue is not None or event.state is State.NO_CLOCK:
        yield _overdue(event, now)
    if last is not None and last.kind.group is Group.MISSED:
        more = "" if last.count == 1 else f" ({last.count} occurrences)"
        yield _item(AttentionKind.MISSED, event, last.last, f"{_reason(last)}{more}")


def _reason(decision: Decision) -> str:
    return decision.kind.reason or decision.kind.message


def _failing(event: EventStatus, status: AppStatus, errors: Mapping[str, str]) -> Attention:
    runs = status.runs[event.name]
    run = runs.newest
    line = errors.get(event.name) or run.error or str(run.outcome)
    return _item(AttentionKind.FAILING, event, runs.failing_since, line, run)


def _overdue(event: EventStatus, now: float) -> Attention:
    pending = event.pending or 0
    line = f"should have fired at {local(pending, event.description.zone)}"
    if event.overdue is not None:
        return _item(AttentionKind.OVERDUE, event, now - event.overdue, line)
    line = f"{line}; no clock of {event.description.file} is alive"
    return _item(AttentionKind.OVERDUE, event, pending, line)


def _ahead(event: EventStatus) -> Attention:
    decided = 0 if event.record is None else event.record.decided
    line = (
        f"fires nothing before {local(decided, event.description.zone)}: its record is ahead of "
        "the server's time; clock rewind sets it back"
    )
    return _item(AttentionKind.REFUSED, event, None, line)


def _paused(event: EventStatus, pause: Pause) -> Attention:
    end = "" if pause.until is None else f" until {local(pause.until, event.description.zone)}"
    reason = f": {pause.reason}" if pause.reason else ""
    return _item(AttentionKind.PAUSED, event, pause.since, f"paused by {pause.by}{end}{reason}")


def _of_conflict(conflict: ClockConflict) -> Iterator[Attention]:
    clocks = " and ".join(f"{life.host}:{life.pid} of {life.file}" for life in conflict.clocks)
    others = conflict.number - 1
    more = f", and {others} other event{'' if others == 1 else 's'}" if others else ""
    since = max(life.started for life in conflict.clocks)
    for event in conflict.events:
        line = f"two clocks declare it{more} differently: {clocks}"
        yield Attention(kind=AttentionKind.REFUSED, name=event, since=since, line=shortened(line))


def _without_worker(queue: str, status: AppStatus) -> Attention:
    events = sum(
        1
        for event in status.events
        if event.description.enabled and event.description.queue == queue
    )
    line = f"no worker listens on this queue of {events} event{'' if events == 1 else 's'}"
    return Attention(kind=AttentionKind.WITHOUT_WORKER, name=queue, since=None, line=line)


def _item(
    kind: AttentionKind,
    event: EventStatus,
    since: float | None,
    line: str,
    run: Run | None = None,
) -> Attention:
    return Attention(kind=kind, name=event.name, since=since, line=shortened(line), run=run)
