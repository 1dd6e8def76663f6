"""A row's line in the ledger holds all of its event."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from clock.ledger.row_lines import RowLines
from clock.ledger.unreadable import READ_ERRORS
from clock.schedule.event import Event, JobOptions, Policy
from clock.schedule.row import read_row
from tests.sources.version import row, schedule

EVERYTHING = row(
    "a",
    "day",
    at="09:30",
    tz="Asia/Tokyo",
    args=[1, {"deep": [None, 2.5]}],
    kwargs={"word": "ü"},
    enabled=False,
    jitter="5m",
    queue="slow",
    timeout="5m",
    expires="10m",
    retry={"max": 3, "interval": [1, 60]},
    result_ttl=60,
    failure_ttl=-1,
    at_front=True,
    meta={"team": "a"},
    description="d",
    on_success="tasks.done",
    on_failure="tasks.failed",
    max_running=2,
    catch_up="all",
    within="1h",
    overlap="skip",
    stuck_after="2h",
)


@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_the_event_of_a_line_is_the_one_that_was_written(serializer: str, tmp_path: Path) -> None:
    source = schedule(tmp_path, list).sources["crawls"]
    lines = RowLines(serializer)
    event = read_row(EVERYTHING, source)
    assert lines.event("a", f"12 {lines.body(event, 'schedule.py')}") == event
    once = read_row({"name": "a", "once": "2027-01-04T09:00", "task": "tasks.x"}, source)
    assert lines.event("a", f"12 {lines.body(once, 'schedule.py')}") == once
    # What is new in an event must be in its line too.
    plain = read_row(row("a", "day"), source)
    unset = {
        f"{kind.__name__}.{each.name}"
        for kind, one, other in (
            (Event, event, plain),
            (JobOptions, event.job, plain.job),
            (Policy, event.policy, plain.policy),
        )
        for each in fields(kind)
        if getattr(one, each.name) == getattr(other, each.name)
    }
    assert unset == {
        *("Event.name", "Event.task", "Event.path", "Event.line", "Event.source"),
        *("Event.is_once", "Policy.condition"),
    }


def test_arguments_that_are_not_json_are_kept_as_the_serializer_writes_them(
    tmp_path: Path,
) -> None:
    source = schedule(tmp_path, list).sources["crawls"]
    lines = RowLines("pickle")
    for args in ([date(2027, 1, 4)], [(1, 2)], [{1: 2}], [float("inf")], [2**70], [b"x"]):
        event = read_row(row("a", args=args), source)
        body = lines.body(event, "schedule.py")
        assert "packed" in body
        assert lines.event("a", f"12 {body}").args == tuple(args)


@pytest.mark.parametrize("line", ["", "12", "12 {}", "12 []", '12 {"source":"x"}'])
def test_a_damaged_line_is_refused(line: str) -> None:
    with pytest.raises(READ_ERRORS):
        RowLines("pickle").event("a", line)
