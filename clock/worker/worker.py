"""The worker: ``rq worker -w clock.worker.Worker``."""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import random
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from copy import copy
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError
from rq import Queue, worker_registration
from rq import Retry as RQRetry
from rq import Worker as RQWorker
from rq.command import parse_payload
from rq.defaults import DEFAULT_LOGGING_DATE_FORMAT, DEFAULT_LOGGING_FORMAT
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.logutils import green, setup_loghandlers
from rq.registry import StartedJobRegistry
from rq.utils import as_text, utcformat
from rq.worker import DequeueStrategy
from rq.worker_registration import clean_worker_registry

from clock import exit_codes, keys
from clock.connection import rq_keys
from clock.errors import SettingsError
from clock.jobs.occurrence import meta_of, occurrence_of
from clock.jobs.progress import flush
from clock.jobs.rq_versions import call_on_stopped, clean_waiting, with_execution
from clock.ledger.serializers import meet_clocks
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from clock.watchers.run import WatchedRun, Watchers
from clock.worker.async_run import AsyncRun
from clock.worker.child import Child
from clock.worker.configuration import (
    log_by_environment,
    one_line,
    serializer_was_given,
    settings_of_command,
)
from clock.worker.deaths import (
    GRACE_IS_OVER,
    STOPPED,
    Death,
    ending_of_dead,
    usage_of,
)
from clock.worker.due import move_due
from clock.worker.ending import ENDLESS, Ending, ending_of, failure_of, meant, result_for_rq
from clock.worker.engine import Engine
from clock.worker.execution_owner import OvertakenError
from clock.worker.fork_server import ForkServerDiedError
from clock.worker.interruption import STOP, Interruption
from clock.worker.middleware import Middleware, chain, load_middleware
from clock.worker.record import run_of
from clock.worker.result import check_generator, check_result, is_plain
from clock.worker.slot import Request
from clock.worker.step import EndResult, Reply
from clock.worker.success import commands_of, count_success, delete_execution, success
from clock.worker.surroundings import open_standard_streams
from clock.worker.taken import TakenJob

_WELL = {RunOutcome.SUCCEEDED, RunOutcome.SKIPPED}

log = logging.getLogger("clock")


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
        self._middleware: Sequence[Middleware] = ()
        self._interruption = Interruption()
        self._engine: Engine | None = None
        self._child: Child | None = None
        self._heard_since: float | None = None
        self._own: Execution | None = None
        self._watched: Any = None
        self._ending: Ending | None = None
        self._run: Run | None = None
        self._is_checked = self._is_noted = self._is_caught = False
        self._wrong_queues: set[str] = set()

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
        with one_line():
            self._middleware = load_middleware(self._settings.middleware)
            log_by_environment(os.environ)
        # Here too, because the children are forked before RQ does it.
        for name in ("rq.worker", "rq.job"):
            setup_loghandlers(logging_level, date_format, log_format, name=name)
        self._dequeue_strategy = dequeue_strategy
        self._engine = engine = Engine(
            self,
            self._settings,
            owner=self._owner,
            count=self._settings.processes if max_jobs is None else 1,
            burst=burst,
            run=self._run_child,
            prepare=self._preload,
        )
        engine.start()
        failure: Exception | None = None
        try:
            self.bootstrap(logging_level, date_format, log_format)
            engine.watch(self._heard_since)
            self._install_signal_handlers()
            try:
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
        elif command == "kill-horse":
            engine.kill_all()
        elif command == "stop-job" and not engine.stop_job(payload.get("job_id", "")):
            self.log.warning("Not working on job %s, command ignored.", payload.get("job_id"))
        elif command == "stop-execution":
            execution = payload.get("execution_id", "")
            if not engine.stop_execution(execution):
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
        self.connection.hset(self.key, keys.OWNER, self._owner)
        for warning in meet_clocks(
            self.connection,
            worker_key=self.key,
            serializer=self.serializer,
            queues=self.queue_names(),
        ):
            log.warning("serializer", extra={"fields": {"worker": self.name, "reason": warning}})

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
            pipeline.hset(self.key, mapping={**self.serialize(), keys.OWNER: self._owner})
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
        self.execution = self._own = execution
        ending, reason = ending_of_dead(death, job, self._settings.grace)
        self._note(job, ending)
        self._is_noted = True
        # Which of several jobs the child died of is not known.
        self._is_caught = death.beside and not death.reason and job.should_retry
        try:
            if death.reason == STOPPED:
                self._end_stopped(job, queue, execution)
                return
            if death.reason == GRACE_IS_OVER:
                if job.should_retry:
                    again = RQRetry(max=ENDLESS)
                    self.handle_job_retry(job, queue, again, queue.started_job_registry, execution)
                    return
            else:
                self._call_killed_handler(job, death)
                self._count_retry(job)
            self.handle_job_failure(job, queue, exc_string=reason, execution=execution)
        finally:
            self._is_noted = self._is_caught = False
            self.execution = self._own = None

    def _end_stopped(self, job: Job, queue: Queue, execution: Execution) -> None:
        """Write the end of a job that somebody stopped."""
        self._note(job, Ending(RunOutcome.STOPPED, STOPPED))
        self._is_noted = True
        self._stopped_job_id = job.id
        try:
            self._call_on_stopped(job)
            reason = "Job stopped by user, work-horse terminated."
            self.handle_job_failure(job, queue, exc_string=reason, execution=execution)
        finally:
            self._is_noted = False
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

    def _run_child(self, child: Child) -> NoReturn:
        """What a child does."""
        random.seed()
        self._is_horse = True
        self._child = child
        self.setup_work_horse_signals()
        code = 1
        try:
            code = child.run()
        except Exception:
            self.log.error("Worker %s: a child failed", self.name, exc_info=True)
        finally:
            _end_process(code)

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
        return next(queue for queue in self.queues if queue.name == name)

    def report_wrong_queue(self, key: str) -> None:
        """Log the first time that the key of a queue does not hold a list."""
        if key not in self._wrong_queues:
            self._wrong_queues.add(key)
            fields = {"worker": self.name, "reason": f"the key {key!r} does not hold a list"}
            log.error("wrong queue", extra={"fields": fields})

    def may_begin(self, taken: TakenJob, child: Child) -> bool:
        """Whether the limit of its task lets a job begin that this child has taken. Where it does
        not, the job is held, and the next step ends its execution.
        """
        job, queue = taken.job, taken.queue
        self.reorder_queues(queue)
        assert self._engine is not None
        leases = self._engine.leases(self.connection, child.owner)
        limit = leases.limit_of(job)
        if limit is not None and not leases.take(job):
            fields = {"job": job.id, "task": job.func_name, "max_running": limit}
            log.info("held", extra={"fields": fields})
            deleted = delete_execution(job.id, taken.execution.id, queue.name, self.name)
            child.end_in_step(deleted, is_end=False)
            return False
        if limit is not None:
            taken.release = partial(leases.release, job)
        os.environ["RQ_WORKER_ID"] = self.name
        self._log_start(job, queue)
        return True

    def perform(self, taken: TakenJob, child: Child) -> None:
        """Run a job that this child has taken, alone."""
        if not self.may_begin(taken, child):
            return
        job, queue, execution = taken.job, taken.queue, taken.execution
        os.environ["RQ_JOB_ID"] = job.id
        self._enter(execution)
        try:
            self.perform_job(job, queue, **with_execution(self.perform_job, execution))
        finally:
            if taken.release is not None:
                child.after_end(taken.release)

    def async_run(self, taken: TakenJob, threads: Executor) -> AsyncRun:
        """The run of a job that this child has taken, beside others."""
        # It would be another's.
        os.environ.pop("RQ_JOB_ID", None)
        run = AsyncRun(taken, middleware=self._middleware, meaning=self._meaning, threads=threads)
        run.watched = self._watch(taken.job)
        return run

    def may_end_async(self, run: AsyncRun, child: Child) -> bool:
        """Whether the end of a run that is over may be written; of one that ends in a step, the
        step finds out. Raises what the client raises; then nothing has changed.
        """
        child.current = run.taken
        self._enter(run.taken.execution)
        if run.request is Request.LEAVE:
            return False
        if run.error is None and is_plain(run.taken.job) and not isinstance(run.value, RQRetry):
            return True
        try:
            self._check_owner(run.taken.job)
        except OvertakenError as error:
            fields = {"job": run.taken.owned.job, "reason": str(error)}
            log.warning("overtaken", extra={"fields": fields})
            return False
        return True

    def end_async(
        self, run: AsyncRun, child: Child, in_thread: Callable[[Callable[[], object]], None]
    ) -> None:
        """Let RQ end a job whose run is over, and may be ended. ``in_thread`` does what takes long,
        later.
        """
        taken, job = run.taken, run.taken.job
        try:
            if run.request is Request.STOP_JOB:
                job.started_at, job.ended_at = run.began, datetime.now(UTC)
                self._end_stopped(job, taken.queue, taken.execution)
                return
            job.perform = partial(self._perform, job, run.result)  # type: ignore[method-assign]
            argument = with_execution(super().perform_job, taken.execution)
            super().perform_job(job, taken.queue, **argument)
        finally:
            if taken.release is not None:
                child.after_end(taken.release)
            if run.watched is not None and self._ending is not None:
                end = partial(run.watched.end, self._ending.outcome, self._ending.error)
                child.after_end(partial(in_thread, end))

    def _enter(self, execution: Execution) -> None:
        self.execution = None
        self.execution = self._own = execution
        self._ending = self._run = None
        self._is_checked = False

    def _log_start(self, job: Job, queue: Queue) -> None:
        what = f"{job.description} ({job.id})" if self.log_job_description else job.id
        self.log.info("Worker %s: %s: %s", self.name, green(queue.name), what)

    def prepare_job_execution(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """RQ's first step of a run, which the step that took the job has done already."""
        if self._child is None:
            super().prepare_job_execution(job, *args, **kwargs)

    def perform_job(self, job: Job, queue: Queue, execution: Execution | None = None) -> bool:
        """RQ's: run the job, with the middleware around what RQ calls to do so. From RQ 3 on it is
        told the execution, here and below.
        """
        # RQ has no place of its own for what goes around a job, and passes this object on.
        task = chain(self._middleware, job, partial(self._call, job, job.perform))
        job.perform = partial(self._perform, job, task)  # type: ignore[method-assign]
        self._watched = self._watch(job)
        try:
            return super().perform_job(job, queue, **with_execution(super().perform_job, execution))
        finally:
            if self._child is None:
                self._tell_watchers()
            elif self._watched:
                self._child.after_end(self._tell_watchers)

    def _watch(self, job: Job) -> WatchedRun | None:
        occurrence = occurrence_of(job)
        if occurrence is None:
            return None
        return self._watchers.begin(occurrence.event, job.id, occurrence.attempt)

    def _tell_watchers(self) -> None:
        # The end is written, and the timeout is over: nobody waits for what is told now.
        if self._watched and self._ending is not None:
            self._watched.end(self._ending.outcome, self._ending.error)

    def _perform(self, job: Job, perform: Callable[[], Any]) -> Any:
        process = os.getpid()
        try:
            with self._interruption.allowed():
                result = perform()
            check_result(result, job)
            return result
        except Exception as error:
            outcome = meant(error, job, self._settings.outcomes)
            self._ending = ending_of(outcome, job)
            return result_for_rq(outcome, job)
        finally:
            if os.getpid() != process:
                # A process that the task forked has come out of the task: the job is not its.
                _leave_fork(sys.exc_info()[1])
            open_standard_streams()

    def _call(self, job: Job, perform: Callable[[], Any]) -> Any:
        with self._meaning(job):
            return perform()

    @contextmanager
    def _meaning(self, job: Job) -> Iterator[None]:
        """Around a task: what its table makes of an error, the middleware sees too."""
        process = os.getpid()
        try:
            yield
        except Exception as error:
            check_generator(error, job)
            outcome = meant(error, job, self._settings.outcomes)
            if outcome is error:
                raise
            raise outcome from error
        finally:
            flush(job)
            if os.getpid() != process:
                _leave_fork(sys.exc_info()[1])

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """RQ's first step after a run, which leads nowhere where the job is another's by now:
        raises OvertakenError. Of a job that ends in a step, the step finds out.
        """
        if self._child is not None and job._status != JobStatus.FAILED and is_plain(job):
            job.ended_at = datetime.now(UTC)
            return
        self._check_owner(job)
        super().handle_execution_ended(job, queue, heartbeat_ttl)

    def _check_owner(self, job: Job) -> None:
        if self._child is not None and not self._is_checked:
            current = self._child.current
            if current is not None and not current.owned.may_end(self.connection):
                raise OvertakenError(f"job {job.id} was taken from this worker")
            self._is_checked = True

    def handle_job_success(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry,
        execution: Execution | None = None,
    ) -> None:
        """RQ's: the job has finished, or was skipped."""
        self._note(job, self._ending or Ending(RunOutcome.SUCCEEDED))
        own = execution or self.execution
        current = None if self._child is None else self._child.current
        stored = None if current is None else current.stored
        if self._child is None or stored is None or own is None or not is_plain(job):
            argument = with_execution(super().handle_job_success, execution)
            super().handle_job_success(job, queue, started_job_registry, **argument)
            return
        written = success(
            stored,
            own,
            worker=self.name,
            result_ttl=job.get_result_ttl(self.default_result_ttl),
        )
        of_job = self.connection.pipeline(transaction=False)
        self._record_in_job(job, of_job)
        always = self.connection.pipeline(transaction=False)
        self._record_run(always)
        self._child.end_in_step(
            [
                *count_success(job, self.name),
                *delete_execution(job.id, own.id, job.origin, self.name),
                *commands_of(always),
            ],
            of_job=written + commands_of(of_job),
            ended=partial(self._after_success, job, queue, started_job_registry, own),
        )

    def _after_success(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry,
        execution: Execution,
        reply: Reply,
    ) -> None:
        """What follows once the step has written the end, or could not."""
        if reply.ended is EndResult.OVERTAKEN:
            fields = {"job": job.id, "reason": f"job {job.id} was taken from this worker"}
            log.warning("overtaken", extra={"fields": fields})
            return
        if reply.ended is EndResult.DEPENDENTS:
            self._check_owner(job)
            self.execution = execution
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
        self._check_owner(job)
        if not self._is_noted:
            is_over = (job.number_of_retries or 0) >= retry.max
            self._note(
                job,
                self._ending or Ending(RunOutcome.FAILED if is_over else RunOutcome.RETRIED),
            )
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
        if not self._is_noted:
            self._note(job, failure_of(sys.exc_info()[1], job))
            self._count_retry(job)
        argument = with_execution(super().handle_job_failure, execution)
        super().handle_job_failure(job, queue, started_job_registry, exc_string, **argument)

    def cleanup_execution(
        self, job: Job, pipeline: Pipeline, execution: Execution | None = None
    ) -> None:
        """RQ's: the last of an execution, in the transaction that writes its end."""
        if self._own is not None:
            # RQ 2 forgets it in the first try of a transaction, and leaves it there in the second.
            self.execution = self._own
        self._record_run(pipeline)
        self._record_in_job(job, pipeline)
        argument = with_execution(super().cleanup_execution, execution)
        super().cleanup_execution(job, pipeline, **argument)

    def _record_run(self, pipeline: Pipeline) -> None:
        if self._run is not None:
            write_run(pipeline, self._app, self._run)

    def _record_in_job(self, job: Job, pipeline: Pipeline) -> None:
        """Write what the outcome means for the job, which RQ does not know."""
        if self._ending is not None and self._ending.outcome in _WELL and self._may_have_deaths:
            pipeline.hdel(job.key, keys.DEATHS)
        if self._is_caught:
            pipeline.hincrby(job.key, keys.DEATHS, 1)
        if self._ending is not None and self._ending.outcome is RunOutcome.SKIPPED:
            self._mark_skipped(job, pipeline)

    @property
    def _may_have_deaths(self) -> bool:
        current = None if self._child is None else self._child.current
        return current is None or keys.DEATHS.encode() in current.fields

    def _mark_skipped(self, job: Job, pipeline: Pipeline) -> None:
        if job.get_result_ttl(self.default_result_ttl) != 0:
            job.meta = {**meta_of(job), keys.OUTCOME_META: {"kind": "skipped"}}
            pipeline.hset(job.key, "meta", job.serializer.dumps(job.meta))

    def _note(self, job: Job, ending: Ending) -> None:
        """Keep what is to be recorded, before RQ makes the job ready for its next run."""
        self._ending = ending
        self._run = run_of(
            job,
            ending.outcome,
            started=job.started_at,
            ended=job.ended_at or datetime.now(UTC),
            worker=self.name,
            error=ending.error,
        )

    def _count_retry(self, job: Job) -> None:
        # RQ counts only the retries that a task returns; here it is the number of attempts.
        if job.should_retry and self._stopped_job_id != job.id:
            job.number_of_retries = (job.number_of_retries or 0) + 1


def _leave_fork(error: BaseException | None) -> NoReturn:
    """End a process that a task forked, as it would have ended elsewhere."""
    code = 0
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        logging.getLogger("rq.worker").error("a process that a job forked failed", exc_info=error)
        code = 1
    _end_process(code)


def _end_process(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a task may have closed it
            stream.flush()
    os._exit(code)


def _exit_code(failure: Exception) -> int:
    if isinstance(failure, ForkServerDiedError) and failure.code:
        return failure.code
    is_server = isinstance(failure, RedisConnectionError | TimeoutError)
    return exit_codes.SERVER if is_server else exit_codes.CRASHED
