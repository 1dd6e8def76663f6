"""Trouble with an event is said once for as long as it stays the same."""

from __future__ import annotations

import pytest

from clock.trouble import Trouble
from tests.conftest import ReadSchedule


def test_the_same_trouble_is_said_once(
    read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    events = read("every('day', 'tasks.a')", "every('day', 'tasks.b')").events.values()
    trouble = Trouble(list(events))
    for index, reason in ((0, "one"), (0, "one"), (1, "one"), (0, "other"), (0, "one")):
        trouble.say(index, reason)
    trouble.over(1)
    trouble.say(1, "one")
    trouble.over(0)
    said = [(fields["event"], fields["reason"]) for fields in _fields(caplog)]
    assert said == [
        ("tasks.a", "one"),
        ("tasks.b", "one"),
        ("tasks.a", "other"),
        ("tasks.a", "one"),
        ("tasks.b", "one"),
    ]


def _fields(caplog: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    return [record.__dict__["fields"] for record in caplog.records]
