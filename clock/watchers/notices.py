"""Notices: what changed about the events of an application since the last delivery."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from clock.decision import Decision, Group
from clock.ledger.deliveries import Delivered
from clock.observe.attention import Attention, attention
from clock.observe.objects import MAYBE_INSTANT, MAYBE_TEXT, RUN, TEXT, maybe, of
from clock.observe.state import last_decision
from clock.observe.status import AppStatus, EventStatus
from clock.runs.run import Run, RunOutcome

_Key = tuple[str, str]

DECISIONS = 20
"""Decisions of an event among which missed occurrences are looked for."""


class NoticeType(StrEnum):
    """What happened to an event, the most urgent first."""

    FAILING = "failing"
    """Its last run failed, or its condition raised an error."""

    OVERDUE = "overdue"
    """It should have fired, and did not."""

    REFUSED = "refused"
    """It cannot fire as declared: its record is ahead of the server's time, or two clocks declare
    it differently.
    """

    MISSED = "missed"
    """Occurrences were missed or expired, and will not fire."""

    RECOVERED = "recovered"
    """It was failing, overdue or refused, and is so no longer."""


LASTING = (NoticeType.FAILING, NoticeType.OVERDUE, NoticeType.REFUSED)
"""The types that last until the event recovers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One event, and what happened to it. ``since`` is UTC seconds since 1970, None where it is not
    known; ``line`` is one line of plain text for a person. ``was`` is what it recovered from, and
    ``run`` the last run where a run made it failing or ended that.
    """

    type: NoticeType
    event: str
    since: float | None
    line: str
    was: NoticeType | None = None
    run: Run | None = None


NOTICE = of(
    type={"type": "string", "enum": [*map(str, NoticeType)]}, event=TEXT, since=MAYBE_INSTANT,
    line=TEXT, was=MAYBE_TEXT, run=maybe(RUN),
)  # fmt: skip
"""The schema of a notice as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The ``notices``, the most urgent first; what is ``noted`` and ``removed`` by type and event
    once they are delivered.
    """

    notices: tuple[Notice, ...]
    noted: Mapping[_Key, int]
    removed: tuple[_Key, ...]


def news(
    status: AppStatus,
    delivered: Delivered,
    *,
    is_overdue_known: bool = True,
    errors: Mapping[str, str] | None = None,
) -> News:
    """What of ``status`` was not ``delivered`` to a webhook yet.

    A clock that has only just started does not know what is overdue: others may start too.
    ``errors`` are the last lines of errors, see ``attention``.
    """
    present = _present(status, errors)
    if not is_overdue_known:
        # What was delivered is not known to have ended either.
        overdue = {key for key in (*present, *delivered.items) if key[0] == NoticeType.OVERDUE}
        present = {key: item for key, item in present.items() if key not in overdue}
        delivered = replace(
            delivered, items={key: at for key, at in delivered.items.items() if key not in overdue}
        )
    new = {key: item for key, item in present.items() if key not in delivered.items}
    missed = [
        (event, decision)
        for event in status.events
        if (decision := _newly_missed(event, delivered)) is not None
    ]
    ended = dict(_ended(status, delivered, present))
    noted = dict.fromkeys(new, int(status.now))
    noted |= {(NoticeType.MISSED, event.name): decision.last for event, decision in missed}
    return News(
        notices=(
            *map(_notice, new.values()),
            *(_missed(event, decision) for event, decision in missed),
            *(notice for notice in ended.values() if notice is not None),
        ),
        noted=noted,
        removed=tuple(ended),
    )


def _ended(
    status: AppStatus, delivered: Delivered, present: Collection[_Key]
) -> Iterator[tuple[_Key, Notice | None]]:
    """What was delivered and has ended, with the notice of the recovery; without one where the
    event is disabled or in no schedule any more.
    """
    events = {event.name: event for event in status.events if event.description.enabled}
    for key in delivered.items:
        kind, name = key
        if name not in events:
            yield key, None
        elif kind in LASTING and key not in present:
            notice = _recovery(NoticeType(kind), events[name], status)
            if notice is not None:
                yield key, notice


def _present(status: AppStatus, errors: Mapping[str, str] | None) -> dict[_Key, Attention]:
    present: dict[_Key, Attention] = {}
    for item in attention(status, (), status.now, errors=errors):
        if str(item.kind) in LASTING:
            present.setdefault((str(item.kind), item.name), item)
    return present


def _notice(item: Attention) -> Notice:
    return Notice(
        type=NoticeType(item.kind),
        event=item.name,
        since=item.since,
        line=item.line,
        run=item.run,
    )


def _newly_missed(event: EventStatus, delivered: Delivered) -> Decision | None:
    """The newest decision that the event missed an occurrence, where none was delivered since it
    fired last, and the occurrence is later than the first check.
    """
    if event.record is None or not event.description.enabled:
        return None
    missed = (entry for entry in event.record.history if entry.kind.group is Group.MISSED)
    newest = next(missed, None)
    before = delivered.items.get((NoticeType.MISSED, event.name))
    if newest is None or newest.last <= delivered.began:
        return None
    fired = event.record.fired
    is_new = before is None or (newest.last > before and fired is not None and fired > before)
    return newest if is_new else None


def _missed(event: EventStatus, decision: Decision) -> Notice:
    more = "" if decision.count == 1 else f" ({decision.count} occurrences)"
    line = f"{decision.kind.reason or decision.kind.message}{more}"
    return Notice(type=NoticeType.MISSED, event=event.name, since=decision.last, line=line)


_RECOVERIES = {
    NoticeType.OVERDUE: "it is no longer overdue",
    NoticeType.REFUSED: "it fires as declared again",
}


def _recovery(was: NoticeType, event: EventStatus, status: AppStatus) -> Notice | None:
    """The notice that the event recovered, None where that is not certain: a person paused it or
    stopped its job, or a run is retried.
    """
    if event.pause is not None:
        return None
    if was is not NoticeType.FAILING:
        line = _RECOVERIES[was]
        return Notice(type=NoticeType.RECOVERED, event=event.name, since=None, line=line, was=was)
    runs = status.runs.get(event.name)
    run = None if runs is None else runs.newest
    last = last_decision(event.record)
    if last is not None and last.kind.group is Group.FAILED:
        return None
    if run is not None and run.outcome not in {RunOutcome.SUCCEEDED, RunOutcome.SKIPPED}:
        return None
    line = "its condition was evaluated" if run is None else f"its last run {run.outcome}"
    return Notice(
        type=NoticeType.RECOVERED,
        event=event.name,
        since=None if run is None else run.ended,
        line=line,
        was=was,
        run=run,
    )
