"""Which server, serializer and application jobs are enqueued for."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from redis import Redis
from rq import Queue
from rq.cli.workers import worker
from rq.job import Job
from rq.serializers import JSONSerializer

from clock.cli.start import start
from clock.connection.client import address_of
from clock.errors import SettingsError
from clock.jobs.target import find_target
from tests.jobs.working import running_here


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLOCK_REDIS_URL", "RQ_REDIS_URL", "REDIS_TLS_URL", "REDIS_URL", "RQ_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_the_default_is_localhost() -> None:
    target = find_target()
    assert address_of(target.connection) == "redis://localhost:6379/0"
    assert (target.serializer, target.app) == ("pickle", "clock")


def test_the_settings_module_of_the_environment_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "settings_of_jobs.py").write_text(
        "REDIS_URL = 'redis://:secret@settings:1/2'\nSERIALIZER = 'json'\nAPP = 'shop'\n"
    )
    monkeypatch.setenv("RQ_CONFIG", "settings_of_jobs")
    target = find_target()
    assert address_of(target.connection) == "redis://settings:1/2"
    assert (target.serializer, target.app) == ("json", "shop")


def test_a_settings_module_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RQ_CONFIG", "no_such_settings")
    with pytest.raises(SettingsError, match="settings module 'no_such_settings'"):
        find_target()


def test_the_command_that_runs_here_overrides_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://environment:1")
    context = click.Context(start)
    context.params = {
        "url": "redis://command:3",
        "app": "shop",
        "serializer": "json",
        "style": None,
    }
    with context:
        target = find_target()
    assert address_of(target.connection) == "redis://command:3/0"
    assert (target.serializer, target.app) == ("json", "shop")
    assert address_of(find_target().connection) == "redis://environment:1/0"


def test_the_options_of_rqs_worker_are_used() -> None:
    context = click.Context(worker)
    context.params = {"url": "redis://command:3", "serializer": "json"}
    with context:
        target = find_target()
    assert address_of(target.connection) == "redis://command:3/0"
    assert target.serializer == "json"


def test_the_options_of_any_other_program_are_not_read() -> None:
    @click.command()
    def uvicorn() -> None: ...

    context = click.Context(uvicorn)
    context.params = {
        "app": "uapp:app",
        "config": "logging.ini",
        "serializer": "xml",
        "settings": "of_the_program",
        "url": "https://example.org",
    }
    with context:
        target = find_target()
    assert address_of(target.connection) == "redis://localhost:6379/0"
    assert (target.serializer, target.app) == ("pickle", "clock")


def test_the_job_that_runs_here_overrides_the_command(redis: Redis) -> None:
    job = Queue(connection=redis, serializer=JSONSerializer).enqueue("tasks.x")
    context = click.Context(worker)
    context.params = {"url": "redis://command:3", "serializer": "rq.serializers.DefaultSerializer"}
    with running_here(Job.fetch(job.id, connection=redis, serializer=JSONSerializer)), context:
        target = find_target()
    assert target.connection is redis
    assert target.serializer is JSONSerializer


def test_a_connection_overrides_all_else(redis: Redis) -> None:
    assert find_target(redis).connection is redis
