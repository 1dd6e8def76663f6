"""Values as long as they may be, without a place to break them, on pages that stay readable."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from redis import Redis

from clock import load
from clock.ledger.audit import write_entry
from clock.ledger.audit_entry import Actor, Entry
from clock.ledger.pauses import Pause, pause
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from tests.browser.conftest import OpenPage, StartWeb
from tests.browser.layout import faults
from tests.loop.heartbeat import START, Watched
from tests.observe.rq.failing import fail

NAME = "n" * 200
QUEUE = "q" * 150
JOB = "j" * 120
ERROR = "ValueError: " + "x" * 100_000

PATHS = [
    "/", "/?group=queue", f"/event?name={NAME}", f"/run?event={NAME}", f"/pause?event={NAME}",
    f"/backfill?event={NAME}", "/queues", "/jobs?state=failed", f"/job?id={JOB}", "/trends",
    "/week", "/audit", f"/pause-queue?queue={QUEUE}",
]  # fmt: skip


@pytest.fixture
def address(redis: Redis, tmp_path: Path, start_web: StartWeb) -> str:
    """Where the pages of such an application are."""
    now = time.time()
    file = tmp_path / "schedule.py"
    file.write_text(
        "from clock import every\n"
        f"every('minute', {'t' * 195!r} + '.run', name={NAME!r}, queue={QUEUE!r})\n"
        f"every('minute', 'a.run', name='paused', queue={QUEUE!r})\n"
    )
    clock = Watched(redis, load(file), app="clock", now=now - 130)
    clock.turn(now - START - back for back in range(120, 0, -5))
    fail(redis, JOB, QUEUE, error=ERROR, ago=5)
    run = Run(
        event=NAME, scheduled=int(now) - 60, enqueued=now - 60, started=now - 59, ended=now - 58,
        outcome=RunOutcome.FAILED, error="E" * 200, attempt=1, worker="w" * 200, job=JOB,
    )  # fmt: skip
    write_run(redis, "clock", run)
    pause(redis, "clock", "paused", Pause(until=None, reason="r" * 500, by="b" * 100, since=1))
    actor = Actor(name="a" * 100, how="page", source="s" * 100)
    write_entry(redis, "clock", Entry(at=now, actor=actor, what="run", on=NAME, after={"b": NAME}))
    return start_web("--allow-actions").address()


def test_long_values_make_no_page_wide_or_tall(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    wrong_on = {}
    for path in PATHS:
        answer = page.goto(address + path)
        assert answer is not None
        assert answer.status == 200, path
        for width in (1440, 768, 390):
            page.set_viewport_size({"width": width, "height": 900})
            height = page.evaluate("document.documentElement.scrollHeight")
            wrong = faults(page) + ([f"{height} px tall"] if height > 4000 else [])
            if wrong:
                wrong_on[path[:20], width] = wrong
    assert wrong_on == {}
