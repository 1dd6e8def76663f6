"""Asking one source: when, for how long, and what becomes of its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from redis import Redis

from clock import log
from clock.ledger.row_lines import RowLines, encode_job
from clock.ledger.rows import NewRow, Rows
from clock.ledger.sources import (
    RefusedRow,
    SourceState,
    read_refused,
    read_sources,
    write_refused,
    write_source,
)
from clock.ledger.stored import StoredRows
from clock.loop.side_threads import Answer as Returned
from clock.loop.side_threads import SideThreads
from clock.schedule.event import JobOptions
from clock.schedule.option import Part
from clock.schedule.options import part_of
from clock.schedule.schedule import Schedule
from clock.schedule.source import Source
from clock.sources.answer import Answer, Mistake, RowReader
from clock.sources.mirror import Mirror

TIMEOUT = 30.0
"""Seconds in which a source has to answer."""

CLAIM_EVERY = 1.0
"""Seconds between two times a clock says that it is the one that asks a source."""

NAMED = 20
"""Refused rows that are logged in lines of their own; of more, it logs how many."""

REPEAT = 3600
"""Seconds after which it is logged again that a source is failing."""

FORGET_EVERY = 3600
"""Seconds between two looks for rows that were removed long ago."""

MOST_REFUSED = 1000
"""Refused rows of a source that are kept."""


class Moment(NamedTuple):
    """``now`` is UTC seconds since 1970, ``decided_by`` the same for the ledger, None where the
    server's time decides; ``monotonic`` is in seconds.
    """

    now: float
    monotonic: float
    decided_by: float | None = None


@dataclass(slots=True, eq=False)
class Asking:
    """One source of a schedule, asked as long as this clock is the one that does."""

    source: Source
    schedule: Schedule
    connection: Redis
    app: str
    token: str
    started: float
    rows: Rows
    stored: StoredRows
    mirror: Mirror
    lines: RowLines
    threads: SideThreads
    timeout: float = TIMEOUT
    _reader: RowReader = field(init=False)
    _state: SourceState = field(init=False)
    _is_asker: bool = field(default=False, init=False)
    _claimed_at: float | None = field(default=None, init=False)
    _asked_at: float | None = field(default=None, init=False)
    _compared_with: int = field(default=0, init=False)
    _begun_at: float | None = field(default=None, init=False)
    _logged_at: float | None = field(default=None, init=False)
    _forgot_at: float | None = field(default=None, init=False)
    _was_empty: bool = field(default=False, init=False)
    _refused: dict[str, Mistake] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._reader = RowReader(self.source, self.schedule, self.lines)
        declared = self.source.declaration
        self._state = SourceState(
            name=declared.name,
            file=self.schedule.path,
            path=declared.path,
            line=declared.line,
            every=declared.every,
            is_stored=declared.function is None,
            tasks=declared.tasks,
            queues=declared.queues,
            zone=self.source.zone.name,
            defaults=encode_defaults(self.source.defaults),
            asker=self.token,
        )

    def step(self, moment: Moment) -> None:
        """Ask if that is due, and handle an answer. Raises ServerError."""
        if not self._may_ask(moment.monotonic):
            return
        if self._is_due(moment.monotonic):
            self._ask(moment)
        elif self._begun_at is not None and moment.monotonic - self._begun_at > self.timeout:
            self._begun_at = None
            self._failed(f"it has not answered in {self.timeout:g} s", moment)

    def handle(self, returned: Returned, moment: Moment) -> None:
        """Handle what the source returned, or that it failed. Raises ServerError."""
        was_late, self._begun_at = self._begun_at is None, None
        if not self._is_asker or was_late:
            return
        if returned.error is not None or not isinstance(returned.value, Answer):
            self._failed(f"it raised {returned.error}", moment)
        elif self._is_believed(returned.value):
            self._take(returned.value, moment)

    def let_go(self) -> None:
        """Let another clock ask at once. Raises ServerError."""
        if self._is_asker:
            self._is_asker = False
            self.rows.let_go(self.source.name, self.token)

    @property
    def is_waiting(self) -> bool:
        """Whether the source was asked and has not answered."""
        return self._begun_at is not None

    def ask_now(self) -> None:
        """Ask with the next step, whenever it was asked last."""
        self._asked_at = None

    def _may_ask(self, monotonic: float) -> bool:
        if self._claimed_at is None or monotonic - self._claimed_at >= CLAIM_EVERY:
            was_asker = self._is_asker
            self._is_asker = self.rows.may_ask(self.source.name, self.token, self.started)
            self._claimed_at = monotonic
            if self._is_asker and not was_asker:
                self._take_over()
        return self._is_asker

    def _take_over(self) -> None:
        """Go on where the clock that asked before left off."""
        before = read_sources(self.connection, self.app).get(self.source.name)
        if before is not None:
            self._state = replace(
                self._state,
                answered=before.answered,
                rows=before.rows,
                refused=before.refused,
                failing_since=before.failing_since,
                error=before.error,
            )
        write_source(self.connection, self.app, self._state)
        self._asked_at = self._refused = None

    def _is_due(self, monotonic: float) -> bool:
        if self._begun_at is not None or self.threads.is_running(self.source.name):
            return False
        every = self.source.declaration.every
        return self._asked_at is None or monotonic - self._asked_at >= every

    def _ask(self, moment: Moment) -> None:
        self._asked_at = self._begun_at = moment.monotonic
        known, yields = dict(self.mirror.known), self._yields()
        self._compared_with = self.mirror.version
        function = self.source.declaration.function or self._stored
        reader, now = self._reader, moment.now

        def ask() -> Answer:
            rows = function()
            if not hasattr(rows, "__iter__") or isinstance(rows, (str, bytes, Mapping)):
                raise TypeError(f"it returned {type(rows).__name__!r}, not rows")
            return reader.compare(rows, known, yields, now)

        self.threads.start(self.source.name, ask, f"source {self.source.name}")

    @property
    def is_stored(self) -> bool:
        """Whether people edit its rows."""
        return self.source.declaration.function is None

    def _stored(self) -> list[Mapping[str, Any]]:
        rows = self.stored.read().values()
        return [row.row for row in rows if row.source == self.source.name]

    def _yields(self) -> dict[str, bool]:
        """Of each source that only another clock declares, whether its rows give way to ours: they
        do, unless a clock that started later asks it.
        """
        others = {row.source for row in self.mirror.known.values()} - set(self.schedule.sources)
        askers = {name: self.rows.asker(name) for name in others}
        ours = (self.started, self.token)
        return {name: asker is None or asker < ours for name, asker in askers.items()}

    def _is_believed(self, answer: Answer) -> bool:
        if answer.count or not answer.gone or self.is_stored:
            self._was_empty = False
            return True
        if self._was_empty:
            return True
        self._was_empty = True
        reason = "it gave none of its rows, which stay in force until it does so again"
        log.warning(
            "source is empty", source=self.source.name, rows=len(answer.gone), reason=reason
        )
        return False

    def _take(self, answer: Answer, moment: Moment) -> None:
        self._end_past(answer, moment)
        if not self._write(answer, moment):
            self.ask_now()
            return
        self._log_changes(answer)
        self._note_refused(answer.refused, moment.now)
        if self._state.failing_since is not None:
            log.info("source back", source=self.source.name)
            self._logged_at = None
        self._state = replace(
            self._state,
            answered=moment.now,
            rows=answer.count,
            refused=len(answer.refused),
            failing_since=None,
            error="",
        )
        write_source(self.connection, self.app, self._state)
        self.rows.keep()
        if self._forgot_at is None or moment.monotonic - self._forgot_at >= FORGET_EVERY:
            self._forgot_at = moment.monotonic
            self.rows.forget(moment.now, self.source.declaration.every)

    def _end_past(self, answer: Answer, moment: Moment) -> None:
        """Remove single occurrences that are decided."""
        if answer.past:
            for name, (_, decided) in self.rows.read(list(answer.past)).items():
                if decided is not None and decided >= answer.past[name]:
                    answer.gone[name] = True
                    if self.is_stored:
                        self.stored.remove(name, self.source.name, moment.now)

    def _write(self, answer: Answer, moment: Moment) -> bool:
        """Whether the changes were written; not where others changed the same rows meanwhile."""
        names = {row.event.name for row in answer.new} | set(answer.gone)
        if self.mirror.has_changed(names, self._compared_with):
            return False
        lost = [row for row in answer.new if self._is_lost(row.event.name)]
        others = [row for row in answer.new if not self._is_lost(row.event.name)]
        # What the server lost goes on from when it had it: the loop knows what it claimed since.
        return self._write_some(lost, {}, moment, self.mirror.lost_since) and self._write_some(
            others, answer.gone, moment
        )

    def _is_lost(self, name: str) -> bool:
        known = self.mirror.known.get(name)
        return known is not None and known.digest is None

    def _write_some(
        self,
        new: Sequence[NewRow],
        gone: Mapping[str, bool],
        moment: Moment,
        stands_at: float | None = None,
    ) -> bool:
        names = {row.event.name for row in new} | set(gone)
        is_written = not names
        while not is_written:
            versions = list(
                self.rows.write(
                    self.mirror.version,
                    new,
                    gone,
                    goes_on=self.source.declaration.every,
                    now=moment.decided_by,
                    stands_at=stands_at,
                )
            )
            is_written = None not in versions
            changed = self.mirror.follow(0.0, moment.now)
            if not is_written and (len(versions) > 1 or changed & names or not changed):
                return False
        return True

    def _log_changes(self, answer: Answer) -> None:
        if answer.new or answer.gone:
            log.info(
                "rows changed",
                source=self.source.name,
                new=len(answer.new) - answer.changed,
                changed=answer.changed,
                removed=len(answer.gone),
                rows=answer.count,
            )

    def _note_refused(self, refused: Mapping[str, Mistake], now: float) -> None:
        if refused == self._refused:
            return
        known = self._refused or {}
        fresh = {name: why for name, why in refused.items() if known.get(name) != why}
        for name, why in list(fresh.items())[:NAMED]:
            log.warning("row refused", source=self.source.name, row=name, reason=why.reason)
        if len(fresh) > NAMED:
            log.warning("row refused", source=self.source.name, more=len(fresh) - NAMED)
        before = read_refused(self.connection, self.app)
        declared = self.source.declaration
        kept = {}
        for name, why in list(refused.items())[:MOST_REFUSED]:
            row = RefusedRow(
                source=self.source.name,
                field=why.field,
                reason=why.reason,
                task=why.task,
                file=self.schedule.path,
                path=declared.path,
                line=declared.line,
                since=int(now),
            )
            old = before.get(name)
            is_same = old is not None and replace(old, since=row.since) == row
            kept[name] = old if is_same and old is not None else row
        write_refused(self.connection, self.app, self.source.name, kept)
        self._refused = dict(refused)

    def _failed(self, reason: str, moment: Moment) -> None:
        since = self._state.failing_since
        since = moment.now if since is None else since
        self._state = replace(self._state, failing_since=since, error=reason)
        is_new = self._logged_at is None or moment.now - self._logged_at >= REPEAT
        if is_new:
            self._logged_at = moment.now
            log.error("source failing", source=self.source.name, since=_utc(since), reason=reason)
        write_source(self.connection, self.app, self._state)


def encode_defaults(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of a file as they are kept for those who edit rows, without ``meta``."""
    of_jobs = part_of(Part.JOB, defaults)
    job = JobOptions(**of_jobs)
    others = {name: value for name, value in defaults.items() if name not in of_jobs}
    described = {"queue": job.queue, "expires": job.expires, "timeout": job.timeout}
    return {**others, **described, "job": encode_job(job)}


def _utc(instant: float) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
