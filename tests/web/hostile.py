"""An application whose server somebody has written into: what is right, and beside it everything
wrong that could be there.
"""

from __future__ import annotations

import json
import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from rq import Queue, Worker

from clock import keys
from clock.connection import rq_keys
from clock.ledger.audit import write_entry
from clock.ledger.audit_entry import Actor, Entry, Outcome
from clock.ledger.pauses import Pause, pause
from clock.ledger.trends import DAY, HOUR, QUEUE_MINUTES, SCALES
from clock.runs.output import RunOutput, write_output
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from clock.worker.usage import Usage
from tests.jobs.working import start, work_off
from tests.loop.heartbeat import START

APP = "test"
PLACES = b"\x80\x04]r\xff\xff\xff\x03."
"""Nine bytes of a pickle, for which half a gigabyte is taken."""
INFLATED = zlib.compress(bytes(20_000_000), 9)
"""Some kilobytes that are twenty megabytes."""

VALUES = [
    b"", b" ", b"x", b"-1", b"-", b"0", b"nan", b"inf", b"1e400", b"1.5", b"9" * 12, b"9" * 5000,
    b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"x" * 200_000, "٣".encode(), b"1 2", b"\n",
    b"null", b"true", b"[]", b"{}", b"[[],[]]", b'"\\ud800"', b"1", b"[" * 100_000,
    b'{"clock":{"event":"\\ud800","scheduled_at":7,"manual":"x"}}', b'["\\ud800",null,[NaN],{}]',
    PLACES, INFLATED, b64encode(INFLATED), zlib.compress(PLACES), b"\x80", b"\x80\x04.",
    b"\x80\x04(" + b"(lp0\n" * 3 + b".", b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    b"\x80\x04\x96\xff\xff\xff\xff\xff\xff\xff\x7f.", b"\x80\x04]" + b"\x94" * 50 + b".",
    b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"2026-01-01",
]  # fmt: skip
"""What a field may hold: other texts, other types, numbers of every size, and what makes a reader
take more memory than it has.
"""

WORDS = [
    b"", b"x", b"-1", b"nan", b"1e400", b"9" * 12, b"9" * 5000, b"\xff", b"x" * 200_000, b"1.5",
    b"f253402300800", b"q5", b"f5-6*-1", b"f1800000000+9e9", b"0|f", "٣".encode(),
]  # fmt: skip
"""What a word of a line may be."""

PARTS = [
    "null", "true", "[]", "{}", '""', '"\\ud800"', "-1", "0.5", "1e400", "NaN", "-Infinity",
    "9" * 400, '"x"', '["a"]', json.dumps("x" * 100_000), "[" * 5000 + "]" * 5000,
    '{"zone":"\\u0000"}', '{"is":"Elapsed","period":0,"anchor":0}',
    '{"is":"Elapsed","period":-7,"anchor":0}', '{"is":"Elapsed","period":1.5,"anchor":0}',
    '{"is":"Union","parts":[]}', '{"is":"Wall"}', '{"range":[0,1000000000000,1]}',
    '{"is":"Wall","days":{"is":"EveryDays"},"seconds":{"range":[0,1000000000000,1]},'
    '"zone":{"zone":"UTC"}}',
    '{"is":"Wall","days":{"is":"EveryDays","count":0},"seconds":[0],"zone":{"zone":"UTC"}}',
    '{"is":"Wall","days":{"is":"WeekDays","weekdays":[]},"seconds":[0],"zone":{"zone":"UTC"}}',
    '{"is":"Later","inner":{"is":"Elapsed","period":1,"anchor":0},"by":9' + "0" * 400 + "}",
]  # fmt: skip
"""What a part of a line of JSON may be."""

OUTPUT = RunOutput(
    job="good-fail",
    attempt=1,
    event="ten",
    outcome=RunOutcome.FAILED,
    ended=START,
    text="a line\n",
    written=7,
)
ACTOR = Actor(name="ann", how="page", source="10.1.2.3")

ENDS = ("origin", "status", "meta", "data")


def fill(redis: Any) -> None:
    """What is right, for a clock of ``APP`` with the events ``ten``, ``stream`` and ``a/b ü``."""
    pause(redis, APP, "a/b ü", Pause(until=None, reason="because", by="me", since=int(START)))
    write_run(redis, APP, _run("ten"))
    write_output(redis, APP, OUTPUT, 2**20)
    redis.hset(keys.counters(APP), mapping={"refused": 1, "lateness:0": 2, "lateness:sum": "0.1"})
    Worker(["default"], connection=redis, name="good").register_birth()  # type: ignore[no-untyped-call]
    usage = Usage(processes=3, memory=1 << 20, cpu=1.0, load=0.5)
    redis.hset("rq:worker:good", mapping=usage.fields())
    queue = Queue("default", connection=redis)
    for task in ("fail", "say"):
        queue.enqueue(f"tests.jobs.working.{task}", "x", job_id=f"good-{task}")
        work_off(redis)
    queue.enqueue("tests.jobs.working.say", "x", job_id="good-queued")
    queue.enqueue("tests.jobs.working.say", "x", job_id="good-started")
    # A slow machine takes longer than an execution is kept.
    redis.persist(start(redis, "good-started").key)
    progress = {"done": 1, "total": 2, "message": "half", "at": START}
    redis.hset(keys.progress("good-started"), mapping=progress)
    for outcome in (Outcome.DONE, Outcome.FAILED):
        entry = Entry(
            at=START, actor=ACTOR, what="pause", on="ten", outcome=outcome, after={"a": 1}
        )
        write_entry(redis, APP, entry)


def spoil(redis: Any) -> None:
    """Beside it, what is wrong."""
    _spoil_ledger(redis)
    _spoil_jobs(redis)
    _spoil_queues(redis)
    _spoil_audit(redis)


def _spoil_ledger(redis: Any) -> None:
    for key in (keys.decided, keys.pauses, keys.clocks, keys.descriptions, keys.instants):
        good = redis.hgetall(key(APP))
        name, line = sorted(good.items())[-1]
        spoiled = [*VALUES, *_lines(line.decode())]
        bad = {f"bad {number} {key(APP)}".encode(): line for number, line in enumerate(spoiled)}
        # Every event must be described, or nobody looks at what else there is of it.
        described = redis.hgetall(keys.descriptions(APP))[b"ten"]
        if key is not keys.clocks:
            redis.hset(keys.descriptions(APP), mapping=dict.fromkeys(bad, described))
        redis.hset(key(APP), mapping=bad)
        redis.hset(key(APP), mapping={value or b"?": line for value in VALUES})
    runs = redis.lindex(keys.runs(APP, "ten"), 0)
    redis.rpush(keys.runs(APP, "ten"), *VALUES, *_lines(runs.decode()))
    for of in ("ten", "stream"):
        redis.rpush(keys.bad_output(APP, of), *VALUES)
        redis.rpush(keys.last_output(APP, of), *VALUES)
    redis.rpush(keys.runs(APP, "stream"), *VALUES, *_lines(runs.decode()))
    redis.rpush(keys.ended_pauses(APP), *VALUES, *_lines('{"event":"ten","until":1,"by":"x"}'))
    for number, value in enumerate(VALUES):
        name = f"bad {number} {keys.decided(APP)}"
        redis.rpush(keys.runs(APP, name), value)
        for field in ("succeeded", "outcome:failed", "duration:1", "duration:sum", value):
            redis.hset(keys.measured(APP, name), field, value)
    redis.hset(keys.counters(APP), "refused", "-1")
    cell = struct.pack("<BIIId", 0, 1, 1, 1, float("inf"))
    for scale in SCALES:
        for at in (START, START - DAY, START - 20 * DAY):
            counted = keys.trends(APP, scale.hash_at(int(at)))
            named = {f"bad {number}": value for number, value in enumerate(VALUES)}
            redis.hset(counted, mapping=named)
            redis.hset(counted, mapping={value or b"?": cell for value in VALUES})
            redis.hset(counted, mapping={"ten": 60 * cell, "default": cell[:-1] + b"\xff"})
    redis.set(keys.trends(APP, QUEUE_MINUTES.hash_at(int(START) - HOUR)), "x")


def _spoil_jobs(redis: Any) -> None:
    good = redis.hgetall("rq:job:good-fail")
    output = redis.hget(keys.output(APP, "good-fail"), "1")
    result = redis.xrange("rq:results:good-fail")[0][1]
    execution = redis.zrange("rq:wip:default", 0, 0)[0].decode().partition(":")[2]
    names = [f"bad-{number}" for number in range(len(VALUES))]
    for number, value in enumerate(VALUES):
        for field in good:
            name = f"bad-{number}-{field.decode()}"
            names.append(name)
            redis.hset(f"rq:job:{name}", mapping=good | {field: value})
        name = f"bad-{number}"
        redis.hset(f"rq:job:{name}", mapping=good)
        redis.hset(keys.output(APP, "good-fail"), value or b"?", output)
        redis.hset(keys.output(APP, name), mapping={"1": value, "2": value + b"\n" + output})
        redis.hset(keys.output(APP, name), mapping=dict(enumerate(_lines(output.decode()), 3)))
        redis.xadd(f"rq:results:{name}", result | {b"exc_string": value})
        for field in ("done", "total", "message", "at"):
            progress = {"done": 1, "total": 2, "message": "half", "at": START} | {field: value}
            redis.hset(keys.progress(f"bad-{number}-{ENDS[len(field) % 4]}"), mapping=progress)
        redis.hset(f"rq:execution:{name}:{execution}", "last_heartbeat", value)
    names += ["bad-kind", "bad-results"]
    redis.set("rq:job:bad-kind", "x")
    redis.hset("rq:job:bad-results", mapping=good)
    redis.set("rq:results:bad-results", "x")
    for name in names:
        redis.rpush("rq:queue:default", name)
        redis.zadd("rq:wip:default", {f"{name}:{execution}": START + 90})
        for kind in ("failed", "finished", "scheduled", "deferred", "canceled"):
            redis.zadd(f"rq:{kind}:default", {name: START + 10**6})


def _spoil_queues(redis: Any) -> None:
    worker = redis.hgetall("rq:worker:good")
    for number, value in enumerate(VALUES):
        redis.rpush("rq:queue:default", value)
        redis.sadd("rq:queues", value, b"rq:queue:" + value)
        for kind in ("wip", "failed", "finished", "scheduled", "deferred", "canceled"):
            redis.zadd(f"rq:{kind}:default", {value: START + 10**6})
        redis.sadd("rq:workers", value)
        redis.sadd(rq_keys.RATE_LIMITS, "limit", value)
        redis.zadd(rq_keys.rate_limited("limit"), {value: START, f"bad-{number}": START})
        redis.sadd(rq_keys.executions_of_worker("bad-0-pid"), value)
        redis.sadd("rq:workers:default", value)
        for field in worker:
            name = f"rq:worker:bad-{number}-{field.decode()}"
            redis.hset(name, mapping=worker | {field: value, b"queues": b"default"})
            redis.sadd("rq:workers", name)
            redis.sadd("rq:workers:default", name)
    redis.set("rq:worker:bad-kind", "x")
    redis.sadd("rq:workers", "rq:worker:bad-kind")


def _spoil_audit(redis: Any) -> None:
    for key in (keys.audit(APP), keys.failed_audit(APP)):
        ((_, good),) = redis.xrange(key)
        for field in good:
            for value in VALUES:
                redis.xadd(key, good | {field: value})
        for part in PARTS:
            redis.xadd(key, good | {b"after": f'{{"a":{part}}}'.encode()})
        redis.xadd(key, {b"\xff": b"\xff"})


def _lines(line: str) -> Iterator[bytes]:
    """``line`` with one part after the other replaced by what it may not be."""
    for position in (0, 1, 3, 10):
        for value in WORDS:
            words = [word.encode() for word in line.split(" ")]
            if position < len(words):
                words[position] = value
                yield b" ".join(words)
    head, _, body = line.partition("{" if "{" in line else "[")
    try:
        fields = json.loads(("{" if "{" in line else "[") + body)
    except ValueError:
        return
    for field in fields if isinstance(fields, Mapping) else range(len(fields)):
        for part in PARTS:
            mark = json.dumps("the part to replace")
            changed = dict(fields) if isinstance(fields, dict) else list(fields)
            changed[field] = "the part to replace"
            text = json.dumps(changed, ensure_ascii=False, separators=(",", ":"))
            yield (head + text.replace(mark, part)).encode()


def _run(event: str) -> Run:
    return Run(
        event=event,
        scheduled=int(START) + 20,
        enqueued=START + 20,
        started=START + 20.1,
        ended=START + 20.3,
        outcome=RunOutcome.SUCCEEDED,
        error=None,
        attempt=1,
        worker="good",
        job="j",
    )
