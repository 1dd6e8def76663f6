"""Our worker and the rate limits of RQ 3."""

from __future__ import annotations

from redis import Redis
from rq import Queue, RateLimit, Retry

from tests.live.conftest import StartWorker


def test_rate_limited_jobs_and_their_dependents_all_run(
    redis: Redis, start_worker: StartWorker
) -> None:
    queue = Queue("default", connection=redis)
    one = RateLimit("shop", 1)
    jobs = [queue.enqueue("work.add", n, 1, rate_limit=one) for n in range(3)]
    jobs.append(queue.enqueue("work.add", 3, 1, rate_limit=one, depends_on=jobs[0]))
    failing = queue.enqueue("work.fail", rate_limit=one, retry=Retry(1))
    killed = queue.enqueue("work.kill_itself", rate_limit=one)
    last = queue.enqueue("work.add", 4, 1, rate_limit=one)
    start_worker("--burst").process.wait(timeout=30)
    assert [job.return_value() for job in [*jobs, last]] == [1, 2, 3, 4, 5]
    assert failing.is_failed
    assert killed.is_failed
