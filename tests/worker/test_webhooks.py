"""RQ's webhooks: what the service at their URL hears of a job's end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis
from rq import Queue, Retry

from clock.worker import Worker
from tests.watchers.receiver import receiver
from tests.worker import ending_tasks

pytest.importorskip("rq.webhook", reason="RQ has webhooks from 2.12 on")


@pytest.mark.parametrize(
    ("task", "options", "heard"),
    [
        (ending_tasks.say, {}, ["/finished"]),
        (ending_tasks.fail, {}, ["/failed"]),
        (ending_tasks.fail, {"retry": Retry(1)}, ["/failed"]),
        (ending_tasks.leave, {}, ["/failed"]),
    ],
    ids=["finished", "failed", "failed for the last time", "killed its child"],
)
def test_a_webhook_is_sent_once_at_the_end(
    redis: Redis, task: Callable[[], Any], options: dict[str, Any], heard: list[str]
) -> None:
    from rq.webhook import Webhook

    queue = Queue("default", connection=redis)
    with receiver() as service:
        url = f"http://127.0.0.1:{service.port}"
        webhooks = [
            Webhook(f"{url}/finished", "finished", method="POST"),
            Webhook(f"{url}/failed", "failed", method="POST"),
        ]
        queue.enqueue(task, webhooks=webhooks, **options)
        Worker([queue], connection=redis).work(burst=True, logging_level="CRITICAL")
        assert service.paths() == heard
