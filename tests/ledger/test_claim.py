"""The claim: once decided, an occurrence is decided."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Queue

from clock import keys
from clock.decision import Decision, Kind
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.record import Record, parse_record
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000


def test_an_occurrence_claimed_by_two_clocks_is_enqueued_once(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    one, two = _ledger(redis, event, token="one"), _ledger(redis, event, token="two")
    assert _decide(one, event, NOW) is Kind.FIRED
    assert _decide(two, event, NOW) is None
    assert Queue("default", connection=redis).job_ids == [one.job_id(Claim(event, NOW))]


def test_a_claim_made_again_after_a_lost_reply_says_the_same_and_pushes_nothing(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    ledger = _ledger(redis, event)
    assert [_decide(ledger, event, NOW) for _ in range(3)] == [Kind.FIRED] * 3
    assert redis.llen("rq:queue:default") == 1
    assert _record(redis).counters["fired"] == 1


def test_an_occurrence_older_than_the_last_decided_one_is_not_enqueued(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    ledger = _ledger(redis, event)
    _decide(ledger, event, NOW)
    (older,) = ledger.claim([Claim(event, NOW - 60)], NOW)
    assert (older.kind, older.decided) == (None, NOW)
    assert redis.llen("rq:queue:default") == 1


def test_an_occurrence_past_its_expiry_is_recorded_and_not_enqueued(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read, expires="10s")
    ledger = _ledger(redis, event)
    assert _decide(ledger, event, NOW, now=NOW + 10) is Kind.EXPIRED
    assert _decide(ledger, event, NOW, now=NOW + 11) is Kind.EXPIRED
    assert redis.keys("rq:*") == []
    assert _record(redis).counters["expired"] == 1


def test_what_did_not_fire_is_not_the_previous_occurrence_of_the_next(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read, expires="10s")
    ledger = _ledger(redis, event)
    _decide(ledger, event, NOW)
    _decide(ledger, event, NOW + 60, now=NOW + 100)
    _decide(ledger, event, NOW + 120)
    last = Queue("default", connection=redis).jobs[-1]
    assert last.meta["clock"]["previous_scheduled_at"] == "2027-01-15T08:00:00Z"


def test_a_queue_key_of_another_type_is_refused_and_nothing_is_written(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(
        "every('day', 'tasks.x', queue='broken')",
        "every('day', 'tasks.y', queue='sound')",
    )
    events = list(schedule.events.values())
    redis.set("rq:queue:broken", "not a list")
    ledger = _ledger(redis, *events)
    before = redis.hget(keys.decided("test"), "tasks.x")
    broken, sound = ledger.claim([Claim(event, NOW) for event in events], NOW)
    assert broken.is_refused
    assert sound.kind is Kind.FIRED
    assert redis.exists(f"rq:job:{ledger.job_id(broken.claim)}") == 0
    assert redis.hget(keys.decided("test"), "tasks.x") == before


def test_an_event_that_is_not_enrolled_is_unknown_and_nothing_is_written(
    redis: Redis, read: ReadSchedule
) -> None:
    ledger = Ledger(redis, app="test", token="t")
    (outcome,) = ledger.claim([Claim(_event(read), NOW)], NOW)
    assert outcome.is_unknown
    assert redis.keys("*") == []


def test_a_batch_keeps_the_order_of_its_claims_in_the_queue(
    redis: Redis, read: ReadSchedule
) -> None:
    events = list(read("for n in range(40): every('day', 'tasks.x', name=f'e{n}')").events.values())
    ledger = _ledger(redis, *events)
    claims = [Claim(event, NOW) for event in events]
    ledger.claim(claims, NOW)
    assert Queue("default", connection=redis).job_ids == [ledger.job_id(claim) for claim in claims]


def test_jobs_at_the_front_go_before_what_waits(redis: Redis, read: ReadSchedule) -> None:
    schedule = read(
        "every('day', 'tasks.x', name='back')",
        "every('day', 'tasks.x', name='one', at_front=True)",
        "every('day', 'tasks.x', name='two', at_front=True)",
    )
    events = list(schedule.events.values())
    ledger = _ledger(redis, *events)
    ledger.claim([Claim(event, NOW) for event in events], NOW)
    names = [job.meta["clock"]["event"] for job in Queue("default", connection=redis).jobs]
    assert names == ["two", "one", "back"]


def test_a_missed_run_and_the_occurrence_after_it_are_decided_in_one_batch(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    ledger = _ledger(redis, event)
    ledger.claim(
        [Claim(event, NOW + 200, Kind.MISSED, NOW + 100, 5), Claim(event, NOW + 220)], NOW + 221.5
    )
    record = _record(redis)
    assert (record.decided, record.fired) == (NOW + 220, NOW + 220)
    assert (record.counters["missed"], record.counters["fired"]) == (5, 1)
    assert record.history == (
        Decision(Kind.FIRED, NOW + 220, NOW + 220, lateness=1.5),
        Decision(Kind.MISSED, NOW + 100, NOW + 200, 5),
    )


def test_a_history_is_capped_and_the_counters_go_on(redis: Redis, read: ReadSchedule) -> None:
    event = _event(read)
    ledger = _ledger(redis, event)
    for n in range(200):
        _decide(ledger, event, NOW + n)
    line = redis.hget(keys.decided("test"), "tasks.x")
    assert line is not None
    assert len(line) < 1100
    record = _record(redis)
    assert record.counters["fired"] == 200
    assert 30 <= len(record.history) < 200
    assert [decision.last for decision in record.history] == [
        NOW + 199 - n for n in range(len(record.history))
    ]


def test_two_applications_on_one_server_do_not_share_occurrences_or_job_ids(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    identifiers = set()
    for app in ("shop", "mail"):
        ledger = Ledger(redis, app=app, token="t")
        ledger.enrol([event], NOW - 1)
        assert _decide(ledger, event, NOW) is Kind.FIRED
        identifiers.add(ledger.job_id(Claim(event, NOW)))
    assert len(identifiers) == 2
    assert redis.llen("rq:queue:default") == 2


def test_names_that_rq_would_spell_alike_give_different_job_ids(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read("every('day', 'tasks.x', name='a b')", "every('day', 'tasks.x', name='a.b')")
    ledger = Ledger(redis, app="test", token="t")
    one, two = (ledger.job_id(Claim(event, NOW)) for event in schedule.events.values())
    assert one != two
    assert one.startswith("a-b-")
    assert one.endswith("-20270115T080000Z")


@pytest.mark.parametrize("option", ["args=['a']", "description='x'", "queue='io'"])
def test_changed_arguments_change_the_job_and_nothing_about_time(
    option: str, redis: Redis, read: ReadSchedule
) -> None:
    ledger = _ledger(redis, _event(read))
    changed = read(f"every('day', 'tasks.x', {option})").events["tasks.x"]
    assert ledger.enrol([changed], NOW + 500) == [NOW - 1]
    assert _decide(ledger, changed, NOW) is Kind.FIRED
    (job,) = Queue(changed.job.queue, connection=redis).jobs
    assert list(job.args) == list(changed.args)
    assert job.description == (changed.job.description or job.get_call_string())


def test_a_new_event_stands_at_now_and_a_known_one_where_it_was(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    ledger = Ledger(redis, app="test", token="one")
    assert ledger.enrol([event], NOW) == [NOW]
    _decide(ledger, event, NOW + 60)
    assert Ledger(redis, app="test", token="two").enrol([event], NOW + 500) == [NOW + 60]


def test_a_changed_recurrence_stands_at_now_and_never_goes_back(
    redis: Redis, read: ReadSchedule
) -> None:
    ledger = _ledger(redis, _event(read))
    moved = read("every('hour', 'tasks.x')").events["tasks.x"]
    assert ledger.enrol([moved], NOW + 500) == [NOW + 500]
    assert ledger.enrol([_event(read)], NOW - 3600) == [NOW + 500]


def test_an_event_that_was_disabled_starts_from_now(redis: Redis, read: ReadSchedule) -> None:
    ledger = _ledger(redis, _event(read))
    ledger.enrol([read("every('day', 'tasks.x', enabled=False)").events["tasks.x"]], NOW + 100)
    assert ledger.enrol([_event(read)], NOW + 9000) == [NOW + 9000]


def test_more_events_than_one_call_takes_are_all_enrolled(redis: Redis, read: ReadSchedule) -> None:
    schedule = read("for n in range(2345): every('day', 'tasks.x', name=f'e{n}')")
    events = list(schedule.events.values())
    assert len(Ledger(redis, app="test", token="t").enrol(events, NOW)) == 2345
    assert redis.hlen(keys.decided("test")) == 2345


def test_every_key_of_the_ledger_has_a_ttl(redis: Redis, read: ReadSchedule) -> None:
    event = _event(read)
    _decide(_ledger(redis, event), event, NOW)
    ours = [key for key in redis.keys("*") if "clock:test" in str(key)]
    assert len(ours) == 4
    assert all(0 < redis.ttl(key) <= keys.TTL for key in ours)


def _ledger(redis: Redis, *events: Event, token: str = "t") -> Ledger:
    ledger = Ledger(redis, app="test", token=token)
    ledger.enrol(events, NOW - 1)
    return ledger


def _decide(ledger: Ledger, event: Event, scheduled: int, now: float | None = None) -> Kind | None:
    (outcome,) = ledger.claim([Claim(event, scheduled)], scheduled if now is None else now)
    return outcome.kind


def _record(redis: Redis) -> Record:
    line = redis.hget(keys.decided("test"), "tasks.x")
    assert isinstance(line, bytes)
    return parse_record(line)


def _event(read: ReadSchedule, **options: str) -> Event:
    written = "".join(f", {name}={value!r}" for name, value in options.items())
    return read(f"every('day', 'tasks.x'{written})").events["tasks.x"]
