"""Ids that callers choose are never those of the clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clock.jobs.options import read_options
from clock.ledger.job import job_id
from clock.ledger.reserved import is_reserved, manual_id

EVENTS = st.text(min_size=1, max_size=120)
INSTANTS = st.integers(0, 253_402_300_799)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True)
HEX = "0123456789"


@given(app=EVENTS, event=EVENTS, scheduled=INSTANTS)
def test_no_caller_can_choose_the_id_of_an_occurrence(app: str, event: str, scheduled: int) -> None:
    with pytest.raises(ValueError, match="form of the clock's own job ids"):
        read_options("tasks.x", {"id": job_id(app, event, scheduled)[-200:]})


@given(app=EVENTS, event=EVENTS, key=IDS)
def test_no_caller_can_choose_the_id_of_a_run_by_hand(app: str, event: str, key: str) -> None:
    try:
        identifier = manual_id(app, event, key)
    except ValueError:
        assert is_reserved(f"-{key}")
        return
    with pytest.raises(ValueError, match="form of the clock's own job ids"):
        read_options("tasks.x", {"id": identifier[-200:]})


@given(app=EVENTS, event=EVENTS, before=IDS, scheduled=INSTANTS)
def test_no_key_makes_a_run_by_hand_the_job_of_another_event(
    app: str, event: str, before: str, scheduled: int
) -> None:
    for key in (before + job_id(app, event, scheduled), f"{before}-{HEX}-manual-x"):
        with pytest.raises(ValueError, match="is not a valid key"):
            manual_id(app, "another", key)


@pytest.mark.parametrize(
    "identifier",
    [
        "order-7",
        "8d5b1b0e-6f0a-4a49-8a1e-2f1f1a7d7d2b",
        "report-20270115T080000Z",
        "report-20270115T080000Z-4711",
        "tick-0a1b2c3d4e-20270115T080000Z-again",
        "clean-up-manual-1",
        f"{HEX}-20270115T080000Z",
    ],
)
def test_every_other_id_is_the_callers(identifier: str) -> None:
    assert read_options("tasks.x", {"id": identifier}).id == identifier
