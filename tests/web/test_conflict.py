"""Two applications under one name, as the web UI shows them."""

from __future__ import annotations

import pytest
from redis import Redis

from clock import Schedule
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import StartWeb
from tests.web.requests import Web


@pytest.fixture
def web(redis: Redis, read: ReadSchedule, start_web: StartWeb) -> Web:
    """The web side of two clocks that declare the event x differently."""
    clocks = []
    for host, queue in (("prod", "default"), ("staging", "<low>")):
        schedule = read(f"every('day', 'tasks.x', name='x', queue={queue!r})")
        named = Schedule(path=f"{host}/main.py", zone=schedule.zone, events=schedule.events)
        clocks.append(Watched(redis, named, token=f"{host}:1:x", conflict_after=10.0))
    for second in range(0, 31, 5):
        for clock in clocks:
            clock.turn([second])
    return start_web(now=lambda: START + 31)


def test_the_page_names_both_clocks_and_the_remedy(web: Web) -> None:
    page = web.get("/").text
    assert ">Conflict:</b>" in page
    assert "prod/main.py on prod:1" in page
    assert "staging/main.py on staging:1" in page
    assert "declare x differently" in page
    assert "an --app and queues of its own" in page
    assert 'data-count="2"' in page
    assert "two clocks declare it differently: " in page


def test_the_health_check_fails(web: Web) -> None:
    answer = web.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"state": "conflict"})


def test_the_api_has_both_clocks_and_the_events(web: Web) -> None:
    status = web.get("/api/v1/status").json()
    assert not status["healthy"]
    (conflict,) = status["conflicts"]
    assert {clock["file"] for clock in conflict["clocks"]} == {"prod/main.py", "staging/main.py"}
    assert (conflict["events"], conflict["number"]) == (["x"], 1)


def test_a_scrape_counts_the_conflict(web: Web) -> None:
    lines = web.get("/metrics").text.splitlines()
    assert "clock_conflicts 1.0" in lines
    assert "clock_healthy 0.0" in lines
