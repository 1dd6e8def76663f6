"""A child that is a new interpreter: what it is told, and how it becomes what a fork would be."""

from __future__ import annotations

import importlib
import logging.config
import os
import pickle
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

import click
import click.globals
from rq.logutils import setup_loghandlers

from clock import exit_codes
from clock.connection.passing import to_bytes
from clock.errors import SettingsError
from clock.settings import settings_module
from clock.worker.child import Child, Plan
from clock.worker.configuration import options_of_command
from clock.worker.interruption import die_with
from clock.worker.slot import Slots

MAIN = "clock.worker.spawned_child.main"

log = logging.getLogger("rq.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDescription:
    """A worker of RQ's as a new process makes it: its class, its ``arguments``, and what is set
    later. ``options`` are those of RQ's command that are strings, ``log_handlers`` the arguments of
    ``work`` for them, and ``has_django`` says whether Django was set up.
    """

    kind: type[Any]
    queues: Sequence[str]
    arguments: dict[str, Any]
    attributes: dict[str, Any]
    options: dict[str, str] | None
    log_handlers: tuple[str | None, str, str]
    has_django: bool

    def build(self) -> Any:
        """The worker, with logging as RQ's command or Django would have it. Raises SettingsError,
        and what the application's modules raise.
        """
        config = (self.options or {}).get("config")
        handlers = settings_module(config).get("DICT_CONFIG") if config else None
        if handlers:
            logging.config.dictConfig(handlers)
        if self.has_django:
            importlib.import_module("django").setup()
        for name in ("rq.worker", "rq.job"):
            setup_loghandlers(*self.log_handlers, name=name)
        context = click.Context(click.Command("worker", callback=main))
        if self.options is not None:
            # Worker and tasks look for their settings where RQ's command has them.
            click.globals.push_context(context)
            context.params["config"] = config
        worker = self.kind(list(self.queues), **self.arguments)
        context.params |= self.options or {}
        for name, value in self.attributes.items():
            setattr(worker, name, value)
        return worker


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildDescription:
    """A child of the process ``parent``: the arguments of Child, with the descriptors of the stop
    and of the memory with its slots.
    """

    parent: int
    index: int
    owner: str
    text: str
    stop: int
    memory: int
    concurrency: int
    has_output: bool
    plan: Plan


def describe(worker: Any, log_handlers: tuple[str | None, str, str]) -> bytes:
    """The WorkerDescription of ``worker``, for ``main``. Raises SettingsError for what cannot be
    passed to another process.
    """
    handlers = list(worker._exc_handlers)
    kinds = (type(worker), worker.job_class, worker.queue_class, worker.death_penalty_class)
    for passed in (*kinds, worker.serializer, *handlers):
        if getattr(passed, "__module__", None) == "__main__":
            raise SettingsError(
                f"{_START_ANEW}, so {passed!r} must be in a module, not in __main__"
            )
    description = WorkerDescription(
        kind=type(worker),
        queues=worker.queue_names(),
        arguments={
            "name": worker.name,
            "connection": worker.connection,
            "default_result_ttl": worker.default_result_ttl,
            "worker_ttl": worker.worker_ttl,
            "job_monitoring_interval": worker.job_monitoring_interval,
            "job_class": worker.job_class,
            "queue_class": worker.queue_class,
            "serializer": worker.serializer,
            "exception_handlers": handlers,
            "disable_default_exception_handler": worker.disable_default_exception_handler,
            "log_job_description": worker.log_job_description,
            "prepare_for_work": False,
        },
        attributes={
            "death_penalty_class": worker.death_penalty_class,
            "log_result_lifespan": worker.log_result_lifespan,
            "_dequeue_strategy": worker._dequeue_strategy,
        },
        options=options_of_command(),
        log_handlers=log_handlers,
        has_django=_has_django(),
    )
    try:
        return to_bytes(description)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise SettingsError(f"{_START_ANEW}, and cannot be passed all it needs: {error}") from None


_START_ANEW = f"a worker's children are new processes on {sys.platform}"


def main(descriptor: int) -> NoReturn:
    """Be the child that can be read from ``descriptor``: a WorkerDescription, and a
    ChildDescription. Ends with USAGE where it cannot be.
    """
    try:
        with os.fdopen(descriptor, "rb") as file:
            worker = pickle.load(file).build()  # noqa: S301 - of our own process
            child: ChildDescription = pickle.load(file)  # noqa: S301
        die_with(child.parent)
        os.set_inheritable(child.stop, False)
        worker.prepare_child()
        slots = Slots.opened(child.memory, child.concurrency, has_output=child.has_output)
    except SystemExit:
        raise
    except Exception as error:  # modules of the application are anybody's code
        log.error("a child cannot be started: %s: %s", type(error).__name__, error, exc_info=True)
        sys.exit(exit_codes.USAGE)
    worker.be_child(
        Child(
            worker,
            owner=child.owner,
            text=child.text,
            slots=slots[child.index],
            stop=child.stop,
            plan=child.plan,
        )
    )
    raise AssertionError("a child does not return")


def _has_django() -> bool:
    with suppress(KeyError, AttributeError):
        return bool(sys.modules["django.apps"].apps.ready)
    return False
