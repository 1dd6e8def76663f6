"""The task of a job is called with all that others have put around it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest
import sentry_sdk
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.timeouts import JobTimeoutException
from rq.worker import BaseWorker
from sentry_sdk.integrations.rq import RqIntegration

from clock.worker import Worker
from clock.worker.interruption import Interruption, Stopping
from tests.worker import ending_tasks


class KeepInRedis(sentry_sdk.transport.Transport):
    """Keeps the kinds of what would be sent, from whichever process."""

    def capture_envelope(self, envelope: Any) -> None:
        with Redis.from_url(str((self.options or {})["server_name"])) as connection:
            for item in envelope.items:
                connection.rpush("sent", item.type)


@pytest.fixture
def watched_by_sentry(server_url: str) -> Iterator[None]:
    """Sentry's own integration with RQ is in place, and taken away again."""
    before = (BaseWorker.perform_job, BaseWorker.handle_exception, Queue.enqueue_job)
    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        server_name=server_url,
        transport=KeepInRedis,
        integrations=[RqIntegration()],
        default_integrations=False,
        traces_sample_rate=1.0,
    )
    yield
    sentry_sdk.get_client().close(timeout=2)
    sentry_sdk.get_global_scope().set_client(None)
    BaseWorker.perform_job, BaseWorker.handle_exception, Queue.enqueue_job = before  # type: ignore[method-assign]


def run(redis: Redis, task: Callable[..., Any]) -> Job:
    queue = Queue("default", connection=redis)
    job: Job = queue.enqueue(task)
    Worker([queue], connection=redis).work(burst=True, logging_level="CRITICAL")
    job.refresh()  # type: ignore[no-untyped-call]
    return job


@pytest.mark.usefixtures("watched_by_sentry")
def test_sentry_s_integration_sees_each_job(redis: Redis) -> None:
    assert run(redis, ending_tasks.say).is_finished
    assert redis.lrange("sent", 0, -1) == [b"transaction"]


def test_what_is_around_rq_s_perform_is_called(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform = Job.perform

    @wraps(perform)
    def counted(job: Job) -> Any:
        job.connection.incr("performed")
        return perform(job)

    monkeypatch.setattr(Job, "perform", counted)
    assert run(redis, ending_tasks.say).is_finished
    assert redis.get("performed") == b"1"


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    """One whose signals this process takes."""
    before = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGTERM)}
    interruption = Interruption()
    interruption.listen()
    yield interruption
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_task_is_interrupted_once_its_time_is_over(interruption: Interruption) -> None:
    with pytest.raises(JobTimeoutException, match=r"maximum timeout value \(9 seconds\)"):
        interruption.call(signal.pause, 0.01, 9)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_comes_after_the_task_is_not_interrupted(interruption: Interruption) -> None:
    assert interruption.call(lambda: 7, 60, 60) == 7
    signal.raise_signal(signal.SIGALRM)


def test_a_stop_before_the_task_interrupts_it_as_it_begins(interruption: Interruption) -> None:
    signal.raise_signal(signal.SIGRTMIN)
    with pytest.raises(Stopping):
        interruption.call(lambda: 7, 60, 60)
