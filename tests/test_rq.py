"""The RQ under test, and that the names of its keys are in one module."""

from __future__ import annotations

import os
import re
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

PACKAGE = Path(clock.__file__).parent

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


def test_rq_s_keys_are_those_of_the_installed_rq() -> None:
    assert Job.key_for("a") == rq_keys.JOB + "a"
    assert Queue.redis_queue_namespace_prefix == rq_keys.QUEUE
    assert rq.Worker.redis_worker_namespace_prefix == rq_keys.WORKER
    assert rq_keys.workers_of("q") == WORKERS_BY_QUEUE_KEY % "q"
    assert rq_keys.results("a") == Result.get_key("a")  # type: ignore[no-untyped-call]
    assert rq_keys.executions("a") == ExecutionRegistry.key_template.format("a")
    for kind, registry in REGISTRIES.items():
        assert rq_keys.registry(kind, "q") == registry.key_template.format("q")


def test_no_other_module_names_a_key_of_rq() -> None:
    files = [file for file in PACKAGE.rglob("*.*") if file.suffix in {".py", ".lua", ".html"}]
    assert len(files) > 100
    assert [str(file) for file in files if "rq:" in file.read_text(encoding="utf-8")] == []

    names = re.compile(r"redis_\w+_(prefix|keys)|key_template|WORKER\w*_KEYS?\b")
    users = {file.relative_to(PACKAGE) for file in files if names.search(file.read_text("utf-8"))}
    # Workers call RQ's own classes, which they extend.
    assert {path for path in users if path.parts[0] != "worker"} == {Path("connection/rq_keys.py")}


def test_no_other_module_names_a_key_of_ours() -> None:
    key = re.compile(r"""f?["']clock:(?! )""")
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.lua")]
    users = {file.relative_to(PACKAGE) for file in files if key.search(file.read_text("utf-8"))}
    assert users == {Path("keys.py")}
