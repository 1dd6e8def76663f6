"""``clock backfill``: what it prints, and what it skips."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from redis import Redis

from clock.decision import Kind
from clock.ledger.ledger import Claim, Ledger
from clock.schedule.load import load
from tests.cli.command import Clock
from tests.live.jobs import scheduled
from tests.live.port import free_port

SPAN = ("--from", "2026-03-01T08:00:10Z", "--until", "2026-03-01T08:01:00Z")
FIRST = 1_772_352_010
"""2026-03-01T08:00:10Z"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "schedule.py"
    file.write_text("from clock import every\nevery('10 seconds', 'tasks.x', tz='UTC')\n")
    return file


@pytest.fixture
def url(redis: Redis, server_url: str, file: Path) -> str:
    """A server on which, of six occurrences from FIRST on, the third fired, the fourth and the
    fifth were missed, and the last is not decided.
    """
    event = load(file).events["tasks.x"]
    ledger = Ledger(redis, app="clock", token="t")
    ledger.enrol([event], FIRST)
    ledger.claim([Claim(event, FIRST + 20)], FIRST + 20)
    ledger.claim([Claim(event, FIRST + 40, Kind.MISSED, FIRST + 30, 2)], FIRST + 50)
    return server_url


def test_what_passed_without_a_job_is_enqueued_in_order(
    clock: Clock, file: Path, url: str, redis: Redis
) -> None:
    result = clock("backfill", str(file), "tasks.x", *SPAN, "--url", url)
    assert result == (0, "4 of 6 enqueued, 1 fired, 1 left to its clock\n", "")
    fired = [FIRST + 20]
    assert scheduled(redis, "tasks.x") == [*fired, FIRST, FIRST + 10, FIRST + 30, FIRST + 40]


def test_a_second_backfill_enqueues_nothing(
    clock: Clock, file: Path, url: str, redis: Redis
) -> None:
    for _ in range(2):
        _, out, _ = clock("backfill", str(file), "tasks.x", *SPAN, "--url", url)
    assert out == "0 of 6 enqueued, 1 fired, 4 already backfilled, 1 left to its clock\n"
    assert redis.llen("rq:queue:default") == 5


def test_on_a_terminal_a_progress_bar_is_shown(
    clock: Clock, file: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    code, out, err = clock("backfill", str(file), "tasks.x", *SPAN, "--url", url)
    assert (code, out.startswith("4 of 6 enqueued")) == (0, True)
    assert "backfilling" in err
    assert "100%" in err


def test_a_dry_run_lists_and_enqueues_nothing(
    clock: Clock, file: Path, url: str, redis: Redis
) -> None:
    code, out, err = clock("backfill", str(file), "tasks.x", *SPAN, "--url", url, "--dry-run")
    assert (code, err) == (0, "")
    assert out == (
        "WHEN                           ZONE  WHAT\n"
        "Sun 2026-03-01 08:00:10 +0000  UTC   to enqueue: not recorded\n"
        "Sun 2026-03-01 08:00:20 +0000  UTC   to enqueue: not recorded\n"
        "Sun 2026-03-01 08:00:30 +0000  UTC   fired\n"
        "Sun 2026-03-01 08:00:40 +0000  UTC   to enqueue: missed\n"
        "Sun 2026-03-01 08:00:50 +0000  UTC   to enqueue: missed\n"
        "Sun 2026-03-01 08:01:00 +0000  UTC   left to its clock\n"
        "4 of 6 would be enqueued, 1 fired, 1 left to its clock\n"
    )
    assert redis.llen("rq:queue:default") == 1


def test_an_unknown_event_is_refused_with_the_names_there_are(
    clock: Clock, file: Path, url: str
) -> None:
    code, out, err = clock("backfill", str(file), "tasks.z", *SPAN, "--url", url)
    message = "clock: there is no event 'tasks.z'; the events are tasks.x\n"
    assert (code, out, err) == (2, "", message)


def test_an_event_that_no_clock_ever_ran_is_refused(
    clock: Clock, file: Path, redis: Redis, server_url: str
) -> None:
    code, _, err = clock("backfill", str(file), "tasks.x", *SPAN, "--url", server_url)
    assert code == 2
    assert err == (
        "clock: there is no event 'tasks.x': no clock of the application 'clock' ran yet\n"
    )


def test_a_server_that_is_away_is_one_line_and_exit_code_3(clock: Clock, file: Path) -> None:
    url = f"redis://127.0.0.1:{free_port()}"
    code, out, err = clock("backfill", str(file), "tasks.x", *SPAN, "--url", url)
    assert (code, out) == (3, "")
    assert re.fullmatch(r"clock: ConnectionError: .*\n", err)


@pytest.mark.parametrize(
    ("span", "message"),
    [
        (("--from", "2026-03-01", "--until", "2100-01-01"), "is in the future"),
        (("--from", "2020-03-01", "--until", "2026-03-01"), "more than 10000 occurrences"),
        ((), "Missing option '--from'"),
    ],
)
def test_a_span_that_cannot_be_backfilled_is_a_usage_error(
    span: tuple[str, ...], message: str, clock: Clock, file: Path, url: str, redis: Redis
) -> None:
    code, out, err = clock("backfill", str(file), "tasks.x", *span, "--url", url)
    assert (code, out) == (2, "")
    assert message in err
    assert redis.llen("rq:queue:default") == 1


def test_a_bad_schedule_file_is_exit_code_1(clock: Clock, file: Path, url: str) -> None:
    file.write_text("from clock import every\nevery('day')\n")
    assert clock("backfill", str(file), "tasks.x", *SPAN, "--url", url)[0] == 1
