"""The ends of runs that RQ's handlers write: what these do not know of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from redis.client import Pipeline
from rq import Queue
from rq.executions import Execution
from rq.job import Job, JobStatus

from clock.jobs.rq_versions import free_rate_limit
from clock.runs.counted import count_run
from clock.runs.output import write_output
from clock.runs.records import write_run
from clock.worker.child_jobs import of_job
from clock.worker.current_run import CurrentRun
from clock.worker.ending import Ending
from clock.worker.execution_owner import OvertakenError
from clock.worker.output_ring import Printed
from clock.worker.record import counted_of, output_of, run_of
from clock.worker.success import delete_execution
from clock.worker.taken import TakenJob


class RunEnds:
    """The end that a worker of RQ's is about to write, one at a time."""

    def __init__(self, worker: Any, app: str, output_memory: int) -> None:
        """``worker`` writes the records of the application ``app``, and keeps at most that many
        megabytes of output.
        """
        self._worker = worker
        self._app = app
        self._output_memory = output_memory
        self.current: CurrentRun | None = None
        """The run that ends, None for none."""
        self.printed: Callable[[TakenJob], Printed | None] | None = None
        """In a child, what a run has printed."""

    @contextmanager
    def of(self, run: CurrentRun) -> Iterator[None]:
        """While the block runs, RQ's handlers end this run."""
        worker = self._worker
        worker.execution = None
        worker.execution, self.current = run.execution, run
        try:
            yield
        finally:
            worker.execution = self.current = None

    def check_owner(self, job: Job) -> None:
        """Raise OvertakenError where the job is another's by now."""
        run = self.current
        if run is not None and run.taken is not None and not run.is_checked:
            if not run.taken.owned.may_end(self._worker.connection):
                raise OvertakenError(f"job {job.id} was taken from this worker")
            run.is_checked = True

    def decide(self, job: Job) -> None:
        """The ending of the current run is known, whatever RQ makes of it."""
        run = self.current
        assert run is not None
        assert run.ending is not None
        self.note(job, run.ending)
        run.is_decided = True

    def note(self, job: Job, ending: Ending) -> None:
        """Keep what is to be recorded, before RQ makes the job ready for its next run. What the
        task's end means goes before ``ending``, what RQ makes of it.
        """
        run = self.current
        if run is not None and not run.is_decided:
            run.ending = ending = run.ending or ending
            ended = job.ended_at or datetime.now(UTC)
            run.record = run_of(
                job,
                ending.outcome,
                started=job.started_at,
                ended=ended,
                worker=self._worker.name,
                error=ending.error,
            )
            run.counted = counted_of(
                job,
                ending.outcome,
                of=run.record,
                started=job.started_at,
                ended=ended,
            )
            if run.taken is not None and self.printed is not None:
                run.printed = self.printed(run.taken)
            run.output = output_of(job, ending.outcome, ended=ended, printed=run.printed)

    def write(self, job: Job, pipeline: Pipeline) -> None:
        """Add what was noted to the transaction that ends the run."""
        run = self.current
        if run is not None:
            # RQ 2 forgets it in the first try of a transaction, and leaves it there in the second.
            self._worker.execution = run.execution
            self._write_records(run, pipeline)
            ttl = job.get_result_ttl(self._worker.default_result_ttl)
            for command in of_job(run, job, ttl):
                pipeline.execute_command(*command)  # type: ignore[no-untyped-call]

    def end_deleted(
        self, job: Job, queue: Queue, execution: Execution | None, status: JobStatus
    ) -> bool:
        """Whether the job was deleted while it ran. Then only its execution ends: RQ would write a
        part of its hash again, or all of it to run it once more.
        """
        worker = self._worker
        if execution is None or worker.connection.hexists(job.key, "data"):
            return False
        worker.log.warning("Worker %s: job %s was deleted while it ran", worker.name, job.id)
        job._status = status
        with worker.connection.pipeline() as pipeline:
            pipeline.delete(job.key)
            for command in delete_execution(job.id, execution.id, job.origin, worker.name):
                pipeline.execute_command(*command)
            if status == JobStatus.FINISHED:
                worker.increment_successful_job_count(pipeline)
            else:
                worker.increment_failed_job_count(pipeline)
            if job.started_at and job.ended_at:
                worker.increment_total_working_time(job.ended_at - job.started_at, pipeline)
            run = self.current
            if run is not None:
                run.give_up()
                self._write_records(run, pipeline)
            pipeline.execute()
        queue.enqueue_dependents(job, refresh_job_status=False)
        free_rate_limit(job)
        return True

    def _write_records(self, run: CurrentRun, pipeline: Pipeline) -> None:
        if run.record is not None:
            write_run(pipeline, self._app, run.record)
        if run.output is not None:
            write_output(pipeline, self._app, run.output, self._output_memory)
        if run.counted is not None:
            count_run(pipeline, self._app, run.counted)
