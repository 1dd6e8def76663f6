"""An outage is said once, and tried again and again."""

from __future__ import annotations

import logging

import pytest

from clock.errors import ServerError
from clock.loop.outage import BACK_OFF, LONGEST, Outage


def test_the_first_try_again_comes_at_once_and_the_later_ones_every_second() -> None:
    outage = Outage()
    delays = [outage.failed(ServerError("away")) for _ in range(len(BACK_OFF) + 2)]
    assert delays == [*BACK_OFF, LONGEST, LONGEST]
    outage.over()
    assert outage.failed(ServerError("away")) == 0


def test_a_kind_of_failure_is_said_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "clock")
    outage = Outage()
    assert not outage
    for text, kind in (("port 1", "away"), ("read only", "ReadOnlyError"), ("port 2", "away")):
        outage.failed(ServerError(text, kind))
    assert outage
    outage.over()
    outage.over()
    assert not outage
    said = [(record.message, record.__dict__["fields"]) for record in caplog.records]
    assert said == [
        ("server away", {"reason": "port 1"}),
        ("server away", {"reason": "read only"}),
        ("server back", {"tries": 3}),
    ]


def test_what_waiting_cannot_cure_ends_the_start_and_no_clock_that_has_worked() -> None:
    outage, refused = Outage(is_start=True), ServerError("wrong password", is_lasting=True)
    outage.failed(ServerError("away"))
    with pytest.raises(ServerError, match="wrong password"):
        outage.failed(refused)
    outage.over()
    assert outage.failed(refused) == 0
    assert Outage().failed(refused) == 0
