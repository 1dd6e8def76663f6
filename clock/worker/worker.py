"""The worker: ``rq worker -w clock.worker.Worker``."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import random
import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError, TimeoutError
from rq import Queue, worker_registration
from rq import Retry as RQRetry
from rq import Worker as RQWorker
from rq.command import parse_payload
from rq.defaults import DEFAULT_LOGGING_DATE_FORMAT, DEFAULT_LOGGING_FORMAT
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.logutils import setup_loghandlers
from rq.registry import StartedJobRegistry
from rq.utils import as_text, utcformat
from rq.worker import DequeueStrategy
from rq.worker_registration import clean_worker_registry

from clock import exit_codes, keys, log
from clock.connection import rq_keys
from clock.errors import SettingsError
from clock.jobs.rq_versions import (
    call_on_stopped,
    clean_waiting,
    with_execution,
)
from clock.ledger.serializers import meet_clocks
from clock.runs.run import RunOutcome
from clock.watchers.run import Watchers
from clock.worker import start_method
from clock.worker.child import Child
from clock.worker.child_jobs import ChildJobs, watch
from clock.worker.configuration import (
    log_by_environment,
    one_line,
    serializer_was_given,
    settings_of_command,
)
from clock.worker.current_run import CurrentRun
from clock.worker.deaths import (
    GRACE_IS_OVER,
    STOPPED,
    Death,
    ending_of_dead,
    usage_of,
)
from clock.worker.due import move_due
from clock.worker.ending import ENDLESS, Ending, failure_of
from clock.worker.engine import Engine, leases_of
from clock.worker.fork_server import ForkServerDiedError
from clock.worker.interruption import STOP, Interruption
from clock.worker.middleware import Middleware, load_middleware
from clock.worker.performer import Performed, Performer, end_process
from clock.worker.result import is_plain
from clock.worker.run_ends import RunEnds
from clock.worker.spawned_child import describe
from clock.worker.taken import TakenJob

REPLY_TIMEOUT = 5.0
"""Seconds that the worker's own process waits for a reply, unless it was given less."""


class Worker(RQWorker):
    """RQ's worker, with an engine of its own: children that stay warm run its jobs, each of which
    ends its last job and takes the next in one step. It stops gently, takes care of what dead
    workers left, records the runs of scheduled jobs, and puts middleware around each job.

    It takes the arguments of RQ's. The settings are those of the module that ``rq worker -c``
    names, else of ``RQ_CONFIG``, and the environment; where they cannot be used, the process ends
    with exit code 2 and one line.
    """

    # RQ's minute is longer than a platform waits for a worker to stop.
    max_connection_wait_time = 5.0

    def __init__(self, queues: Any, *args: Any, **kwargs: Any) -> None:
        with one_line():
            self._settings = settings_of_command(os.environ)
        self._app = self._settings.app
        self._watchers = Watchers(
            pings=self._settings.pings, monitors=self._settings.sentry_monitors
        )
        if not serializer_was_given(kwargs.get("serializer")):
            kwargs["serializer"] = self._settings.serializer
        super().__init__(queues, *args, **kwargs)
        self._owner = f"{self.name}.{secrets.token_hex(4)}"
        self.queues = [self._as_read_here(queue) for queue in self.queues]
        self._ordered_queues = self.queues[:]
        self._interruption = Interruption()
        self._performer = self._make_performer(())
        self._engine: Engine | None = None
        self._child: Child | None = None
        self._heard_since: float | None = None
        self._ends = RunEnds(self, self._app, self._settings.output_memory)
        self._wrong_queues: set[str] = set()

    def _make_performer(self, middleware: Sequence[Middleware]) -> Performer:
        return Performer(middleware, self._settings.outcomes, self._interruption)

    def _as_read_here(self, queue: Queue) -> Queue:
        """The queue as RQ's workers read it: its jobs are of the worker's class, and written by the
        worker's serializer, whatever it was made with.
        """
        own = copy(queue)
        own.connection, own.job_class, own.serializer = (
            self.connection,
            self.job_class,
            self.serializer,
        )
        return own

    def _set_connection(self, connection: Redis) -> Redis:
        """RQ's: how long a reply may take. To RQ that is longer than its longest blocking command,
        minutes; here only a task may send one, and the worker's own process has to go on.
        """
        options = connection.connection_pool.connection_kwargs
        given = options.get("socket_timeout")
        if not isinstance(given, int | float) or given > REPLY_TIMEOUT:
            options["socket_timeout"] = REPLY_TIMEOUT
        return connection

    # The worker's own process.

    def work(
        self,
        burst: bool = False,
        logging_level: str | None = None,
        date_format: str = DEFAULT_LOGGING_DATE_FORMAT,
        log_format: str = DEFAULT_LOGGING_FORMAT,
        max_jobs: int | None = None,
        max_idle_time: int | None = None,
        with_scheduler: bool = False,
        dequeue_strategy: DequeueStrategy = DequeueStrategy.DEFAULT,
    ) -> bool:
        """RQ's: work until asked to stop; whether there was any job. Where something else ended it,
        that is logged, and the process ends with the exit code for it.

        Delayed jobs are moved to their queues with and without ``with_scheduler``.
        """
        self._dequeue_strategy = dequeue_strategy
        log_handlers = (logging_level, date_format, log_format)
        self._load()
        with one_line():
            description = describe(self, log_handlers) if start_method.SPAWNS else None
        # Here too, because the children are forked before RQ does it.
        for name in ("rq.worker", "rq.job"):
            setup_loghandlers(*log_handlers, name=name)
        self._engine = engine = Engine(
            self,
            self._settings,
            owner=self._owner,
            count=self._settings.processes if max_jobs is None else 1,
            burst=burst,
            run=self.be_child,
            prepare=self._preload,
            description=description,
        )
        engine.start()
        failure: Exception | None = None
        try:
            self.bootstrap(logging_level, date_format, log_format)
            # First: whoever sees its heartbeat may ask it to stop.
            self._install_signal_handlers()
            engine.watch(self._heard_since)
            try:
                # One that is denied is logged by the heartbeat, which tries again.
                with suppress(ResponseError):
                    move_due(self.connection, self.queues)
                engine.manage(max_jobs, max_idle_time)
            except StopRequested:
                pass
            except ForkServerDiedError as error:
                self.log.error("Worker %s: %s", self.name, error)
                failure = error
            except Exception as error:
                self.log.error(
                    "Worker %s: found an unhandled exception, quitting...", self.name, exc_info=True
                )
                failure = error
            finally:
                self.teardown()  # type: ignore[no-untyped-call]
        finally:
            engine.close()
        if failure is not None:
            sys.exit(_exit_code(failure))
        return bool(engine.done)

    def _load(self) -> None:
        with one_line():
            self._performer = self._make_performer(load_middleware(self._settings.middleware))
            log_by_environment(os.environ)

    def _install_signal_handlers(self) -> None:
        signal.signal(signal.SIGINT, self._asked_to_stop)
        signal.signal(signal.SIGTERM, self._asked_to_stop)

    def _asked_to_stop(self, number: int, _frame: object) -> None:
        if number == signal.SIGINT and multiprocessing.parent_process() is not None:
            # RQ's pool passes SIGTERM on as SIGINT.
            number = signal.SIGTERM
        if not self._stop_requested:
            self._stop_requested = True
            self._shutdown_requested_date = datetime.now(UTC)
        if self._engine is not None:
            self._engine.request_stop(number)

    def say_stopping(self, connection: Redis) -> None:
        """Write down when a stop was asked for, where RQ does. Raises what the client raises."""
        if self._shutdown_requested_date is not None:
            requested = utcformat(self._shutdown_requested_date)
            connection.hset(self.key, "shutdown_requested_date", requested)

    def handle_payload(self, message: Any) -> None:
        """RQ's: a command from elsewhere; those that are about a job are for the child that runs
        it.
        """
        payload = parse_payload(message)
        engine, command = self._engine, payload.get("command")
        if engine is None or command not in {"stop-job", "stop-execution", "kill-horse"}:
            super().handle_payload(message)  # type: ignore[no-untyped-call]
            return
        stop = engine.stop_commands
        if command == "kill-horse":
            stop.kill_all()
        elif command == "stop-job" and not stop.job(payload.get("job_id", "")):
            self.log.warning("Not working on job %s, command ignored.", payload.get("job_id"))
        elif command == "stop-execution":
            execution = payload.get("execution_id", "")
            if not stop.execution(execution):
                self.log.warning("Not running execution %s, command ignored.", execution)

    def register_birth(self) -> None:
        """RQ's: the worker is there; a name is free again soon after the death of a worker that had
        it, not minutes. Says where a clock writes what it cannot read.
        """
        before = self.connection.hget(self.key, keys.OWNER)
        self._heard_since = time.monotonic()
        if before is not None and self._is_dead(as_text(before)):
            # What the dead one ran is with its key, and is not what this one runs.
            self.connection.delete(self.key, rq_keys.executions_of_worker(self.name))
        super().register_birth()  # type: ignore[no-untyped-call]
        self.connection.hset(self.key, mapping=self._marks)
        for warning in meet_clocks(
            self.connection,
            worker_key=self.key,
            serializer=self.serializer,
            queues=self.queue_names(),
        ):
            log.warning("serializer", worker=self.name, reason=warning)

    @property
    def _marks(self) -> dict[Any, Any]:
        """Fields of our own in its hash."""
        return {keys.OWNER: self._owner, keys.SUPPORTS: "pauses"}

    def _is_dead(self, owner: str) -> bool:
        deadline = time.monotonic() + keys.HEARTBEAT_TTL + 1
        while self.connection.exists(keys.heartbeat(owner)):
            if self.connection.hexists(self.key, "death") or time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True

    def register_again(self, connection: Redis) -> None:
        """Let RQ know the worker again, which a server that lost its data has forgotten."""
        with connection.pipeline() as pipeline:
            pipeline.hset(self.key, mapping={**self.serialize(), **self._marks})
            pipeline.expire(self.key, self.worker_ttl + 60)
            worker_registration.register(self, pipeline)
            pipeline.execute()

    def register_death(self) -> None:
        """RQ's; the heartbeats end with it."""
        if self._engine is not None:
            self._engine.end_heartbeats()
        self.say_stopping(self.connection)
        super().register_death()  # type: ignore[no-untyped-call]
        self.connection.delete(keys.heartbeat(self._owner))

    def unsubscribe(self) -> None:
        """RQ's; a thread that is only told to stop once the reply has woken it waits again, and
        makes the end of the worker a second late.
        """
        if self.pubsub_thread is not None:
            self.pubsub_thread.stop()
        super().unsubscribe()  # type: ignore[no-untyped-call]

    def clean_registries(self) -> None:
        """RQ's upkeep of its registries. Abandoned jobs are judged by ``Reaper``."""
        for queue in self.queues:
            if queue.acquire_maintenance_lock():
                queue.finished_job_registry.cleanup()
                queue.failed_job_registry.cleanup()
                clean_worker_registry(queue)
                clean_waiting(queue)
                queue.release_maintenance_lock()  # type: ignore[no-untyped-call]
        self.last_cleaned_at = datetime.now(UTC)  # type: ignore[assignment]

    def end_of_dead(self, job: Job, queue: Queue, execution: Execution, death: Death) -> None:
        """Write the end of a run whose child died. Raises what the client raises."""
        ending, reason = ending_of_dead(death, job, self._settings.grace)
        # Which of several jobs the child died of is not known.
        may_be_culprit = death.beside and not death.reason and job.should_retry
        run = CurrentRun(
            of_dead=execution,
            ending=ending,
            may_be_culprit=may_be_culprit,
            printed=death.printed,
        )
        if death.reason == STOPPED:
            self.end_stopped(job, queue, run)
            return
        with self._ends.of(run):
            self._ends.decide(job)
            if death.reason == GRACE_IS_OVER:
                if job.should_retry:
                    again = RQRetry(max=ENDLESS)
                    self.handle_job_retry(job, queue, again, queue.started_job_registry, execution)
                    return
            else:
                self._call_killed_handler(job, death)
                self._count_retry(job)
            self.handle_job_failure(job, queue, exc_string=reason, execution=execution)

    def end_stopped(self, job: Job, queue: Queue, run: CurrentRun) -> None:
        """Write the end of a job that somebody stopped."""
        run.ending = Ending(RunOutcome.STOPPED, STOPPED)
        with self._ends.of(run):
            self._ends.decide(job)
            self._stopped_job_id = job.id
            try:
                self._call_on_stopped(job)
                reason = "Job stopped by user, work-horse terminated."
                self.handle_job_failure(job, queue, exc_string=reason, execution=run.execution)
            finally:
                self._stopped_job_id = None

    def _call_killed_handler(self, job: Job, death: Death) -> None:
        ended = death.ended
        try:
            self.handle_work_horse_killed(job, ended.pid, ended.status, usage_of(death))  # type: ignore[no-untyped-call]
        except Exception:  # the handler is the application's
            self.log.exception("Worker %s: handler for the killed job %s raised", self.name, job.id)

    def _call_on_stopped(self, job: Job) -> None:
        try:
            call_on_stopped(job, self.death_penalty_class)
        except Exception:
            self.log.exception("Worker %s: stopped callback for job %s raised", self.name, job.id)

    # A child's process.

    def _preload(self) -> None:
        with one_line():
            for name in self._settings.preload:
                try:
                    importlib.import_module(name)
                except Exception as error:  # a module of the application is anybody's code
                    reason = f"PRELOAD names {name!r}: {type(error).__name__}: {error}"
                    raise SettingsError(reason) from None

    def prepare_child(self) -> None:
        """What a child needs that was not forked."""
        self._load()
        self._preload()

    def be_child(self, child: Child) -> NoReturn:
        """What a child does."""
        random.seed()
        super()._set_connection(self.connection)
        self._is_horse = True
        self._child = child
        self._ends.printed = child.printed
        self.setup_work_horse_signals()
        code = 1
        try:
            code = child.run(
                ChildJobs(
                    self,
                    child,
                    self._performer,
                    leases=leases_of(self, self._settings, self.connection, child.owner),
                    watchers=self._watchers,
                    app=self._app,
                    output_memory=self._settings.output_memory,
                )
            )
        except Exception:
            self.log.error("Worker %s: a child failed", self.name, exc_info=True)
        finally:
            end_process(code)

    def setup_work_horse_signals(self) -> None:
        """RQ's; but SIGTERM, which a platform sends to every process, is for the worker."""
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        self._interruption.listen()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT, STOP})

    def next_queues(self) -> Sequence[Queue]:
        """The queues in the order in which the next job is looked for."""
        return self._ordered_queues

    def queue_called(self, name: str) -> Queue:
        """The queue with this name. Raises StopIteration where it is not one of the worker's."""
        for queue in self.queues:
            if queue.name == name:
                return queue
        raise StopIteration

    def report_wrong_queue(self, key: str) -> None:
        """Log the first time that the key of a queue does not hold a list."""
        if key not in self._wrong_queues:
            self._wrong_queues.add(key)
            log.error(
                "wrong queue", worker=self.name, reason=f"the key {key!r} does not hold a list"
            )

    def prepare_job_execution(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """RQ's first step of a run, which the step that took the job has done already."""
        if self._child is None:
            super().prepare_job_execution(job, *args, **kwargs)

    def perform_job(self, job: Job, queue: Queue, execution: Execution | None = None) -> bool:
        """RQ's: run the job, with the middleware around what RQ calls to do so. From RQ 3 on it is
        told the execution, here and below.
        """
        if self._ends.current is None:
            self._ends.current = CurrentRun(of_dead=execution or self.execution)
        run = self._ends.current
        # RQ has no place of its own for what goes around a job, and passes this object on.
        job.perform = partial(self._perform, run, job, job.perform)  # type: ignore[method-assign]
        run.watched = watch(self._watchers, job)
        try:
            return super().perform_job(job, queue, **with_execution(super().perform_job, execution))
        finally:
            self._ends.current = None
            if run.watched is not None and run.ending is not None:
                notify = partial(run.watched.end, run.ending.outcome, run.ending.error)
                # The end is written, and the time is over: nobody waits for what is told now.
                if self._child is None:
                    notify()
                else:
                    self._child.after_end(notify)

    def _perform(self, run: CurrentRun, job: Job, perform: Callable[[], Any]) -> Any:
        performed = self._performer.perform(job, perform)
        run.ending = performed.ending
        return performed.result()

    def perform_taken(self, taken: TakenJob) -> None:
        """Run a job of a child in the way of RQ's."""
        self._ends.current = CurrentRun(taken=taken, may_end_in_step=True)
        own = taken.execution
        self.perform_job(taken.job, taken.queue, **with_execution(self.perform_job, own))

    def end_by_rq(self, run: CurrentRun, performed: Performed) -> None:
        """Let RQ end the job of a child, which was ``performed``. Raises OvertakenError where it is
        another's by now.
        """
        taken = run.taken
        assert taken is not None
        job, began = taken.job, taken.job.started_at or taken.owned.began

        def result() -> Any:
            job.started_at = began
            return performed.result()

        job.perform = result  # type: ignore[method-assign]
        with self._ends.of(run):
            argument = with_execution(super().perform_job, run.execution)
            super().perform_job(job, taken.queue, **argument)

    def succeed_by_rq(self, run: CurrentRun) -> None:
        """Let RQ write the success of a job that the next step has left to it, as ``end_by_rq``
        does.
        """
        taken = run.taken
        assert taken is not None
        job, queue = taken.job, taken.queue
        run.may_end_in_step = False
        with self._ends.of(run):
            self._ends.check_owner(job)
            if self._ends.end_deleted(job, queue, run.execution, JobStatus.FINISHED):
                return
            argument = with_execution(super().handle_job_success, run.execution)
            super().handle_job_success(job, queue, queue.started_job_registry, **argument)

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """RQ's first step after a run, which leads nowhere where the job is another's by now:
        raises OvertakenError. Of a job that ends in a step, the step finds out.
        """
        if self._child is not None and job._status != JobStatus.FAILED and is_plain(job):
            job.ended_at = datetime.now(UTC)
            return
        self._ends.check_owner(job)
        super().handle_execution_ended(job, queue, heartbeat_ttl)

    def handle_job_success(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry,
        execution: Execution | None = None,
    ) -> None:
        """RQ's: the job has finished, or was skipped."""
        run = self._ends.current
        child = self._child
        if child is not None and run is not None and run.may_end_in_step and run.is_plain:
            child.jobs.end_in_step(run, job._result)
            return
        self._ends.check_owner(job)
        self._ends.note(job, Ending(RunOutcome.SUCCEEDED))
        if self._ends.end_deleted(job, queue, execution or self.execution, JobStatus.FINISHED):
            return
        argument = with_execution(super().handle_job_success, execution)
        super().handle_job_success(job, queue, started_job_registry, **argument)

    def handle_job_retry(
        self,
        job: Job,
        queue: Queue,
        retry: RQRetry,
        started_job_registry: StartedJobRegistry,
        execution: Execution | None = None,
    ) -> None:
        """RQ's: the job is run again because it said so, or was stopped."""
        self._ends.check_owner(job)
        is_over = (job.number_of_retries or 0) >= retry.max
        self._ends.note(job, Ending(RunOutcome.FAILED if is_over else RunOutcome.RETRIED))
        if self._ends.end_deleted(job, queue, execution or self.execution, JobStatus.FAILED):
            return
        argument = with_execution(super().handle_job_retry, execution)
        super().handle_job_retry(job, queue, retry, started_job_registry, **argument)

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry | None = None,
        exc_string: str = "",
        execution: Execution | None = None,
    ) -> None:
        """RQ's: the job failed, to be run again by its ``retry=`` or not."""
        run = self._ends.current
        if run is None or not run.is_decided:
            if run is not None:
                run.ending = None
            self._ends.note(job, failure_of(sys.exc_info()[1], job))
            self._count_retry(job)
        status = JobStatus.STOPPED if self._stopped_job_id == job.id else JobStatus.FAILED
        if self._ends.end_deleted(job, queue, execution or self.execution, status):
            return
        argument = with_execution(super().handle_job_failure, execution)
        super().handle_job_failure(job, queue, started_job_registry, exc_string, **argument)

    def cleanup_execution(
        self, job: Job, pipeline: Pipeline, execution: Execution | None = None
    ) -> None:
        """RQ's: the last of an execution, in the transaction that writes its end."""
        self._ends.write(job, pipeline)
        argument = with_execution(super().cleanup_execution, execution)
        super().cleanup_execution(job, pipeline, **argument)

    def _count_retry(self, job: Job) -> None:
        # RQ counts only the retries that a task returns; here it is the number of attempts.
        if job.should_retry and self._stopped_job_id != job.id:
            job.number_of_retries = (job.number_of_retries or 0) + 1


def _exit_code(failure: Exception) -> int:
    if isinstance(failure, ForkServerDiedError) and failure.code:
        return failure.code
    is_server = isinstance(failure, RedisConnectionError | TimeoutError)
    return exit_codes.SERVER if is_server else exit_codes.CRASHED
