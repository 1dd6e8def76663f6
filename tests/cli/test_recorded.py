"""Commands report of a ledger of 0.1.0 all that 0.1.0 reported; words may differ."""

from __future__ import annotations

import json
from typing import Any

import pytest
from redis import Redis

from tests.cli.command import Clock
from tests.ledger.recorded import AT, RECORDED, lost, restore
from tests.ledger.recording import APP


@pytest.fixture
def say(redis: Redis, server_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The objects that a command prints of the recorded ledger, at the instant it is of."""
    restore(redis)
    for module in ("status", "connect"):
        monkeypatch.setattr(f"clock.cli.{module}.server_now", lambda *_: AT)

    def run(*words: str) -> list[Any]:
        _, out, _ = clock(*words, "--json", "--url", server_url, "--app", APP)
        return [json.loads(line) for line in out.splitlines()]

    return run


def test_history_shows_every_decision_of_0_1_0(say: Any) -> None:
    # Decisions of several events at one instant have no order.
    before, now = (
        sorted(decisions, key=lambda decision: str(decision["event"]))
        for decisions in (RECORDED["history"], say("history", "-n", "100000"))
    )
    assert len(before) == len(now) > 100
    for one, other in zip(before, now, strict=True):
        assert lost(one, other) == {}


def test_status_shows_every_event_as_0_1_0_did(say: Any) -> None:
    (answer,) = say("status")
    assert answer["unreadable"] == []
    assert len(answer["events"]) == len(RECORDED["status"]) == 17
    for before, now in zip(RECORDED["status"], answer["events"], strict=True):
        assert lost(before, now, "next", "sentence") == {}, before["event"]


@pytest.mark.parametrize(
    "before", RECORDED["why"], ids=[before["verdict"] for before in RECORDED["why"]]
)
def test_why_explains_every_occurrence_as_0_1_0_did(say: Any, before: dict[str, Any]) -> None:
    (now,) = say("why", before["event"], before["at"])
    assert lost(before, now, "said") == {}
