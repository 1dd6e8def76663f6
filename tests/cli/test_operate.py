"""``clock run``, ``pause`` and ``resume``: what they print; what they do is tested elsewhere."""

from __future__ import annotations

import re

import pytest
from redis import Redis

from clock.ledger.ledger import Ledger
from clock.ledger.pauses import read_pauses
from tests.cli.command import Clock
from tests.conftest import ReadSchedule
from tests.live.port import free_port


@pytest.fixture
def url(redis: Redis, server_url: str, read: ReadSchedule) -> str:
    """A server on which a clock of the application ``clock`` knows the event ``tasks.x``."""
    event = read("every('day', 'tasks.x')").events["tasks.x"]
    Ledger(redis, app="clock", token="t").enrol([event], 1_800_000_000)
    return server_url


def test_run_prints_the_id_of_the_job(clock: Clock, url: str, redis: Redis) -> None:
    code, out, err = clock("run", "tasks.x", "--url", url)
    assert (code, err) == (0, "")
    match = re.fullmatch(r"tasks\.x is enqueued as (\S+)\n", out)
    assert match
    assert redis.lrange("rq:queue:default", 0, -1) == [match[1].encode()]


def test_pause_prints_its_end_and_records_who_and_why(clock: Clock, url: str, redis: Redis) -> None:
    words = ("--until", "2100-01-01T09:00+09:00", "--reason", "the server moves")
    result = clock("pause", "tasks.x", "--url", url, *words)
    assert result == (0, "tasks.x is paused until 2100-01-01T00:00:00Z\n", "")
    pause = read_pauses(redis, "clock")["tasks.x"]
    assert (pause.until, pause.reason) == (4_102_444_800, "the server moves")
    assert "@" in pause.by


def test_a_pause_without_an_end_lasts_until_it_is_resumed(clock: Clock, url: str) -> None:
    assert clock("pause", "tasks.x", "--url", url)[1] == "tasks.x is paused until it is resumed\n"
    assert clock("resume", "tasks.x", "--url", url)[1] == "tasks.x is resumed\n"
    assert clock("resume", "tasks.x", "--url", url)[1] == "tasks.x was not paused\n"


@pytest.mark.parametrize("command", ["run", "pause", "resume"])
def test_an_unknown_event_is_one_line_and_exit_code_2(command: str, clock: Clock, url: str) -> None:
    assert clock(command, "tasks.z", "--url", url) == (
        2,
        "",
        "clock: there is no event 'tasks.z', did you mean 'tasks.x'? the events are tasks.x\n",
    )


@pytest.mark.parametrize("command", ["run", "pause", "resume"])
def test_a_server_that_is_away_is_one_line_and_exit_code_3(command: str, clock: Clock) -> None:
    code, out, err = clock(command, "tasks.x", "--url", f"redis://:secret@127.0.0.1:{free_port()}")
    assert (code, out) == (3, "")
    assert err.startswith("clock: ConnectionError: ")
    assert err.count("\n") == 1
    assert "secret" not in err


@pytest.mark.parametrize(
    ("until", "message"),
    [
        ("2100-01-01T00:00", "--until: it needs an offset"),
        ("2001-01-01T00:00Z", "--until: that time is past"),
        ("soon", "'soon' is not an instant"),
    ],
)
def test_an_invalid_end_of_a_pause_is_refused(
    until: str, message: str, clock: Clock, url: str
) -> None:
    code, _, err = clock("pause", "tasks.x", "--url", url, "--until", until)
    assert code == 2
    assert message in err
