"""The claim: once decided, an occurrence is decided."""

from __future__ import annotations

from redis import Redis
from rq import Queue

from clock.ledger import keys
from clock.ledger.ledger import Claim, Ledger, Record
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000


def test_an_occurrence_claimed_by_two_clocks_is_enqueued_once(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    (first,) = _ledger(redis, "one").claim([Claim(event, NOW, None)], NOW)
    (second,) = _ledger(redis, "two").claim([Claim(event, NOW, None)], NOW)
    assert (first.state, second.state) == ("enqueued", "decided")
    assert Queue("default", connection=redis).job_ids == [first.job_id]


def test_a_claim_made_again_after_a_lost_reply_says_enqueued_and_pushes_nothing(
    redis: Redis, read: ReadSchedule
) -> None:
    event, ledger = _event(read), _ledger(redis, "one")
    outcomes = [ledger.claim([Claim(event, NOW, None)], NOW)[0] for _ in range(3)]
    assert [outcome.state for outcome in outcomes] == ["enqueued"] * 3
    assert redis.llen("rq:queue:default") == 1


def test_an_older_occurrence_than_the_last_decided_one_is_never_enqueued(
    redis: Redis, read: ReadSchedule
) -> None:
    event, ledger = _event(read), _ledger(redis, "one")
    ledger.claim([Claim(event, NOW, None)], NOW)
    (older,) = ledger.claim([Claim(event, NOW - 60, None)], NOW)
    assert (older.state, older.record) == ("decided", Record(NOW, NOW))
    assert redis.llen("rq:queue:default") == 1


def test_a_claim_overtaken_by_another_clock_names_the_right_previous_occurrence(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    _ledger(redis, "one").claim([Claim(event, NOW, None)], NOW)
    (later,) = _ledger(redis, "two").claim([Claim(event, NOW + 60, None)], NOW + 60)
    assert (later.state, later.claim.previous) == ("enqueued", NOW)


def test_an_occurrence_past_its_expiry_is_recorded_and_not_enqueued(
    redis: Redis, read: ReadSchedule
) -> None:
    event, ledger = _event(read, expires="10s"), _ledger(redis, "one")
    (late,) = ledger.claim([Claim(event, NOW, None)], NOW + 10)
    assert (late.state, late.record) == ("expired", Record(NOW, None))
    assert redis.keys("rq:*") == []
    (again,) = ledger.claim([Claim(event, NOW, None)], NOW + 11)
    assert again.state == "expired"


def test_what_expired_is_not_the_previous_occurrence_of_the_next(
    redis: Redis, read: ReadSchedule
) -> None:
    event, ledger = _event(read, expires="10s"), _ledger(redis, "one")
    ledger.claim([Claim(event, NOW, None)], NOW)
    ledger.claim([Claim(event, NOW + 60, NOW)], NOW + 100)
    (third,) = ledger.claim([Claim(event, NOW + 120, NOW)], NOW + 120)
    assert (third.state, third.claim.previous) == ("enqueued", NOW)


def test_a_queue_key_of_another_type_is_refused_and_nothing_is_written(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(
        "every('day', 'tasks.x', queue='broken')",
        "every('day', 'tasks.y', queue='sound')",
    )
    redis.set("rq:queue:broken", "not a list")
    claims = [Claim(event, NOW, None) for event in schedule.events.values()]
    broken, sound = _ledger(redis, "one").claim(claims, NOW)
    assert (broken.state, sound.state) == ("refused", "enqueued")
    assert redis.exists(f"rq:job:{broken.job_id}") == 0
    assert redis.hkeys(keys.decided("test")) == [b"tasks.y"]


def test_a_batch_keeps_the_order_of_its_claims_in_the_queue(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(*(f"every('day', 'tasks.x', name='e{n}')" for n in range(40)))
    claims = [Claim(event, NOW, None) for event in schedule.events.values()]
    outcomes = _ledger(redis, "one").claim(claims, NOW)
    assert Queue("default", connection=redis).job_ids == [outcome.job_id for outcome in outcomes]


def test_two_applications_on_one_server_do_not_share_occurrences_or_job_ids(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    one, two = (
        Ledger(redis, app=app, token="t").claim([Claim(event, NOW, None)], NOW)[0]
        for app in ("shop", "mail")
    )
    assert (one.state, two.state) == ("enqueued", "enqueued")
    assert one.job_id != two.job_id


def test_names_that_rq_would_spell_alike_give_different_job_ids(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(
        "every('day', 'tasks.x', name='a b')",
        "every('day', 'tasks.x', name='a.b')",
    )
    claims = [Claim(event, NOW, None) for event in schedule.events.values()]
    one, two = (outcome.job_id for outcome in _ledger(redis, "one").claim(claims, NOW))
    assert one != two
    assert one.startswith("a-b-")
    assert one.endswith("-20270115T080000Z")


def test_a_new_event_stands_at_now_and_a_known_one_where_it_was(
    redis: Redis, read: ReadSchedule
) -> None:
    event, ledger = _event(read), _ledger(redis, "one")
    assert ledger.enrol([event], NOW) == [Record(NOW, None)]
    ledger.claim([Claim(event, NOW + 60, None)], NOW + 60)
    assert _ledger(redis, "two").enrol([event], NOW + 500) == [Record(NOW + 60, NOW + 60)]


def test_a_changed_recurrence_stands_at_now_and_changed_arguments_where_it_was(
    redis: Redis, read: ReadSchedule
) -> None:
    ledger = _ledger(redis, "one")
    ledger.enrol([_event(read)], NOW)
    assert ledger.enrol([_event(read, queue="io", description="x")], NOW + 500) == [
        Record(NOW, None)
    ]
    moved = read("every('hour', 'tasks.x')").events["tasks.x"]
    assert ledger.enrol([moved], NOW + 500) == [Record(NOW + 500, None)]


def test_a_changed_recurrence_never_takes_the_record_back(redis: Redis, read: ReadSchedule) -> None:
    ledger = _ledger(redis, "one")
    ledger.enrol([_event(read)], NOW)
    moved = read("every('hour', 'tasks.x')").events["tasks.x"]
    assert ledger.enrol([moved], NOW - 3600) == [Record(NOW, None)]


def test_an_event_that_was_disabled_starts_from_now(redis: Redis, read: ReadSchedule) -> None:
    ledger = _ledger(redis, "one")
    ledger.enrol([_event(read)], NOW)
    ledger.enrol([read("every('day', 'tasks.x', enabled=False)").events["tasks.x"]], NOW + 100)
    assert ledger.enrol([_event(read)], NOW + 9000) == [Record(NOW + 9000, None)]


def test_more_events_than_one_call_takes_are_all_enrolled(redis: Redis, read: ReadSchedule) -> None:
    schedule = read("for n in range(2345): every('day', 'tasks.x', name=f'e{n}')")
    events = list(schedule.events.values())
    assert len(_ledger(redis, "one").enrol(events, NOW)) == 2345
    assert redis.hlen(keys.decided("test")) == 2345


def test_every_key_of_the_ledger_has_a_ttl(redis: Redis, read: ReadSchedule) -> None:
    event, ledger = _event(read), _ledger(redis, "one")
    ledger.enrol([event], NOW)
    ledger.claim([Claim(event, NOW + 60, None)], NOW + 60)
    ours = redis.keys("clock:*")
    assert sorted(ours) == [b"clock:test:decided", b"clock:test:recurrences"]
    assert all(0 < redis.ttl(key) <= keys.TTL for key in ours)


def _ledger(redis: Redis, token: str) -> Ledger:
    return Ledger(redis, app="test", token=token)


def _event(read: ReadSchedule, **options: str) -> Event:
    written = "".join(f", {name}={value!r}" for name, value in options.items())
    return read(f"every('day', 'tasks.x'{written})").events["tasks.x"]
