"""Whether every job ended as its policy says."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from redis import Redis
from rq.job import Job, JobStatus
from rq.utils import as_text

from benchmarks.faults.work import CHILDREN, QUEUES, kind_of
from clock import keys
from clock.jobs.occurrence import occurrence_of
from clock.runs.records import read_runs
from clock.runs.run import Run, RunOutcome
from clock.worker.recovery import DEATHS

Notes = Mapping[tuple[str, str], int]

LEFT_BEHIND = ("rq:execution:*", "rq:executions:*", "rq:worker:*:executions", "clock:lost")
"""Keys that are gone once no job runs, but for what a dead worker has, which expires."""

UNWRITTEN = "exit 1"
"""The error of a run whose end its child could not write, and ended for that."""

DEATHS_OF_CHILDREN = frozenset({"SIGKILL", UNWRITTEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How often a job is retried, whether it never succeeds, and the errors in the records of runs
    that ended with their process.
    """

    retries: int
    is_broken: bool = False
    deaths: frozenset[str] = frozenset({"SIGKILL"})


@dataclass(slots=True)
class Ends:
    """What became of all jobs; ``wrong`` has one sentence for each thing that should not be."""

    finished: int = 0
    failed: int = 0
    given_up: int = 0
    """Of the failed, those that so many workers died with as a job survives at most."""

    runs: Counter[RunOutcome] = field(default_factory=Counter)
    child_deaths: int = 0
    """Runs that ended with their process, and not with their worker."""

    unwritten: int = 0
    """Runs whose error their child could not write, since the server went away at that moment."""

    wrong: list[str] = field(default_factory=list)


def read_ends(
    redis: Redis, app: str, events: Iterable[str], notes: Notes, workers: Mapping[str, float]
) -> tuple[Ends, dict[str, Counter[int]]]:
    """Judge every job on the server; and which occurrences have one, event -> instant -> 1.
    ``workers`` says when each has ended, by name, in UTC seconds since 1970.
    """
    ends = Ends()
    received: dict[str, Counter[int]] = {event: Counter() for event in events}
    runs: defaultdict[str, list[Run]] = defaultdict(list)
    abandoned: Counter[str] = Counter()
    for event in received:
        of_event = read_runs(redis, app, event)
        if len(of_event) >= keys.RUNS:
            ends.wrong.append(f"{event} has more runs than are kept")
        for run in of_event:
            ends.runs[run.outcome] += 1
            ends.child_deaths += run.error == "SIGKILL"
            ends.unwritten += run.error == UNWRITTEN
            runs[run.job].append(run)
            if run.outcome is RunOutcome.ABANDONED:
                abandoned[run.worker] += 1
                if workers.get(run.worker, inf) > run.ended:
                    ends.wrong.append(f"{run.job} was abandoned while its worker lived")
    ids = [as_text(key).removeprefix("rq:job:") for key in redis.scan_iter("rq:job:*", count=1000)]
    jobs = [job for job in Job.fetch_many(ids, connection=redis) if job is not None]
    for job in jobs:
        occurrence = occurrence_of(job)
        if occurrence is None or occurrence.event not in received:
            ends.wrong.append(f"{job.id} is of no event")
            continue
        received[occurrence.event][int(occurrence.scheduled_at.timestamp())] += 1
        of_job = sorted(runs.pop(job.id, ()), key=lambda run: run.attempt)
        kind = kind_of(occurrence.event)
        policy = Policy(retries=kind.retries, is_broken=kind.is_broken, deaths=DEATHS_OF_CHILDREN)
        flaws = [*judge(job, of_job, notes, policy)]
        ends.wrong += [f"{job.id} {flaw}; {len(of_job)} runs" for flaw in flaws]
        status = job.get_status(refresh=False)
        ends.finished += status == JobStatus.FINISHED
        ends.failed += status == JobStatus.FAILED
        ends.given_up += status == JobStatus.FAILED and _is_given_up(of_job)
    ends.wrong += [f"{job} has runs and no hash" for job in runs]
    ends.wrong += [
        f"the worker {worker} died with {count} jobs, and has {CHILDREN} children"
        for worker, count in abandoned.items()
        # One more where a child died right before it.
        if count > CHILDREN + 1
    ]
    ends.wrong += _left(redis, jobs)
    return ends, received


def judge(job: Job, runs: Sequence[Run], notes: Notes, policy: Policy) -> Iterator[str]:
    """What is wrong with the end of a job, and with its ``runs``, in the order of attempts."""
    begun, raised, ended, twice = (
        notes.get((word, job.id), 0) for word in ("begin", "raise", "end", "twice")
    )
    status = job.get_status(refresh=False)
    attempts = (job.number_of_retries or 0) + 1
    deaths = sum(_is_death(run, policy) for run in runs)
    errors = sum(run.error == "ValueError" for run in runs)
    if twice:
        yield "ran while another run of it went on"
    if [run.attempt for run in runs] != [*range(1, len(runs) + 1)]:
        yield f"has the attempts {[run.attempt for run in runs]}"
    if not len(runs) - deaths <= begun <= len(runs):
        yield f"began {begun} times"
    if not errors <= raised <= errors + deaths:
        yield f"raised {raised} times, recorded {errors}"
    if (job.retries_left or 0) != policy.retries - (attempts - 1):
        yield f"has {job.retries_left} of {policy.retries} retries left after {attempts} attempts"
    if not runs:
        yield f"is {status.value} and has no run"
    elif status == JobStatus.FINISHED:
        if runs[-1].outcome is not RunOutcome.SUCCEEDED or policy.is_broken:
            yield f"is finished, and its last run {runs[-1].outcome}"
        if (
            not 1 <= ended <= 1 + deaths
            or len(runs) != 1 + deaths + errors
            or len(runs) != attempts
        ):
            yield f"succeeded {ended} times after {deaths} deaths and {errors} errors"
    elif status == JobStatus.FAILED:
        if ended > deaths or len(runs) != deaths + errors:
            yield f"failed after {deaths} deaths and {errors} errors, and succeeded {ended} times"
        if not _is_given_up(runs) and len(runs) != policy.retries + 1:
            yield f"failed, and had {policy.retries} retries"
    else:
        yield f"is {status.value}"


def remaining(redis: Redis) -> int:
    """How many jobs wait or run."""
    with redis.pipeline() as pipeline:
        for queue in QUEUES:
            pipeline.llen(f"rq:queue:{queue}")
            pipeline.zcard(f"rq:wip:{queue}")
            pipeline.zcard(f"rq:scheduled:{queue}")
        return sum(pipeline.execute())


def _is_death(run: Run, policy: Policy) -> bool:
    return run.outcome is RunOutcome.ABANDONED or run.error in policy.deaths


def _is_given_up(runs: Sequence[Run]) -> bool:
    abandoned = [run for run in runs if run.outcome is RunOutcome.ABANDONED]
    return len(abandoned) == DEATHS and runs[-1] is abandoned[-1]


def _left(redis: Redis, jobs: Iterable[Job]) -> Iterator[str]:
    """What is on the server that no job that has ended leaves there."""
    status = {job.id: job.get_status(refresh=False) for job in jobs}
    for registry, meant in (("finished", JobStatus.FINISHED), ("failed", JobStatus.FAILED)):
        registered = {
            as_text(member)  # type: ignore[arg-type]
            for queue in QUEUES
            for member in redis.zrange(f"rq:{registry}:{queue}", 0, -1)
        }
        for job in registered ^ {job for job, of_job in status.items() if of_job == meant}:
            yield f"{job} is {status.get(job)}, and the registry {registry} says otherwise"
    for pattern in LEFT_BEHIND:
        for key in redis.scan_iter(pattern, count=1000):
            if not as_text(key).startswith("rq:worker:") or redis.ttl(key) < 0:
                yield f"{as_text(key)} is left behind"
