"""The time that a condition (``if_=``) is asked about."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, overload

import pytz

from clock.errors import RecurrenceError
from clock.recurrence.recurrence import Recurrence, before
from clock.recurrence.zone import Zone


class ConditionTime(datetime):
    """An occurrence of an event as an aware datetime in the event's zone.

    What is computed from it, as by ``+`` or ``replace``, is a plain ``datetime``.
    """

    __slots__ = ("_instant", "_recurrence", "_zone", "event", "scheduled_at")

    event: str
    """The name of the event."""
    scheduled_at: datetime
    """The same time as a plain ``datetime``."""
    _instant: int
    _recurrence: Recurrence
    _zone: Zone

    def __new__(cls, *parts: Any, **named: Any) -> datetime:  # type: ignore[misc]  # see above
        return datetime(*parts, **named)  # noqa: DTZ001  # the zone is among the parts

    def replace(self, *parts: Any, **named: Any) -> datetime:  # type: ignore[override]
        """The same time with other parts, as a plain ``datetime``."""
        return self.scheduled_at.replace(*parts, **named)

    def __add__(self, other: timedelta, /) -> datetime:  # type: ignore[override]
        return self.scheduled_at + other

    @overload  # type: ignore[override]
    def __sub__(self, other: datetime, /) -> timedelta: ...
    @overload
    def __sub__(self, other: timedelta, /) -> datetime: ...
    def __sub__(self, other: Any, /) -> Any:
        return self.scheduled_at - other

    @property
    def previous(self) -> datetime | None:
        """The occurrence before it by the recurrence, fired or not, in the event's zone; None where
        there is none, or ``times(...)`` no longer has it.
        """
        try:
            instant = before(self._recurrence, self._instant)
        except RecurrenceError:
            return None
        return None if instant is None else _local(instant, self._zone)


def condition_time(event: str, instant: int, recurrence: Recurrence, zone: Zone) -> ConditionTime:
    """The time of the occurrence of ``event`` at ``instant`` (UTC seconds since 1970)."""
    at = _local(instant, zone)
    made: ConditionTime = datetime.__new__(
        ConditionTime, *at.timetuple()[:6], at.microsecond, at.tzinfo, fold=at.fold
    )
    made.event, made.scheduled_at = event, at
    made._instant, made._recurrence, made._zone = instant, recurrence, zone
    return made


def _local(instant: int, zone: Zone) -> datetime:
    return datetime.fromtimestamp(instant, pytz.timezone(zone.name))
