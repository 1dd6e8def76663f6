"""The jobs of a child: how each begins, and how it ends."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from functools import partial
from typing import Any

from redis.client import Pipeline
from rq import Retry as RQRetry
from rq.job import Job
from rq.logutils import blue, green
from rq.worker import Worker as RQWorker

from clock import keys, log
from clock.jobs.lease import Leases
from clock.jobs.occurrence import meta_of, occurrence_of
from clock.runs.counted import CountedRun
from clock.runs.output import write_output
from clock.runs.records import write_run
from clock.runs.run import RunOutcome
from clock.watchers.run import WatchedRun, Watchers
from clock.worker.async_run import AsyncRun
from clock.worker.current_run import CurrentRun
from clock.worker.ending import Ending
from clock.worker.pending_counts import PendingCounts
from clock.worker.performer import Performed, Performer, call_task, is_of_rq
from clock.worker.record import counted_of, output_of, run_of
from clock.worker.result import is_plain
from clock.worker.slot import Request
from clock.worker.step import End, EndResult, Reply
from clock.worker.success import Command, commands_of, success_of
from clock.worker.taken import TakenJob

_WELL = {RunOutcome.SUCCEEDED, RunOutcome.SKIPPED}

_METHODS = (
    "perform_job",
    "prepare_job_execution",
    "handle_execution_ended",
    "handle_job_success",
)
"""Methods of RQ's worker that are not called where the next step ends a job."""


class ChildJobs:
    """Begins the jobs that a child has taken, and ends them: by the next step where that is only
    written, else by RQ's own handlers.
    """

    def __init__(
        self,
        worker: Any,
        child: Any,
        performer: Performer,
        *,
        leases: Leases,
        watchers: Watchers,
        app: str,
        output_memory: int,
    ) -> None:
        """``worker`` is the Worker of this process, and ``child`` its Child. ``output_memory`` is
        how many bytes the outputs of runs may take.
        """
        self._worker = worker
        self._child = child
        self._performer = performer
        self._leases = leases
        self._watchers = watchers
        self._app = app
        self._output_memory = output_memory
        self.counts = PendingCounts(app)
        """What is counted of its runs."""
        self._is_overridden = any(_is_of_application(getattr(worker, name)) for name in _METHODS)
        os.environ["RQ_WORKER_ID"] = worker.name

    def may_begin(self, taken: TakenJob) -> bool:
        """Whether the limit of its task lets a job begin. Where it does not, the job is held, and
        the next step ends its execution.
        """
        job, queue, worker = taken.job, taken.queue, self._worker
        worker.reorder_queues(queue)
        limit = self._leases.limit_of(job)
        if limit is not None and not self._leases.take(job):
            log.info("held", job=job.id, task=job.func_name, max_running=limit)
            self._child.end_in_step(End(taken.owned, is_put_back=True))
            return False
        if limit is not None:
            taken.release = partial(self._leases.release, job)
        if worker.log.isEnabledFor(logging.INFO):
            what = f"{job.description} ({job.id})" if worker.log_job_description else job.id
            worker.log.info("Worker %s: %s: %s", worker.name, green(queue.name), what)
        return True

    def perform(self, taken: TakenJob) -> None:
        """Run a job alone. Raises OvertakenError where it is another's by now."""
        if not self.may_begin(taken):
            return
        job, worker = taken.job, self._worker
        os.environ["RQ_JOB_ID"] = job.id
        try:
            if self._is_overridden or not is_of_rq(RQWorker.perform_job):
                # The application does something with each job, or something that watches all.
                worker.perform_taken(taken)
                return
            run = CurrentRun(taken=taken, watched=watch(self._watchers, job))
            performed = self._performer.perform(
                job, partial(call_task, job), taken.time_limit, taken.stated_limit
            )
            self._end(run, performed, self._child.after_end)
        finally:
            if taken.release is not None:
                self._child.after_end(taken.release)

    def async_run(self, taken: TakenJob, threads: Executor) -> AsyncRun:
        """The run of a job beside others."""
        # It would be another's.
        os.environ.pop("RQ_JOB_ID", None)
        run = AsyncRun(
            taken,
            middleware=self._performer.middleware,
            meaning=self._performer.meaning,
            threads=threads,
        )
        run.watched = watch(self._watchers, taken.job)
        return run

    def may_end(self, run: AsyncRun) -> bool:
        """Whether the end of a run that is over may be written; of one that ends in a step, the
        step finds out. Raises what the client raises; then nothing has changed.
        """
        if run.request is Request.LEAVE:
            return False
        if run.error is None and is_plain(run.taken.job) and not isinstance(run.value, RQRetry):
            return True
        run.is_checked = run.taken.owned.may_end(self._worker.connection)
        if not run.is_checked:
            _log_overtaken(run.taken.owned.job)
        return run.is_checked

    def end_async(self, run: AsyncRun, in_thread: Callable[[Callable[[], object]], None]) -> None:
        """End a job whose run is over, and may be ended. ``in_thread`` does what takes long,
        later.
        """
        taken, job, child = run.taken, run.taken.job, self._child
        child.current = taken
        current = CurrentRun(taken=taken, watched=run.watched, is_checked=run.is_checked)
        try:
            if run.request is Request.STOP_JOB:
                job.started_at, job.ended_at = run.began, datetime.now(UTC)
                self._worker.end_stopped(job, taken.queue, current)
                return
            performed = self._performer.judge(job, run.result)
            self._end(current, performed, lambda work: child.after_end(partial(in_thread, work)))
        finally:
            if taken.release is not None:
                child.after_end(taken.release)

    def _end(
        self,
        run: CurrentRun,
        performed: Performed,
        later: Callable[[Callable[[], object]], None],
    ) -> None:
        taken = run.taken
        assert taken is not None
        run.ending = performed.ending
        job = taken.job
        is_success = performed.error is None and not isinstance(performed.value, RQRetry)
        try:
            if is_success and run.is_plain and not self._is_overridden:
                job.ended_at = datetime.now(UTC)
                try:
                    self.end_in_step(run, performed.value)
                    return
                except TypeError as error:  # the result cannot be stored
                    performed = self._performer.judge(job, Performed(error=error).result)
                    run.ending = performed.ending
            self._worker.end_by_rq(run, performed)
        finally:
            if run.watched is not None and run.ending is not None:
                # The end is written, and the time is over: nobody waits for what is told now.
                later(partial(run.watched.end, run.ending.outcome, run.ending.error))

    def end_in_step(self, run: CurrentRun, value: Any) -> None:
        """Let the next step end a job that returned ``value``, or skipped. Raises TypeError where
        that cannot be stored.
        """
        taken, worker = run.taken, self._worker
        assert taken is not None
        assert taken.stored is not None
        job = taken.job
        ending = run.ending or Ending(RunOutcome.SUCCEEDED)
        began, ended = job.started_at or taken.owned.began, job.ended_at or datetime.now(UTC)
        ttl = job.get_result_ttl(worker.default_result_ttl)
        job.last_heartbeat = ended
        success = success_of(taken.stored, began, ended, result=value, ttl=ttl)
        run.ending = ending
        run.record = run_of(
            job, ending.outcome, started=began, ended=ended, worker=worker.name, error=ending.error
        )
        run.printed = self._child.printed(taken)
        run.output = output_of(job, ending.outcome, ended=ended, printed=run.printed)
        run.counted = counted = counted_of(
            job, ending.outcome, of=run.record, started=began, ended=ended
        )
        count = self.counts.command(counted)
        commands = self._of_run(run) if count is None else [*self._of_run(run), count]
        self._child.end_in_step(
            End(taken.owned, success, of_job(run, job, ttl), commands),
            partial(self._ended, run, value, counted, count),
        )

    def _of_run(self, run: CurrentRun) -> Sequence[Command]:
        if run.record is None:
            # Of a job without an event no output is kept where it went well.
            return ()
        pipeline: Pipeline = self._worker.connection.pipeline(transaction=False)
        write_run(pipeline, self._app, run.record)
        if run.output is not None:
            write_output(pipeline, self._app, run.output, self._output_memory)
        return commands_of(pipeline)

    def _ended(
        self,
        run: CurrentRun,
        value: Any,
        counted: CountedRun,
        count: Command | None,
        reply: Reply,
    ) -> None:
        """What follows once the step has written the end, or could not."""
        taken, worker = run.taken, self._worker
        assert taken is not None
        job = taken.job
        if reply.ended is EndResult.ENDED:
            self.counts.ended(counted, count)
        if reply.ended is EndResult.OVERTAKEN:
            _log_overtaken(job.id)
        elif reply.ended is EndResult.DEPENDENTS:
            job._result = value
            worker.succeed_by_rq(run)
        elif worker.log.isEnabledFor(logging.INFO):
            queue, what = green(taken.queue.name), blue("Job OK")
            worker.log.info("Worker %s: %s: %s (%s)", worker.name, queue, what, job.id)


def watch(watchers: Watchers, job: Job) -> WatchedRun | None:
    """Who is notified of the end of a run of ``job`` that begins now, and is of its begin."""
    occurrence = occurrence_of(job)
    if occurrence is None:
        return None
    return watchers.begin(occurrence.event, job.id, occurrence.attempt)


def of_job(run: CurrentRun, job: Job, ttl: int) -> Sequence[Command]:
    """The commands that write what the end of a run means for its job, which RQ does not know;
    ``ttl`` is how long it is kept.
    """
    commands: list[Command] = []
    outcome = None if run.ending is None else run.ending.outcome
    may_have_deaths = run.taken is None or keys.DEATHS.encode() in run.taken.fields
    if run.may_be_culprit:
        commands.append(("HINCRBY", job.key, keys.DEATHS, 1))
    elif outcome in _WELL and may_have_deaths:
        commands.append(("HDEL", job.key, keys.DEATHS))
    if outcome is RunOutcome.SKIPPED and ttl != 0:
        job.meta = {**meta_of(job), keys.OUTCOME_META: {"kind": "skipped"}}
        commands.append(("HSET", job.key, "meta", job.serializer.dumps(job.meta)))
    return commands


def _is_of_application(method: Any) -> bool:
    """Whether a method is one of a subclass, or was put in the place of the worker's."""
    module: str = getattr(method, "__module__", "")
    return not module.startswith(("clock.worker.", "rq."))


def _log_overtaken(job: str) -> None:
    log.warning("overtaken", job=job, reason=f"job {job} was taken from this worker")
