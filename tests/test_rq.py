"""Which RQ these tests run against, and that the names of its keys are its own."""

from __future__ import annotations

import os
from pathlib import Path

import rq
from rq import Queue
from rq.executions import ExecutionRegistry
from rq.job import Job
from rq.registry import (
    BaseRegistry,
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from rq.results import Result
from rq.version import VERSION
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

import clock
from clock.connection import rq_keys
from clock.jobs import rq_versions

REGISTRIES: dict[str, type[BaseRegistry]] = {
    "wip": StartedJobRegistry,
    "scheduled": ScheduledJobRegistry,
    "deferred": DeferredJobRegistry,
    "finished": FinishedJobRegistry,
    "failed": FailedJobRegistry,
    "canceled": CanceledJobRegistry,
}


def test_it_is_the_rq_that_was_asked_for() -> None:
    asked = os.environ.get("RQ_RELEASE")
    folder = f"rq{asked}" if asked else "site-packages"
    assert f"/{folder}/" in (rq.__file__ or "")
    assert VERSION.startswith(asked or "3.")
    assert VERSION.startswith("2.") == rq_versions.IS_RQ_2


def test_the_names_of_rq_s_keys_are_those_of_the_installed_rq() -> None:
    assert Job.key_for("a") == rq_keys.JOB + "a"
    assert Queue.redis_queue_namespace_prefix == rq_keys.QUEUE
    assert rq.Worker.redis_worker_namespace_prefix == rq_keys.WORKER
    assert rq_keys.workers_of("q") == WORKERS_BY_QUEUE_KEY % "q"
    assert rq_keys.results("a") == Result.get_key("a")  # type: ignore[no-untyped-call]
    assert rq_keys.executions("a") == ExecutionRegistry.key_template.format("a")
    for kind, registry in REGISTRIES.items():
        assert rq_keys.registry(kind, "q") == registry.key_template.format("q")


def test_no_key_of_rq_is_written_out_in_the_package() -> None:
    package = Path(clock.__file__).parent
    files = [file for file in package.rglob("*.*") if file.suffix in {".py", ".lua", ".html"}]
    assert len(files) > 100
    assert [str(file) for file in files if "rq:" in file.read_text(encoding="utf-8")] == []
