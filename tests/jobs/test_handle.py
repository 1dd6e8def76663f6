"""What a handle says of a job, asked of a real server."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus

from clock.errors import (
    JobError,
    JobExpiredError,
    JobFailedError,
    JobServerError,
    JobTimeoutError,
    JobUnknownError,
    WaitRefusedError,
)
from clock.inside import inside_the_clock
from clock.jobs import Handle, Status, call, enqueue
from tests.jobs.working import start, work_off
from tests.live.port import free_port
from tests.live.waiting import wait_for
from tests.simple_worker import SimpleWorker

SAY, FAIL = "tests.jobs.working.say", "tests.jobs.working.fail"


def test_a_job_waits_runs_and_finishes(redis: Redis) -> None:
    handle = enqueue(SAY, args=["hello"], connection=redis)
    assert handle.status() is Status.WAITING
    start(redis, handle.id)
    assert handle.status() is Status.RUNNING
    Queue(connection=redis).push_job_id(handle.id)
    work_off(redis)
    assert handle.status() is Status.FINISHED
    assert handle.result(0) == "hello"


@pytest.mark.parametrize("status", [JobStatus.SCHEDULED, JobStatus.DEFERRED, JobStatus.CREATED])
def test_a_job_that_is_to_be_queued_later_waits(status: JobStatus, redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    Job.fetch(handle.id, connection=redis).set_status(status)
    assert handle.status() is Status.WAITING


def test_the_result_of_a_failed_job_raises_its_error(redis: Redis) -> None:
    handle = enqueue(FAIL, connection=redis)
    work_off(redis)
    assert handle.status() is Status.FAILED
    with pytest.raises(JobFailedError) as caught:
        handle.result(0)
    assert str(caught.value) == "ValueError: no such feed"
    assert caught.value.traceback.startswith("Traceback")


def test_a_cancelled_job_failed(redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    Job.fetch(handle.id, connection=redis).cancel()
    assert handle.status() is Status.FAILED
    with pytest.raises(JobFailedError, match="it was stopped or cancelled"):
        handle.result(0)


def test_a_job_that_waits_is_cancelled_and_not_run(redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    assert handle.cancel()
    work_off(redis)
    assert handle.status() is Status.FAILED
    assert not handle.cancel()
    with pytest.raises(JobFailedError, match="it was stopped or cancelled"):
        handle.result(0)


def test_a_cancelled_job_stands_for_its_equals_no_more(redis: Redis) -> None:
    handle = enqueue(SAY, unique="unfinished", connection=redis)
    assert handle.cancel()
    assert enqueue(SAY, unique="unfinished", connection=redis).is_new


def test_a_job_that_runs_or_has_ended_is_not_cancelled(redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    start(redis, handle.id)
    assert not handle.cancel()
    assert handle.status() is Status.RUNNING
    Queue(connection=redis).push_job_id(handle.id)
    work_off(redis)
    assert not handle.cancel()
    assert handle.result(0) == "done"


def test_the_end_of_a_wait_is_the_cancelling(redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    threading.Timer(0.3, handle.cancel).start()
    with pytest.raises(JobFailedError):
        handle.result(10)


def test_what_no_worker_runs_cannot_be_stopped(redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    assert not handle.stop()
    work_off(redis)
    assert not handle.stop()
    assert not Handle("nobody", redis).stop()
    assert not Handle("nobody", redis).cancel()


def test_the_worker_that_runs_a_job_is_asked_to_stop_it(redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    start(redis, handle.id, worker="w")
    connection: Any = redis
    with connection.pubsub() as pubsub:
        pubsub.subscribe("rq:pubsub:w")
        wait_for("it is subscribed", pubsub.get_message)
        assert handle.stop()
        message = wait_for("the command", pubsub.get_message)
    assert json.loads(message["data"])["command"] == "stop-job"
    assert json.loads(message["data"])["job_id"] == handle.id


def test_a_job_that_failed_and_was_requeued_waits_again(redis: Redis) -> None:
    handle = enqueue(FAIL, connection=redis)
    work_off(redis)
    Job.fetch(handle.id, connection=redis).requeue()
    assert handle.status() is Status.WAITING
    redis.config_resetstat()
    with pytest.raises(JobTimeoutError):
        handle.result(0.3)
    # The result of the first run wakes nobody.
    assert redis.info("commandstats")["cmdstat_xread"]["calls"] == 1


@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_a_job_that_ended_as_skipped_is_neither_finished_nor_failed(
    serializer: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOCK_SERIALIZER", serializer)
    handle = enqueue(SAY, connection=redis)
    job = Job.fetch(handle.id, connection=redis, serializer=serializer)
    job.meta["clock_outcome"] = {"kind": "skipped"}
    job.save_meta()  # type: ignore[no-untyped-call]
    job.set_status(JobStatus.FINISHED)
    assert handle.status() is Status.SKIPPED
    job.set_status(JobStatus.FAILED)
    assert handle.status() is Status.FAILED


def test_a_meta_that_cannot_be_read_is_of_a_finished_job_all_the_same(redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    redis.hset(f"rq:job:{handle.id}", mapping={"meta": b"\xff?", "status": "finished"})
    assert handle.status() is Status.FINISHED


def test_a_job_that_was_not_started_in_time_has_expired(redis: Redis) -> None:
    handle = enqueue(SAY, expires=1, connection=redis)
    assert handle.status() is Status.WAITING
    wait_for("it expires", lambda: handle.status() is Status.EXPIRED, within=3)
    with pytest.raises(JobExpiredError, match=f"{handle.id} was not started in time"):
        handle.result(5)


def test_who_waits_for_a_job_that_expires_waits_no_longer(redis: Redis) -> None:
    handle = enqueue(SAY, expires=1, connection=redis)
    begin = time.monotonic()
    with pytest.raises(JobExpiredError):
        handle.result(30)
    assert time.monotonic() - begin < 3


def test_a_job_that_was_forgotten_before_it_could_expire_is_unknown(redis: Redis) -> None:
    handle = enqueue(SAY, expires=60, connection=redis)
    redis.delete(f"rq:job:{handle.id}")
    assert handle.status() is Status.UNKNOWN


def test_a_job_that_may_have_ended_and_been_deleted_is_not_called_expired(
    redis: Redis,
) -> None:
    """Kept for five seconds after its end, it may be gone for either reason from then on."""
    enqueue(SAY, expires=2, result_ttl=5, id="a", connection=redis)
    enqueue(SAY, expires=10, result_ttl=5, id="b", connection=redis)
    enqueue(SAY, expires=2, result_ttl=20, failure_ttl=4, id="c", connection=redis)
    enqueue(SAY, expires=2, result_ttl=0, id="d", connection=redis)
    enqueue(SAY, expires=2, delay=100, result_ttl=5, id="e", connection=redis)
    enqueue(SAY, expires=2, result_ttl=-1, failure_ttl=-1, id="f", connection=redis)
    lasts = {job_id: redis.ttl(f"clock:expires:{job_id}") for job_id in "abcdef"}
    assert 4 <= lasts["a"] <= 5
    assert lasts["b"] == lasts["d"] == -2
    assert 3 <= lasts["c"] <= 4
    assert 104 <= lasts["e"] <= 106
    assert 29 * 86_400 < lasts["f"] <= 31 * 86_400


def test_an_id_that_no_job_has_is_unknown(redis: Redis) -> None:
    handle = Handle("nobody", redis)
    assert handle.status() is Status.UNKNOWN
    assert handle.progress() is None
    with pytest.raises(
        JobUnknownError, match="nobody is unknown: it never existed, or is no longer kept"
    ):
        handle.result(5)


def test_a_job_whose_result_is_gone_is_unknown(redis: Redis) -> None:
    handle = enqueue(SAY, result_ttl=0, connection=redis)
    work_off(redis)
    assert handle.status() is Status.UNKNOWN


def test_a_handle_is_remade_from_an_id(redis: Redis) -> None:
    handle = enqueue(SAY, args=[None], connection=redis)
    again = Handle(handle.id, redis)
    assert again == handle
    assert (handle.is_new, again.is_new) == (True, False)
    work_off(redis)
    assert again.result(0) is None


def test_a_result_is_read_with_the_serializer_of_the_settings(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOCK_SERIALIZER", "json")
    handle = enqueue(SAY, args=[{"rows": 3}], connection=redis)
    SimpleWorker(["default"], connection=redis, serializer="json").work(
        burst=True, logging_level="CRITICAL"
    )
    assert handle.result(0) == {"rows": 3}
    monkeypatch.setenv("CLOCK_SERIALIZER", "pickle")
    with pytest.raises(JobError, match="its result cannot be read with this serializer: "):
        Handle(handle.id, redis).result(0)


def test_a_status_of_a_future_rq_is_unknown(redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    redis.hset(f"rq:job:{handle.id}", "status", "pondering")
    assert handle.status() is Status.UNKNOWN


def test_a_result_wakes_whoever_waits_for_it(redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    results: list[tuple[object, float]] = []
    waiting = threading.Thread(target=lambda: results.append((handle.result(20), time.monotonic())))
    waiting.start()
    wait_for("it waits", lambda: redis.info("clients")["blocked_clients"] == 1)
    ended = time.monotonic()
    work_off(redis)
    waiting.join()
    ((value, woken),) = results
    assert value == "done"
    assert woken - ended < 0.9


def test_waiting_asks_the_server_a_few_times_a_second_at_most(redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    redis.config_resetstat()
    with pytest.raises(JobTimeoutError, match="has not ended after 2 s; it is waiting"):
        handle.result(2)
    assert redis.info("commandstats")["cmdstat_xread"]["calls"] <= 3


def test_a_timeout_of_a_wait_is_a_timeout_error(redis: Redis) -> None:
    with pytest.raises(TimeoutError):
        enqueue(SAY, connection=redis).result(0)


def test_a_server_that_is_away_is_one_clear_error() -> None:
    port = free_port()
    with Redis(port=port) as connection:
        handle = Handle("it", connection)
        for ask in (handle.status, handle.progress, handle.result, handle.cancel, handle.stop):
            with pytest.raises(JobServerError, match=f"redis://localhost:{port}/0: .*refused"):
                ask()


def test_calling_waits_for_the_result(redis: Redis, server_url: str) -> None:
    def work() -> None:
        with Redis.from_url(server_url) as connection:
            wait_for("a job is there", lambda: connection.llen("rq:queue:high"))
            job = Job.fetch(connection.lindex("rq:queue:high", 0).decode(), connection=connection)
            job._result = "done"
            with connection.pipeline() as pipeline:
                job._handle_success(60, pipeline=pipeline)
                pipeline.execute()

    thread = threading.Thread(target=work)
    thread.start()
    assert call(SAY, priority="high", connection=redis, wait="20s") == "done"
    thread.join()


def test_calling_is_refused_inside_the_clock_and_nothing_is_enqueued(redis: Redis) -> None:
    with inside_the_clock(), pytest.raises(WaitRefusedError, match="the clock must not wait"):
        call(SAY, connection=redis)
    assert redis.dbsize() == 0


def test_waiting_for_a_result_is_refused_inside_the_clock(redis: Redis) -> None:
    handle = enqueue(SAY, connection=redis)
    with inside_the_clock(), pytest.raises(WaitRefusedError, match="the clock must not wait"):
        handle.result()


def test_calling_is_refused_inside_a_job(redis: Redis) -> None:
    handle = enqueue("tests.jobs.working.call_another", connection=redis)
    work_off(redis)
    with pytest.raises(JobFailedError, match="WaitRefusedError: a job must not wait for another"):
        handle.result(0)
    assert redis.llen("rq:queue:default") == 0


def test_a_job_enqueues_another_where_it_came_from_itself(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOCK_REDIS_URL", f"redis://127.0.0.1:{free_port()}")
    first = enqueue("tests.jobs.working.enqueue_another", connection=redis)
    work_off(redis)
    second = Handle(first.result(0), redis)
    assert second.status() is Status.FINISHED
    assert Job.fetch(second.id, connection=redis).created_at <= datetime.now(UTC)
