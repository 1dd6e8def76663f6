"""``/metrics``: the content of a scrape, and what deploy/ uses of it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse
from redis import Redis
from rq import Queue

from clock import keys
from clock.connection import rq_keys
from clock.ledger.counters import read_counters
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.pauses import Pause, pause
from clock.ledger.sources import SourceState, write_source
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from clock.runs.totals import read_measured
from tests.conftest import ReadSchedule
from tests.live.port import free_port
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import StartWeb
from tests.web.monitoring import promtool
from tests.web.requests import Web

ROOT = Path(__file__).parents[2]
Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def test_a_scrape_counts_what_the_clock_did(redis: Redis, web: Web, clock: Watched) -> None:
    Queue("io", connection=redis).enqueue("tests.jobs.working.say")
    samples = _scrape(web)
    assert _one(samples, "clock_server_up") == _one(samples, "clock_up") == 1
    assert _one(samples, "clock_last_tick_timestamp_seconds") == START + 20
    assert _one(samples, "clock_event_next_timestamp_seconds", event="ten") == START + 40
    assert _one(samples, "clock_event_last_enqueued_timestamp_seconds", event="ten") == START + 20
    assert _one(samples, "clock_event_enqueued_total", event="ten") == 2
    assert _one(samples, "clock_event_missed_total", event="a/b ü") == 0
    assert _one(samples, "clock_event_overdue_seconds", event="ten") == 0
    assert _one(samples, "clock_queue_waiting", queue="io") == 1
    assert _one(samples, "clock_queue_workers", queue="default") == 0


def test_skipped_occurrences_are_counted_by_reason(redis: Redis, web: Web, clock: Watched) -> None:
    pause(redis, "test", "ten", Pause(until=None, reason="", by="x", since=int(START)))
    clock.turn(range(25, 35))
    samples = _scrape(web)
    assert _one(samples, "clock_event_paused", event="ten") == 1
    assert _one(samples, "clock_event_skipped_total", event="ten", reason="paused") == 1


@pytest.mark.parametrize(
    ("options", "reasons"),
    [
        ("", set()),
        (", overlap='skip'", {"overlap"}),
        (", expires='1m'", {"expired"}),
        (", if_=lambda occurrence: True", {"condition", "condition_failed"}),
    ],
)
def test_a_reason_to_skip_has_a_series_from_the_start_where_the_schedule_allows_it(
    options: str, reasons: set[str], redis: Redis, read: ReadSchedule, web: Web
) -> None:
    Watched(redis, read(f"every('day', 'tasks.x', name='ten'{options})")).turn([0])
    skipped = {
        dict(labels)["reason"]: value
        for (name, labels), value in _scrape(web).items()
        if name == "clock_event_skipped_total"
    }
    assert skipped == dict.fromkeys(reasons, 0)


def test_an_event_has_few_series(redis: Redis, read: ReadSchedule, web: Web) -> None:
    Watched(redis, read("every('10 seconds', 'tasks.x', name='ten')")).turn(range(25))
    assert len([labels for _, labels in _scrape(web) if ("event", "ten") in labels]) == 8
    write_run(redis, "test", _run(RunOutcome.SUCCEEDED, 1.0))
    # With the sum and the count of a histogram.
    assert len([labels for _, labels in _scrape(web) if ("event", "ten") in labels]) == 23


def test_a_pause_has_its_end(redis: Redis, web: Web, clock: Watched) -> None:
    name = "clock_event_paused_until_timestamp_seconds"
    assert not [labels for series, labels in _scrape(web) if series == name]
    end = int(START) + 100
    pause(redis, "test", "ten", Pause(until=end, reason="", by="x", since=int(START)))
    assert _one(_scrape(web), name, event="ten") == end
    pause(redis, "test", "ten", Pause(until=None, reason="", by="x", since=int(START)))
    assert _one(_scrape(web), name, event="ten") == math.inf


@pytest.mark.parametrize(("seconds", "count"), [(20, 1), (15, 2), (-1000, 3)])
def test_occurrences_since_a_success_are_counted_from_its_end(
    seconds: int, count: int, redis: Redis, web: Web, clock: Watched
) -> None:
    """The event has its times since START, and it is 30 seconds later."""
    name = "clock_event_occurrences_since_success"
    assert not [labels for series, labels in _scrape(web) if series == name]
    write_run(redis, "test", _run(RunOutcome.SUCCEEDED, seconds))
    assert _one(_scrape(web), name, event="ten") == count


def test_without_any_success_occurrences_are_counted_too_but_ten_at_most(
    redis: Redis, clock: Watched, start_web: StartWeb
) -> None:
    write_run(redis, "test", _run(RunOutcome.FAILED, 1.0))
    name = "clock_event_occurrences_since_success"
    assert _one(_scrape(start_web()), name, event="ten") == 3
    late = start_web(now=lambda: START + 100_000)
    assert _one(_scrape(late), name, event="ten") == 10


def test_occurrences_in_a_pause_are_not_counted(redis: Redis, web: Web, clock: Watched) -> None:
    write_run(redis, "test", _run(RunOutcome.FAILED, 1.0))
    pause(redis, "test", "ten", Pause(until=None, reason="", by="x", since=int(START)))
    clock.turn(range(25, 31))
    samples = _scrape(web)
    assert _one(samples, "clock_event_skipped_total", event="ten", reason="paused") == 1
    assert _one(samples, "clock_event_occurrences_since_success", event="ten") == 0


def test_a_worker_has_its_memory_and_its_processor_time(redis: Redis, web: Web) -> None:
    _write_worker(redis)
    samples = _scrape(web)
    assert _one(samples, "clock_worker_memory_bytes", worker="w") == 1000
    assert _one(samples, "clock_worker_cpu_seconds_total", worker="w") == 1.5


def test_an_overdue_event_is_reported_while_the_clock_is_alive(
    redis: Redis, read: ReadSchedule, start_web: StartWeb
) -> None:
    watched = Watched(redis, read("every('10 seconds', 'tasks.x', name='ten')"), is_idle=True)
    watched.turn(range(0, 200, 4))
    web = start_web(now=lambda: START + 198)
    samples = _scrape(web)
    assert _one(samples, "clock_event_overdue_seconds", event="ten") > 60
    assert (_one(samples, "clock_up"), _one(samples, "clock_healthy")) == (1, 0)
    assert _health(web) == (503, "overdue")


def test_lateness_is_counted_with_the_heartbeat(redis: Redis, web: Web, clock: Watched) -> None:
    clock.turn([30.7, 36])
    samples = _scrape(web)
    assert _one(samples, "clock_lateness_seconds_count") == 3
    assert _one(samples, "clock_lateness_seconds_sum") == pytest.approx(0.7)
    assert _one(samples, "clock_lateness_seconds_bucket", le="0.5") == 2
    assert _one(samples, "clock_lateness_seconds_bucket", le="1.0") == 3


def test_a_stopping_clock_writes_its_last_counts(redis: Redis, read: ReadSchedule) -> None:
    watched = Watched(redis, read("every('2 seconds', 'tasks.x')"))
    watched.turn([0, 2])
    assert read_counters(redis, "test").latenesses.cumulative[-1] == 0
    watched.housekeeping.ended(START + 3)
    assert read_counters(redis, "test").latenesses.cumulative[-1] == 1


def test_a_second_clock_counts_the_claims_it_lost(
    redis: Redis, read: ReadSchedule, web: Web
) -> None:
    schedule = read("every('10 seconds', 'tasks.x', name='ten')")
    first, second = (Watched(redis, schedule, token=f"h:1:{token}") for token in "ab")
    for second_ in range(0, 31, 5):
        first.turn([second_])
        second.turn([second_])
    samples = _scrape(web)
    assert _one(samples, "clock_duplicates_refused_total") == 3
    assert _one(samples, "clock_event_enqueued_total", event="ten") == 3
    assert _one(samples, "clock_lateness_seconds_count") == 3


def test_runs_are_counted_beyond_those_that_are_kept(
    redis: Redis, web: Web, clock: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clock.keys.RUNS", 2)
    for number, outcome in enumerate([*[RunOutcome.SUCCEEDED] * 4, RunOutcome.FAILED]):
        write_run(redis, "test", _run(outcome, 0.3 + number))
    samples = _scrape(web)
    assert redis.llen("clock:test:runs:ten") == 2
    assert _one(samples, "clock_event_runs_total", event="ten", outcome="succeeded") == 4
    assert _one(samples, "clock_event_runs_total", event="ten", outcome="failed") == 1
    assert _one(samples, "clock_event_run_duration_seconds_count", event="ten") == 5
    assert _one(samples, "clock_event_run_duration_seconds_sum", event="ten") == pytest.approx(11.5)
    assert _one(samples, "clock_event_run_duration_seconds_bucket", event="ten", le="1.0") == 1
    assert _one(samples, "clock_event_last_succeeded_timestamp_seconds", event="ten") == START + 3.3
    assert _one(samples, "clock_event_failing", event="ten") == 1
    assert 0 < redis.ttl("clock:test:measured:ten") <= 400 * 86_400


def test_an_abandoned_run_has_no_duration(redis: Redis) -> None:
    write_run(redis, "test", _run(RunOutcome.ABANDONED, 100.0))
    totals = read_measured(redis, "test", ["ten"])["ten"]
    assert (totals.outcomes, totals.durations.cumulative[-1]) == ({"abandoned": 1}, 0)


def test_counters_never_go_back(redis: Redis, web: Web, clock: Watched) -> None:
    before = _counters(_scrape(web))
    clock.turn(range(25, 60))
    write_run(redis, "test", _run(RunOutcome.SUCCEEDED, 1.0))
    after = _counters(_scrape(web))
    assert before
    assert all(after[name] >= value for name, value in before.items())
    assert sum(after.values()) > sum(before.values())


def test_while_the_server_is_away_a_scrape_reports_only_that(
    start_web: StartWeb,
) -> None:
    with Redis(port=free_port()) as nobody:
        web = start_web(nobody)
        assert _scrape(web) == {("clock_server_up", frozenset()): 0}
        assert _health(web) == (503, "server away")
        assert _health(web, "/readyz") == (503, "server away")


def test_before_any_clock_ran_a_scrape_reports_no_clock(web: Web) -> None:
    samples = _scrape(web)
    assert (_one(samples, "clock_up"), _one(samples, "clock_events")) == (0, 0)
    assert _health(web) == (503, "no clock")
    assert _health(web, "/readyz") == (200, "ok")


def test_health_check_and_page_report_a_record_in_the_future(
    web: Web, clock: Watched, redis: Redis
) -> None:
    line = redis.hget(keys.decided("test"), "ten")
    assert isinstance(line, bytes)
    redis.hset(keys.decided("test"), "ten", b"1900000000" + line[10:])
    assert _health(web) == (503, "ahead")
    assert _one(_scrape(web), "clock_healthy") == 0
    page = web.get("/").text
    assert 's-refused">refused</span>' in page
    assert "clock rewind sets it back" in page
    assert 's-ahead">ahead</span>' in page


def test_health_needs_no_credentials_but_metrics_do(web: Web, clock: Watched) -> None:
    nobody = {"authorization": ""}
    assert web.get("/healthz", headers=nobody).json() == {"state": "ok"}
    assert web.get("/readyz", headers=nobody).json() == {"state": "ok"}
    assert web.get("/metrics", headers=nobody).status_code == 401


def test_openmetrics_is_supported_too(web: Web, clock: Watched) -> None:
    answer = web.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = parse_openmetrics(answer.text)  # type: ignore[no-untyped-call]
    assert {family.name for family in families} >= {
        "clock_event_enqueued",
        "clock_lateness_seconds",
    }


def test_a_scrape_needs_few_commands_however_many_events_there_are(
    redis: Redis, read: ReadSchedule, web: Web
) -> None:
    counts = []
    for number in (1, 200):
        redis.flushall()
        lines = f"for i in range({number}): every('day', 'tasks.x', name=f'n{{i}}')"
        Watched(redis, read(lines)).turn([0])
        _scrape(web)
        redis.config_resetstat()
        _scrape(web)
        calls = {
            name: statistics["calls"] for name, statistics in redis.info("commandstats").items()
        }
        # One last run and one set of counts an event, each in one round trip.
        calls["cmdstat_hgetall"] -= number
        calls["cmdstat_lrange"] -= number
        counts.append(calls)
    assert counts[0] == counts[1]


def test_the_help_texts_are_those_of_the_docs(web: Web, clock: Watched) -> None:
    documented = dict(
        re.findall(r"^\| `(clock\w*)` \|.*\| ([^|]+) \|$", _read("docs/metrics.md"), re.MULTILINE)
    )
    families = list(parse(web.get("/metrics").text))
    assert {
        family.name + ("_total" if family.type == "counter" else ""): family.documentation
        for family in families
    } == {name: f"{text[0].upper()}{text[1:]}." for name, text in documented.items()}


def test_the_docs_name_every_metric_with_its_labels_and_no_other(
    redis: Redis, web: Web, clock: Watched
) -> None:
    _leave_one_of_each_series(redis, clock)
    _declare_source(redis)
    documented = {
        name: frozenset(re.findall(r"`(\w+)`", labels))
        for name, labels in re.findall(
            r"^\| `(clock\w*)` \| \w+ \| ([^|]*)\|", _read("docs/metrics.md"), re.MULTILINE
        )
    }
    families = list(parse(web.get("/metrics").text))
    served = {
        family.name + ("_total" if family.type == "counter" else ""): frozenset(
            label for sample in family.samples for label in sample.labels
        )
        - {"le"}
        for family in families
    }
    assert documented == served


def test_prometheus_accepts_the_scrape(redis: Redis, web: Web, clock: Watched) -> None:
    _leave_one_of_each_series(redis, clock)
    promtool("check", "metrics", text=web.get("/metrics").text)


def test_a_repeated_claim_after_a_lost_reply_is_not_a_duplicate(
    redis: Redis, read: ReadSchedule
) -> None:
    watched = Watched(redis, read("every('10 seconds', 'tasks.x')"))
    watched.turn([0, 10])
    event = next(iter(read("every('10 seconds', 'tasks.x')").events.values()))
    again = Ledger(redis, app="test", token="h:1:x").claim(
        [Claim(event, int(START) + 10)], START + 11
    )
    watched.housekeeping.claimed(again, START + 11)
    watched.housekeeping.ended(START + 12)
    assert read_counters(redis, "test").refused == 0


def _leave_one_of_each_series(redis: Redis, clock: Watched) -> None:
    """What has no series before it happens: a run, a pause that skipped something, a worker."""
    write_run(redis, "test", _run(RunOutcome.SUCCEEDED, 1.0))
    pause(redis, "test", "ten", Pause(until=None, reason="", by="x", since=int(START)))
    clock.turn(range(25, 31))
    _write_worker(redis)


def _write_worker(redis: Redis) -> None:
    key = rq_keys.WORKER + "w"
    redis.sadd(rq_keys.WORKERS, key)
    redis.hset(key, mapping={"queues": "default", keys.MEMORY: "1000", keys.CPU: "1.5"})


def test_a_source_has_its_rows_and_says_whether_it_fails(
    redis: Redis, web: Web, clock: Watched
) -> None:
    _declare_source(redis)
    samples = _scrape(web)
    assert _one(samples, "clock_source_failing", source="crawls") == 1
    assert _one(samples, "clock_source_rows", source="crawls") == 20
    assert _one(samples, "clock_source_refused_rows", source="crawls") == 3
    assert _one(samples, "clock_healthy") == 0


def _declare_source(redis: Redis) -> None:
    """Let the clock declare a source that is failing."""
    for token, line in redis.hgetall(keys.clocks("test")).items():
        life = {**json.loads(line), "sources": ["crawls"]}
        redis.hset(keys.clocks("test"), token, json.dumps(life))
    state = SourceState(
        name="crawls",
        file="schedule.py",
        path="schedule.py",
        line=3,
        every=30,
        is_stored=False,
        tasks=("tasks.*",),
        queues=None,
        zone="UTC",
        rows=20,
        refused=3,
        failing_since=START,
        error="it raised ConnectionError",
    )
    write_source(redis, "test", state)


def _scrape(web: Web) -> Samples:
    answer = web.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(answer.text)
        for sample in family.samples
    }


def _one(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def _counters(samples: Samples) -> dict[Any, float]:
    ends = ("_total", "_bucket", "_count", "_sum")
    return {key: value for key, value in samples.items() if key[0].endswith(ends)}


def _health(web: Web, path: str = "/healthz") -> tuple[int, str]:
    answer = web.get(path)
    return answer.status_code, answer.json()["state"]


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _run(outcome: RunOutcome, duration: float) -> Run:
    return Run(
        event="ten", scheduled=int(START), enqueued=START, started=START, ended=START + duration,
        outcome=outcome, error=None, attempt=1, worker="w", job="j",
    )  # fmt: skip
