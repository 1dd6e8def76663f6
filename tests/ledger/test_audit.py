"""The audit log: what is written, what is read, and what nobody can push out."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from clock import keys
from clock.errors import CursorError, NotAQueueError, ServerError, UnknownEventError
from clock.ledger.audit import audited, read_audit, write_entry
from clock.ledger.audit_entry import LONGEST, Actor, Entry, Outcome
from tests.live.port import free_port

ANN = Actor(name="ann", how="page", source="10.1.2.3")
NOW = 1_800_000_000.25


def _note(redis: Redis, what: str, outcome: Outcome = Outcome.DONE) -> None:
    write_entry(redis, "test", Entry(at=NOW, actor=ANN, what=what, on="x", outcome=outcome))


def test_an_action_is_recorded_with_what_it_changed(redis: Redis) -> None:
    with audited(redis, "test", ANN, "pause", "night", NOW) as change:
        change.before, change.after = None, {"until": None, "reason": "moving", "jobs": 3}
    (entry,) = read_audit(redis, "test", 10).entries
    assert (entry.at, entry.actor, entry.what, entry.on) == (NOW, ANN, "pause", "night")
    assert (entry.outcome, entry.reason, entry.before) == (Outcome.DONE, "", None)
    assert entry.after == {"until": None, "reason": "moving", "jobs": 3}
    assert 0 < redis.ttl(keys.audit("test")) <= keys.TTL


def test_an_error_is_recorded_and_passed_on(redis: Redis) -> None:
    with pytest.raises(NotAQueueError), audited(redis, "test", ANN, "run", "ten", NOW):
        raise NotAQueueError("the key x holds no queue")
    (entry,) = read_audit(redis, "test", 10).entries
    assert (entry.outcome, "holds no queue" in entry.reason) == (Outcome.FAILED, True)


def test_a_misspelled_name_is_not_recorded(redis: Redis) -> None:
    with pytest.raises(UnknownEventError), audited(redis, "test", ANN, "run", "tenn", NOW):
        raise UnknownEventError("there is no event 'tenn'")
    assert read_audit(redis, "test", 10).entries == []


def test_the_latest_entries_of_both_streams_come_first_page_by_page(redis: Any) -> None:
    _note(redis, "x")
    ((_, fields),) = redis.xrange(keys.audit("test"))
    redis.delete(keys.audit("test"))
    # Written in the same millisecond, an entry of each stream may have the same id.
    for number in range(20):
        for key in (keys.audit("test"), keys.failed_audit("test")):
            if key == keys.audit("test") or number % 3:
                identifier = f"{1000 + number // 4}-{number % 4}"
                redis.xadd(key, fields | {b"what": f"{identifier} {key}"}, id=identifier)
    pages = [read_audit(redis, "test", 3)]
    while pages[-1].next is not None:
        pages.append(read_audit(redis, "test", 3, pages[-1].next))
    seen = [entry.what for page in pages for entry in page.entries]
    assert len(seen) == len(set(seen)) == 20 + 13
    identifiers = [what.partition(" ")[0] for what in seen]
    assert identifiers == sorted(identifiers, reverse=True)
    assert {len(page.entries) for page in pages[:-1]} <= {3, 4}


@pytest.mark.parametrize("cursor", ["", "x", "1", "0-0", "-1-1", "1-" + "9" * 20, "9" * 20 + "-1"])
def test_a_cursor_that_is_not_one_is_an_error(redis: Redis, cursor: str) -> None:
    _note(redis, "x")
    with pytest.raises(CursorError):
        read_audit(redis, "test", 3, cursor)


def test_failed_sign_ins_do_not_push_out_what_people_did(redis: Redis) -> None:
    _note(redis, "delete")
    for _ in range(keys.AUDITED_FAILED + 200):
        _note(redis, "sign in", Outcome.FAILED)
    assert redis.xlen(keys.audit("test")) == 1
    assert redis.xlen(keys.failed_audit("test")) <= keys.AUDITED_FAILED + 100


def test_long_and_odd_text_is_cut_and_stored(redis: Redis) -> None:
    odd = "\ud800" + "x" * 10_000
    actor = Actor(name=odd, how="api", source=odd)
    with audited(redis, "test", actor, "pause", odd, NOW) as change:
        change.after = {"reason": odd}
        # As long as it is stored: every quote takes two characters.
        change.before = dict.fromkeys(("status", "queue", "task", "event"), '"' * 10000)
    (entry,) = read_audit(redis, "test", 10).entries
    assert len(entry.actor.name) == len(entry.on) == LONGEST
    assert entry.after == {"reason": "?" + "x" * (LONGEST - 1)}


def test_the_action_stays_done_where_its_entry_cannot_be_written(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    redis.set(keys.audit("test"), "another type")
    with (
        caplog.at_level(logging.INFO, "clock"),
        audited(redis, "test", ANN, "pause", "night", NOW),
    ):
        pass
    messages = [line.getMessage() for line in caplog.records]
    assert messages == ["audit", "audit entry not written"]
    assert caplog.records[0].__dict__["fields"]["who"] == "ann"


def test_a_server_that_is_away_is_not_waited_for_twice(caplog: pytest.LogCaptureFixture) -> None:
    away = Redis(port=free_port(), retry=Retry(NoBackoff(), 0))
    with (
        caplog.at_level(logging.INFO, "clock"),
        pytest.raises(ServerError),
        audited(away, "test", ANN, "pause", "night", NOW),
    ):
        raise ServerError("gone")
    assert [line.getMessage() for line in caplog.records] == ["audit"]


def test_unreadable_entries_are_skipped(redis: Any) -> None:
    _note(redis, "good")
    (_, good), *_ = redis.xrange(keys.audit("test"))
    for field in good:
        for value in (b"", b"\xff", b"x" * 100_000, b"[" * 3_000, b"null", b"[]", b'{"a":[]}'):
            redis.xadd(keys.audit("test"), good | {field: value})
    redis.xadd(keys.audit("test"), {"nothing": "x"})
    for value in (b"nan", b"1e400", b"-1", b"9" * 400):
        redis.xadd(keys.audit("test"), good | {b"at": value})
        redis.xadd(keys.audit("test"), good | {b"after": b'{"a":' + value + b"}"})
    entries: list[Entry] = []
    cursor = None
    while True:
        page = read_audit(redis, "test", 10, cursor)
        entries += page.entries
        if page.next is None:
            break
        cursor = page.next
    assert entries[-1].what == "good"
