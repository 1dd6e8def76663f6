"""The worker: ``rq worker -w clock.worker.Worker``."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError
from rq import Queue
from rq import Retry as RQRetry
from rq.exceptions import NoSuchJobError
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry

from clock import exit_codes, keys
from clock.jobs.occurrence import meta_of, occurrence_of
from clock.jobs.progress import flush
from clock.jobs.rq_versions import with_execution
from clock.ledger.serializers import meet_clocks
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from clock.watchers.run import Watchers
from clock.worker.configuration import (
    log_by_environment,
    one_line,
    serializer_was_given,
    settings_of_command,
)
from clock.worker.ending import ENDLESS, Ending, ending_of, failure_of, meant, result_for_rq
from clock.worker.grace import LAST_WORDS
from clock.worker.limited import LimitedWorker
from clock.worker.middleware import Middleware, chain, load_middleware
from clock.worker.record import run_of

_WELL = {RunOutcome.SUCCEEDED, RunOutcome.SKIPPED}

log = logging.getLogger("clock")


class Worker(LimitedWorker):
    """RQ's worker, which stops gently, takes care of what dead workers left, records the runs of
    scheduled jobs, and puts middleware around each job.

    It takes the arguments of RQ's. The settings are those of the module that ``rq worker -c``
    names, else of ``RQ_CONFIG``, and the environment; where they cannot be used, the process ends
    with exit code 2 and one line.
    """

    _middleware: Sequence[Middleware] = ()
    _ending: Ending | None = None
    _run: Run | None = None
    _killed_by: str | None = None

    def __init__(self, queues: Any, *args: Any, **kwargs: Any) -> None:
        with one_line():
            self._settings = settings_of_command(os.environ)
        self._app = self._settings.app
        self._limits = self._settings.max_running
        self._grace_seconds = self._settings.grace
        self._watchers = Watchers(
            pings=self._settings.pings, monitors=self._settings.sentry_monitors
        )
        self._prepare()
        is_given = serializer_was_given(kwargs.get("serializer"))
        if not is_given:
            kwargs["serializer"] = self._settings.serializer
        super().__init__(queues, *args, **kwargs)
        self._identity = f"{self.name}.{secrets.token_hex(4)}"
        if not is_given:
            self.queues = [self._with_our_serializer(queue) for queue in self.queues]
            self._ordered_queues = self.queues[:]

    def _with_our_serializer(self, queue: Queue) -> Queue:
        return type(queue)(
            queue.name,
            connection=self.connection,
            job_class=self.job_class,
            serializer=self._settings.serializer,
            death_penalty_class=self.death_penalty_class,
        )

    def work(self, *args: Any, **kwargs: Any) -> bool:
        """RQ's: work until asked to stop; whether there was any job. Where something else ended it,
        RQ has logged that by now, and the process ends with the exit code for it.
        """
        with one_line():
            self._middleware = load_middleware(self._settings.middleware)
            log_by_environment(os.environ)
        had_jobs = super().work(*args, **kwargs)
        if self._failure is not None:
            is_server = isinstance(self._failure, RedisConnectionError | TimeoutError)
            sys.exit(exit_codes.SERVER if is_server else exit_codes.CRASHED)
        return had_jobs

    def register_birth(self) -> None:
        """RQ's: the worker is there. Says where a clock writes what it cannot read."""
        super().register_birth()
        for warning in meet_clocks(
            self.connection,
            worker_key=self.key,
            serializer=self.serializer,
            queues=self.queue_names(),
        ):
            log.warning("serializer", extra={"fields": {"worker": self.name, "reason": warning}})

    def prepare_execution(self, job: Job) -> Execution:
        """RQ's: a job begins."""
        self._ending = self._run = self._killed_by = None
        return super().prepare_execution(job)

    def perform_job(self, job: Job, queue: Queue, execution: Execution | None = None) -> bool:
        """RQ's: run the job, with the middleware around what RQ calls to do so. From RQ 3 on it is
        told the execution, here and below.
        """
        # RQ has no place of its own for what goes around a job, and passes this object on.
        job.perform = partial(self._perform, job, job.perform)  # type: ignore[method-assign]
        occurrence = occurrence_of(job)
        watched = occurrence and self._watchers.begin(occurrence.event, job.id, occurrence.attempt)
        try:
            return super().perform_job(job, queue, **with_execution(super().perform_job, execution))
        finally:
            # Its end is written, and its timeout is over: nobody waits for what is told now.
            if watched and self._ending is not None:
                watched.end(self._ending.outcome, self._ending.error)

    def _perform(self, job: Job, perform: Callable[[], Any]) -> Any:
        try:
            with self._interruption.allowed():
                return chain(self._middleware, job, partial(self._call, job, perform))()
        except Exception as error:
            said = meant(error, job, self._settings.outcomes)
            self._ending = ending_of(said, job)
            return result_for_rq(said, job)

    def _call(self, job: Job, perform: Callable[[], Any]) -> Any:
        """Run the task; what its table makes of an error, the middleware sees too."""
        try:
            return perform()
        except Exception as error:
            said = meant(error, job, self._settings.outcomes)
            if said is error:
                raise
            raise said from error
        finally:
            flush()

    def handle_job_success(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry,
        execution: Execution | None = None,
    ) -> None:
        """RQ's: the job has finished, or was skipped."""
        self._note(job, self._ending or Ending(RunOutcome.SUCCEEDED))
        told = with_execution(super().handle_job_success, execution)
        super().handle_job_success(job, queue, started_job_registry, **told)

    def handle_job_retry(
        self,
        job: Job,
        queue: Queue,
        retry: RQRetry,
        started_job_registry: StartedJobRegistry,
        execution: Execution | None = None,
    ) -> None:
        """RQ's: the job is run again because it said so, or was stopped."""
        is_over = (job.number_of_retries or 0) >= retry.max
        self._note(
            job,
            self._ending or Ending(RunOutcome.FAILED if is_over else RunOutcome.RETRIED),
        )
        told = with_execution(super().handle_job_retry, execution)
        super().handle_job_retry(job, queue, retry, started_job_registry, **told)

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry | None = None,
        exc_string: str = "",
        execution: Execution | None = None,
    ) -> None:
        """RQ's: the job failed, to be run again by its ``retry=`` or not. In the worker's own
        process it is called for a run that was killed.
        """
        if self.is_horse:
            self._note(job, failure_of(sys.exc_info()[1], job))
            self._count_retry(job)
        elif self._hand is not None:
            ended = self._killed(job, queue, exc_string, self._hand.execution)
            if ended is None:
                return
            exc_string = ended
        told = with_execution(super().handle_job_failure, execution)
        super().handle_job_failure(job, queue, started_job_registry, exc_string, **told)

    def _killed(self, job: Job, queue: Queue, reason: str, execution: Execution) -> str | None:
        """Note the end of a run that was killed; why it failed, None where there is nothing left
        to do about it.
        """
        if not self._may_end():
            return None
        try:
            # What the run itself wrote, its number of retries among it, must not be overwritten.
            job.refresh()  # type: ignore[no-untyped-call]
        except NoSuchJobError:
            with self.connection.pipeline() as pipeline:
                self.cleanup_execution(job, pipeline, execution)
                pipeline.execute()
            return None
        job.ended_at = datetime.now(UTC)
        job.started_at = job.started_at or execution.created_at
        if self._stopped_job_id == job.id:
            self._note(job, Ending(RunOutcome.STOPPED, "stop-job"))
        elif self._grace is not None and self._grace.killed:
            self._ending = Ending(RunOutcome.STOPPED, "SIGKILL")
            if job.should_retry or job.get_status(refresh=False) == JobStatus.QUEUED:
                again = RQRetry(max=ENDLESS)
                self.handle_job_retry(job, queue, again, queue.started_job_registry, execution)
                return None
            self._note(job, self._ending)
            reason = (
                f"stopped: its worker was asked to stop, and it ended neither within "
                f"{self._grace_seconds:g} s nor {LAST_WORDS:g} s after it was told"
            )
        else:
            outcome = RunOutcome.RETRIED if job.should_retry else RunOutcome.FAILED
            self._note(job, Ending(outcome, self._killed_by))
            self._count_retry(job)
        return reason

    def handle_work_horse_killed(
        self, job: Job, retpid: int, ret_val: int | None, rusage: Any
    ) -> None:
        """RQ's: the process of the job ended by itself."""
        if ret_val is not None and os.WIFSIGNALED(ret_val):
            self._killed_by = signal.Signals(os.WTERMSIG(ret_val)).name
        else:
            self._killed_by = f"exit {ret_val}"
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]

    def cleanup_execution(
        self, job: Job, pipeline: Pipeline, execution: Execution | None = None
    ) -> None:
        """RQ's: the last of an execution, in the transaction that writes its end."""
        if self._hand is not None and self._hand.job == job.id:
            # RQ 2 forgets it in the first try of a transaction, and leaves it there in the second.
            self.execution = self._hand.execution
        if self._run is not None:
            write_run(pipeline, self._app, self._run)
        if self._ending is not None and self._ending.outcome in _WELL:
            pipeline.hdel(job.key, keys.DEATHS)
        if self._ending is not None and self._ending.outcome is RunOutcome.SKIPPED:
            self._mark_skipped(job, pipeline)
        told = with_execution(super().cleanup_execution, execution)
        super().cleanup_execution(job, pipeline, **told)

    def _mark_skipped(self, job: Job, pipeline: Pipeline) -> None:
        if job.get_result_ttl(self.default_result_ttl) != 0:
            job.meta = {**meta_of(job), keys.OUTCOME_META: {"kind": "skipped"}}
            pipeline.hset(job.key, "meta", job.serializer.dumps(job.meta))

    def _note(self, job: Job, ending: Ending) -> None:
        """Keep what is to be recorded, before RQ makes the job ready for its next run."""
        self._ending = ending
        assert job.ended_at is not None
        self._run = run_of(
            job,
            ending.outcome,
            started=job.started_at,
            ended=job.ended_at,
            worker=self.name,
            error=ending.error,
        )

    def _count_retry(self, job: Job) -> None:
        # RQ counts only the retries that a task returns; here it is the number of attempts.
        if job.should_retry and self._stopped_job_id != job.id:
            job.number_of_retries = (job.number_of_retries or 0) + 1
