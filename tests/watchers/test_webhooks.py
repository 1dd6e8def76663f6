"""What is delivered to webhooks: real ledgers, real requests; the time is an argument."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from clock import Schedule, keys
from clock.ledger.deliveries import LEASE
from clock.ledger.manual import run_now
from clock.ledger.pauses import Pause, pause, resume
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from clock.watchers.message import NAMED
from clock.watchers.post import TIMEOUT
from clock.watchers.webhook_watch import (
    BACK_OFF,
    EVERY,
    LONGEST,
    QUIET,
    SHARE,
    WebhookWatch,
)
from clock.webhook import Webhook
from tests.conftest import ReadSchedule
from tests.live.waiting import wait_for
from tests.loop.heartbeat import START, Watched
from tests.watchers.receiver import Receiver, receiver

ROOT = Path(__file__).parents[2]
KEY = bytes(range(32))
TEN = "every('10 seconds', 'tasks.x', name='ten')"
DAY = "every('day', 'tasks.x', name='day', at='07:00')"


@pytest.fixture
def service() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


class Watching:
    """A clock of ``test`` and the watch of its webhook, which checks when the test says so."""

    def __init__(
        self,
        redis: Redis,
        schedule: Schedule,
        service: Receiver,
        *,
        token: str = "h:1:x",
        **options: Any,
    ) -> None:
        self.redis = redis
        self.service = service
        self.clock = Watched(redis, schedule, token=token, **options)
        self.watch = WebhookWatch(
            Webhook(url=service.url, key=KEY),
            redis,
            app="test",
            token=token,
            tolerance=60.0,
            now=lambda: self.clock.now,
        )

    def turn(self, *seconds: float) -> None:
        """Turn the clock at each of ``seconds`` after START."""
        self.clock.turn(seconds)

    def check(self, second: float) -> list[tuple[str, str]]:
        """Check then, without a tick; the type and event of each notice it sent."""
        before = len(self.service.heard)
        self.clock.now = START + second
        self.watch.check()
        return [
            (notice["type"], notice["event"])
            for request in self.service.heard[before:]
            for notice in json.loads(request.body)["data"]["notices"]
        ]

    def ran(self, outcome: RunOutcome, second: float, event: str = "day") -> None:
        """Record a run that began then."""
        at = START + second
        run = Run(
            event=event, scheduled=int(at), enqueued=at, started=at, ended=at + 1, outcome=outcome,
            error="ValueError" if outcome is RunOutcome.FAILED else None, attempt=1, worker="w",
            job="j",
        )  # fmt: skip
        write_run(self.redis, "test", run)


@pytest.fixture
def watching(redis: Redis, read: ReadSchedule, service: Receiver) -> Watching:
    """The clock ticked at 0, and the first check delivered nothing."""
    made = Watching(redis, read("timezone('UTC')", DAY), service)
    made.turn(0)
    assert made.check(1) == []
    return made


def test_a_failing_event_is_told_once_until_it_recovers(watching: Watching) -> None:
    watching.ran(RunOutcome.FAILED, 10)
    assert watching.check(12) == [("failing", "day")]
    watching.ran(RunOutcome.FAILED, 20)
    assert watching.check(100) == []
    watching.ran(RunOutcome.SUCCEEDED, 30)
    assert watching.check(200) == [("recovered", "day")]
    assert watching.check(300) == []
    watching.ran(RunOutcome.FAILED, 40)
    assert watching.check(400) == [("failing", "day")]


@pytest.mark.parametrize("outcome", [RunOutcome.RETRIED, RunOutcome.STOPPED])
def test_a_run_that_is_retried_or_stopped_is_no_recovery(
    watching: Watching, outcome: RunOutcome
) -> None:
    watching.ran(RunOutcome.FAILED, 10)
    watching.check(12)
    watching.ran(outcome, 20)
    assert watching.check(100) == []
    watching.ran(RunOutcome.FAILED, 30)
    assert watching.check(200) == []


def test_a_pause_is_no_recovery(watching: Watching) -> None:
    watching.ran(RunOutcome.FAILED, 10)
    watching.check(12)
    stop = Pause(until=None, reason="", by="ann", since=int(START) + 13)
    pause(watching.redis, "test", "day", stop)
    assert watching.check(100) == []
    resume(watching.redis, "test", "day", START + 101)
    assert watching.check(200) == []
    watching.ran(RunOutcome.SUCCEEDED, 210)
    assert watching.check(300) == [("recovered", "day")]


def test_the_message_says_what_a_person_and_a_program_need(watching: Watching) -> None:
    watching.ran(RunOutcome.FAILED, 10)
    watching.check(12)
    (request,) = watching.service.heard
    body = json.loads(request.body)
    assert request.headers["content-type"] == "application/json"
    assert body["text"] == "`test`: 1 failing\n• failing: `day`: `ValueError`"
    assert (body["type"], body["timestamp"]) == ("events.changed", "2027-01-15T08:00:12.000Z")
    data = body["data"]
    assert (data["app"], data["counts"], data["more"]) == ("test", {"failing": 1}, 0)
    (notice,) = data["notices"]
    assert notice["since"] == "2027-01-15T08:00:10Z"
    assert (notice["line"], notice["was"], notice["run"]["job"]) == ("ValueError", None, "j")


def test_a_message_is_signed_as_standard_webhooks_are(watching: Watching) -> None:
    watching.ran(RunOutcome.FAILED, 10)
    watching.check(12)
    (request,) = watching.service.heard
    headers = request.headers
    assert headers["webhook-timestamp"] == str(int(START) + 12)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    digest = hmac.new(KEY, signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{b64encode(digest).decode()}"
    assert b64decode(headers["webhook-signature"].removeprefix("v1,")) == digest


def test_nothing_that_an_error_says_is_a_mention_or_a_link(watching: Watching) -> None:
    watching.ran(RunOutcome.FAILED, 10)
    name = "<!channel> `@all` & <http://evil|x>"
    redis, app = watching.redis, "test"
    for key in (keys.descriptions(app), keys.decided(app)):
        redis.hset(key, name, redis.hget(key, "day") or b"")
    watching.ran(RunOutcome.FAILED, 10, name)
    watching.check(12)
    text = json.loads(watching.service.heard[0].body)["text"]
    assert "`&lt;!channel&gt; '@all' &amp; &lt;http://evil|x&gt;`" in text


def test_an_overdue_event_is_told_though_the_loop_hangs(
    redis: Redis, read: ReadSchedule, service: Receiver
) -> None:
    watching = Watching(redis, read("timezone('UTC')", TEN), service)
    watching.turn(0, 10)
    # No turn is taken: after a while no clock counts as alive.
    assert watching.check(11) == []
    assert watching.check(75) == []
    assert watching.check(85) == [("overdue", "ten")]
    (line,) = [notice["line"] for notice in json.loads(service.heard[0].body)["data"]["notices"]]
    assert line.startswith("should have fired at Fri 2027-01-15 08:00:20 +0000; no clock of ")
    watching.turn(100)
    assert watching.check(160) == [("missed", "ten"), ("recovered", "ten")]


def test_an_overdue_event_is_told_while_its_clock_is_alive(
    redis: Redis, read: ReadSchedule, service: Receiver
) -> None:
    watching = Watching(redis, read(TEN), service, is_idle=True)
    watching.turn(0)
    watching.check(1)
    watching.turn(*range(4, 100, 4))
    assert watching.check(96) == [("overdue", "ten")]


def test_a_clock_that_starts_does_not_call_overdue_what_another_is_about_to_start(
    redis: Redis, read: ReadSchedule, service: Receiver
) -> None:
    Watched(redis, read(TEN)).turn([0, 10])
    watching = Watching(redis, read(TEN), service, token="h:2:x")
    assert watching.check(1000) == []
    watching.turn(1002)
    assert watching.check(1006) == []
    assert watching.check(1065) == []


def test_what_a_clock_missed_is_told_once_until_it_fires_again(
    redis: Redis, read: ReadSchedule, service: Receiver
) -> None:
    watching = Watching(redis, read(TEN.replace(")", ", catch_up='none')")), service)
    watching.turn(0, 10)
    watching.check(11)
    watching.turn(54)
    assert watching.check(55) == [("missed", "ten")]
    notice = json.loads(service.heard[0].body)["data"]["notices"][0]
    assert notice["line"] == "no clock could claim it (4 occurrences)"
    watching.turn(57, 60)
    assert watching.check(118) == []
    watching.turn(204)
    assert watching.check(205) == [("missed", "ten")]


def test_what_was_missed_before_the_first_look_is_no_news(
    redis: Redis, read: ReadSchedule, service: Receiver
) -> None:
    watching = Watching(redis, read(TEN.replace(")", ", catch_up='none')")), service)
    watching.turn(0, 10, 54)
    assert watching.check(55) == []


def test_a_record_ahead_of_time_is_told_and_its_end_too(watching: Watching) -> None:
    watching.turn(10)
    line = watching.redis.hget(keys.decided("test"), "day")
    assert isinstance(line, bytes)
    watching.redis.hset(keys.decided("test"), "day", b"1900000000" + line[10:])
    assert watching.check(12) == [("refused", "day")]
    watching.redis.hset(keys.decided("test"), "day", line)
    assert watching.check(80) == [("recovered", "day")]
    notice = json.loads(watching.service.heard[-1].body)["data"]["notices"][0]
    assert (notice["was"], notice["line"]) == ("refused", "it fires as declared again")


def test_an_event_that_is_removed_is_forgotten_silently(
    redis: Redis, read: ReadSchedule, watching: Watching
) -> None:
    watching.ran(RunOutcome.FAILED, 10)
    watching.check(12)
    Watched(redis, read("every('day', 'tasks.y')"), now=START + 13).turn([13, 14])
    assert watching.check(80) == []
    assert b"failing:day" not in redis.hkeys(_key(redis))


def test_a_thousand_events_are_one_message_and_then_there_is_quiet(
    redis: Redis, read: ReadSchedule, service: Receiver
) -> None:
    lines = "for i in range(1000): every('day', 'tasks.x', name=f'n{i:04}')"
    watching = Watching(redis, read(lines), service)
    while redis.hlen(keys.descriptions("test")) < 1000:
        watching.turn(0)
    for number in range(1000):
        watching.ran(RunOutcome.FAILED, 1 + number / 1000, f"n{number:04}")
    watching.check(3)
    (request,) = service.heard
    data = json.loads(request.body)["data"]
    assert (data["counts"], len(data["notices"]), data["more"]) == ({"failing": 1000}, 20, 980)
    assert json.loads(request.body)["text"].endswith("\nand 980 more")
    assert len(request.body) < 30_000
    for number in range(1000):
        watching.ran(RunOutcome.SUCCEEDED, 5, f"n{number:04}")
    assert watching.check(3 + QUIET - 1) == []
    assert len(watching.check(3 + QUIET + 1)) == 20
    assert len(service.heard) == 2


def test_two_clocks_tell_it_once(redis: Redis, read: ReadSchedule, service: Receiver) -> None:
    clocks = [Watching(redis, read(DAY), service, token=f"h:{pid}:x") for pid in (1, 2)]
    for clock in clocks:
        clock.turn(0)
        clock.check(1)
    clocks[0].ran(RunOutcome.FAILED, 10)
    for second in range(12, 200, 5):
        for clock in clocks:
            clock.check(second)
    assert len(service.heard) == 1


def test_a_clock_that_starts_does_not_tell_it_again(
    redis: Redis, read: ReadSchedule, watching: Watching
) -> None:
    watching.ran(RunOutcome.FAILED, 10)
    watching.check(12)
    again = Watching(redis, read(DAY), watching.service, token="h:2:x")
    assert again.check(100) == []


def test_while_one_clock_tells_the_other_waits_and_after_a_kill_it_tells(
    redis: Redis, read: ReadSchedule, service: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (Watching(redis, read(DAY), service, token=f"h:{pid}:x") for pid in (1, 2))
    one.turn(0)
    one.check(1)
    one.ran(RunOutcome.FAILED, 10)

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    # The last thing that the killed clock does is to send; its answer never comes.
    monkeypatch.setattr(one.watch, "_settle", kill)
    with pytest.raises(Killed):
        one.check(12)
    assert other.check(20) == []
    assert other.check(33) == [("failing", "day")]
    first, second = service.heard
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert other.check(100) == []


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_webhook_that_fails_is_tried_again_ever_less_often(
    watching: Watching, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    watching.service.status = status
    watching.ran(RunOutcome.FAILED, 10)
    tries = [second for second in range(12, 1000) if watching.check(second)]
    assert tries == [12, 17, 27, 57, 117, 237, 537, 837]
    # A redirect is not followed.
    assert set(watching.service.paths()) == {"/key-123"}
    watching.service.status = 200
    assert watching.check(1140) == [("failing", "day")]
    assert watching.check(1300) == []
    assert len({request.headers["webhook-id"] for request in watching.service.heard}) == 1
    warnings = [record for record in caplog.records if record.message == "webhook failed"]
    assert [vars(record)["fields"] for record in warnings] == [
        {"host": "127.0.0.1", "reason": f"status {status}"}
    ]
    assert "key-123" not in caplog.text


def test_what_is_told_late_is_what_is_so_then(watching: Watching) -> None:
    watching.service.status = 500
    watching.ran(RunOutcome.FAILED, 10)
    watching.check(12)
    watching.ran(RunOutcome.SUCCEEDED, 20)
    watching.service.status = 200
    assert watching.check(100) == []


def test_a_receiver_that_hangs_has_a_time_limit(
    watching: Watching, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watching.service.hangs = True
    watching.ran(RunOutcome.FAILED, 10)
    with monkeypatch.context() as impatient:
        impatient.setattr("clock.watchers.webhook_watch.TIMEOUT", 0.2)
        watching.check(12)
    wait_for("the receiver hears of it", lambda: watching.service.heard)
    (record,) = (record for record in caplog.records if record.message == "webhook failed")
    assert vars(record)["fields"]["reason"] == "no answer within 0.2 s"
    watching.service.hangs = False
    assert watching.check(60) == [("failing", "day")]


def test_where_nothing_is_new_only_one_of_two_clocks_looks(
    redis: Redis, read: ReadSchedule, service: Receiver
) -> None:
    one, other = (Watching(redis, read(DAY), service, token=f"h:{pid}:x") for pid in (1, 2))
    one.turn(0)
    one.check(1)
    redis.config_resetstat()
    other.check(1 + EVERY - 1)
    assert "cmdstat_lrange" not in redis.info("commandstats")
    other.check(1 + EVERY + 1)
    assert "cmdstat_lrange" in redis.info("commandstats")


def test_a_server_whose_time_goes_back_silences_nothing(watching: Watching) -> None:
    watching.check(50_000)
    watching.ran(RunOutcome.FAILED, 10)
    assert watching.check(12) == [("failing", "day")]


def test_what_a_webhook_was_told_expires(watching: Watching) -> None:
    watching.ran(RunOutcome.FAILED, 10)
    watching.check(12)
    assert 0 < watching.redis.ttl(_key(watching.redis)) <= keys.DELIVERIES_TTL


def test_unreadable_notes_are_skipped(watching: Watching) -> None:
    watching.ran(RunOutcome.FAILED, 10)
    key = _key(watching.redis)
    watching.redis.hset(key, mapping={"failing:x": "soon", "failures": "many", b"\xff:": b"\xff"})
    assert watching.check(12) == [("failing", "day")]


def test_a_run_by_hand_that_succeeds_is_a_recovery(watching: Watching) -> None:
    watching.ran(RunOutcome.FAILED, 10)
    watching.check(12)
    run_now(watching.redis, "test", "day", START + 20)
    watching.ran(RunOutcome.SUCCEEDED, 20)
    assert watching.check(100) == [("recovered", "day")]


def _key(redis: Redis) -> bytes:
    (key,) = redis.keys("clock:test:deliveries:*")
    assert isinstance(key, bytes)
    return key


def test_the_docs_have_the_numbers_of_the_code() -> None:
    page = " ".join((ROOT / "docs/watchers.md").read_text(encoding="utf-8").split())
    tries = [f"{wait:g}" for wait in BACK_OFF]
    for sentence in (
        f"A webhook has {TIMEOUT:g} seconds to answer",
        f"tries again after {', '.join(tries[:-1])} and {tries[-1]} seconds",
        f"then every {LONGEST / 60:g} minutes",
        f"by the next clock after {LEASE:g} seconds",
        f"it names {NAMED} events",
        f"they take {SHARE:.0%} of a core at most".replace("%", " %"),
    ):
        assert sentence in page, sentence
    assert (EVERY, QUIET) == (5, 60)
    assert "every five seconds" in page
    assert "one message a minute" in page
