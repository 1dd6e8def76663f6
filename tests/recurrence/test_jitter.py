"""Jitter: when occurrences are due, and that they keep their times."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clock.errors import RecurrenceError
from clock.recurrence.elapsed import Elapsed
from clock.recurrence.jitter import Jittered, check_jitter, jittered
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.zone import zone
from tests.recurrence.reading import rule
from tests.recurrence.test_properties import INSTANTS, quick, recurrences, some

EVERY_MINUTE = Elapsed(period=60, anchor=0)


def test_a_delay_depends_on_application_event_and_time() -> None:
    delays = {
        Jittered(Elapsed(period=3600, anchor=0), 3000, key).delay(instant)
        for key in ("shop\na", "shop\nb", "mail\na")
        for instant in (0, 3600, 7200)
    }
    assert len(delays) == 9
    # Two clocks of any release must agree, so these numbers never change.
    assert [jittered(EVERY_MINUTE, 30, "a", "shop").delay(at) for at in (0, 60, 120)] == [  # type: ignore[union-attr]
        PINNED[0], PINNED[1], PINNED[2],
    ]  # fmt: skip


PINNED = (24, 17, 25)


@quick
@given(recurrences(), st.integers(1, 100_000), st.text(max_size=5), INSTANTS)
def test_due_times_ascend_as_their_occurrences_do(
    recurrence: Recurrence, seconds: int, key: str, after: int
) -> None:
    delays, occurrences = Jittered(recurrence, seconds, key), some(recurrence, after, 20)
    due = [instant + delays.delay(instant) for instant in occurrences]
    assert due == sorted(set(due))
    assert all(0 <= at - instant < seconds for at, instant in zip(due, occurrences, strict=True))
    assert [delays.scheduled(at) for at in due] == occurrences
    first = delays.following(after)
    assert first == (due[0] if due else None)
    if due:
        assert some(delays, due[0] - 1, len(due)) == due


@pytest.mark.parametrize(
    ("period", "options", "shortest"),
    [
        ("10 minutes", {}, "10 minutes"),
        ("day", {"at": ["09:00", "09:20"]}, "20 minutes"),
        ("*/15 9-18 * * *", {}, "15 minutes"),
    ],
)
def test_a_jitter_as_long_as_the_shortest_gap_is_refused(
    period: str, options: dict[str, Any], shortest: str
) -> None:
    recurrence = rule(period, **options).recurrence(zone("UTC"), "after", "first")
    seconds = {"10 minutes": 600, "20 minutes": 1200, "15 minutes": 900}[shortest]
    check_jitter(recurrence, seconds - 1)
    with pytest.raises(RecurrenceError) as caught:
        check_jitter(recurrence, seconds)
    assert str(caught.value) == (
        f"jitter=: {shortest} is not shorter than the shortest time between two occurrences, "
        f"{shortest}"
    )
