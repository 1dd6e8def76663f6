"""The ledger of 0.1.0, on the page and through the API."""

from __future__ import annotations

import html

import pytest
from redis import Redis

from clock.web.application import application
from tests.ledger.recorded import AT, RECORDED, lost, restore
from tests.ledger.recording import APP
from tests.web.conftest import TOKEN, access
from tests.web.requests import Web


@pytest.fixture
def web(redis: Redis) -> Web:
    """The recorded application, at the instant its ledger is of."""
    restore(redis)
    made = application(redis, access=access(), app=APP, allowed=[], now=lambda: AT)
    return Web(made, {"authorization": f"Bearer {TOKEN}"})


def test_the_overview_shows_every_event(web: Web) -> None:
    page = web.get("/")
    assert page.status_code == 200
    assert [
        event for event in RECORDED["status"] if html.escape(event["event"]) not in page.text
    ] == []


def test_the_api_returns_of_every_event_what_0_1_0_did(web: Web) -> None:
    events = web.get("/api/v1/events").json()["events"]
    assert len(events) == len(RECORDED["status"])
    for before, now in zip(RECORDED["status"], events, strict=True):
        assert lost(before, now, "next", "sentence") == {}, before["event"]


def test_the_api_lists_the_runs_that_a_worker_of_0_1_0_recorded(web: Web) -> None:
    runs = web.get("/api/v1/events/feeds/runs?limit=100").json()["runs"]
    assert len(runs) == len(RECORDED["keys"][f"clock:{APP}:runs:feeds"]["value"])
    assert {run["outcome"] for run in runs} == {"failed", "retried"}
