"""Every key this package writes, except RQ's own: its type, its content, and its bound.

============================  ====  ================================================  ==============
key                           type  content                                           bound
============================  ====  ================================================  ==============
clock:<app>:decided           hash  event -> its record, see ``clock.ledger.record``  one an event
clock:<app>:recurrences       hash  event -> identity of the enrolled recurrence      one an event
clock:<app>:templates         hash  event -> fields of its jobs that are its own      one an event
clock:<app>:shapes            hash  digest -> fields that jobs of many events share   see below
clock:<app>:pauses            hash  event -> until when it is paused, by whom, why    one an event
clock:<app>:pauses:ended      list  pauses that ended early, latest first             ENDED_PAUSES
clock:<app>:clocks            hash  token of a clock process -> its life              LIVES
clock:<app>:declared:DIGEST   str   16-byte digests of a clock's declared events      DECLARED_TTL
clock:<app>:events            hash  event -> since when, and its description          one an event
clock:<app>:instants          hash  event -> next instants, if they follow no rule    one an event
clock:<app>:ahead             hash  event -> occurrences that fired in the future     one an event
clock:<app>:time              str   the time source of its clocks, and their tokens   SOURCE_TTL
clock:<app>:backfilled:EVENT  zset  an occurrence -> when it was backfilled           BACKFILLED
clock:serializers:queue:NAME  hash  application -> serializer of its jobs there       one an app
clock:<app>:runs:EVENT        list  its runs, see ``clock.runs.records``              RUNS, RUNS_TTL
clock:<app>:measured:EVENT    hash  runs by outcome, and a histogram of durations     TTL
clock:<app>:tally             hash  histogram of lateness, count of lost claims       TTL
clock:<app>:failed:EVENT      list  ids of its failed jobs, latest first              FAILED_KEPT
clock:worker:NAME.TOKEN       str   host and pid of a live worker                     HEARTBEAT_TTL
clock:step:NAME.TOKEN         hash  the last step of a worker's child         2 minutes
clock:sweep                   str   the worker that looks for abandoned jobs now      REAP_EVERY
clock:<app>:unique:DIGEST     str   id of the job that a unique enqueue returns       its own TTL
clock:<app>:running:TASK      hash  job -> when its lease ends, and its worker        max_running
clock:<app>:held:TASK         zset  job that waits for a lease -> since when          its jobs
clock:<app>:limits            hash  task -> how many of its jobs may run at once      one a task
clock:progress:JOB            hash  progress of a job: done, total, message, at       its own TTL
clock:expires:JOB             str   when a job that was not started expires           its own TTL
============================  ====  ================================================  ==============

A record is at most about a kilobyte. Each hash expires ``TTL`` after the last start or claim of its
application. The fields of an event that is in no schedule any more are dropped at the first start
that is ``FORGOTTEN_AFTER`` later than its last decision. A set of backfilled occurrences expires
``TTL`` after the last backfill. There is a shape for each set of job options in a schedule, a few
dozen at most; it is dropped at the first start that is ``FORGOTTEN_AFTER`` later than the last
start of a clock that used it. The serializers of a queue expire ``SERIALIZERS_TTL`` after the last
start of a clock that enqueues there, a list of failed jobs ``RUNS_TTL`` after the last failure, and
counters ``TTL`` after they last grew. A task is in ``limits`` and ``held`` only while its jobs run
or wait for a lease, and ``running`` expires with its last lease. Where a key has its own TTL, see
the module of ``clock.jobs`` that writes it.

Workers of this package, and the API, add the fields named below to the hashes of RQ's jobs and
executions; they are deleted with the hash.
"""

from __future__ import annotations

TTL = 400 * 86_400
"""Seconds a ledger outlives the last claim of its application: long enough for a yearly event."""

FORGOTTEN_AFTER = TTL
"""Seconds after which a removed event's record is dropped."""

SOURCE_TTL = 60
"""Seconds for which a clock's time source is known to others; it is written every five."""

SERIALIZERS_TTL = 35 * 86_400
"""Seconds a queue's serializers outlive the last start of its clock: platforms restart daily."""

DECLARED_TTL = 3 * 86_400
"""Seconds that a clock's declarations are kept; they are written daily, once per version of a
schedule."""

BACKFILLED = 10_000
"""Backfilled occurrences kept of an event, the latest; one command backfills no more."""

RUNS = 1_000
"""Runs kept of an event, the latest; a record is some 150 bytes."""

RUNS_TTL = 35 * 86_400
"""Seconds the runs of an event outlive its last one."""

FAILED_KEPT = 1_000
"""Failed jobs kept of an event, the latest; one takes some 5 kB of memory, with its result."""

HEARTBEAT_TTL = 16
"""Seconds after its last heartbeat from which a worker counts as dead."""

REAP_EVERY = 3
"""Seconds between two looks for abandoned jobs, over all workers."""

OWNER = "clock_worker"
"""Field of an execution, and of a worker: the worker process that runs it, as ``NAME.TOKEN``."""

DEATHS = "clock_deaths"
"""Field of a job: how many workers died while they ran it, and processes that ran others too."""

OVERTAKEN = "clock_overtaken"
"""Field of a job: the last execution that was taken from its worker."""

OUTCOME_META = "clock_outcome"
"""Key of a job's ``meta`` that says that it ended as skipped: ``{"kind": "skipped"}``."""

OCCURRENCE_META = "clock"
"""Key of a job's ``meta`` with the occurrence that it stands for."""

REQUEST = "clock_request"
"""Field of a job enqueued with an idempotency key: the key and a digest of the request."""

ENDED_PAUSES = 1000
"""Pauses kept that a person ended or replaced, the latest, to show later who did."""

LIVES = 200
"""Lives of clock processes kept, the latest: some weeks of restarts and deploys."""


def decided(app: str) -> str:
    """Hash of the record of each event: its last decision, counters and history."""
    return f"clock:{app}:decided"


def recurrences(app: str) -> str:
    """Hash of the identity of the recurrence with which each event was last enrolled."""
    return f"clock:{app}:recurrences"


def templates(app: str) -> str:
    """Hash of the job fields that are an event's own, packed for the claim script."""
    return f"clock:{app}:templates"


def shapes(app: str) -> str:
    """Hash of the job fields that many events share, packed for the claim script."""
    return f"clock:{app}:shapes"


def pauses(app: str) -> str:
    """Hash of the pauses, by event."""
    return f"clock:{app}:pauses"


def ended_pauses(app: str) -> str:
    """List of the pauses that ended early."""
    return f"clock:{app}:pauses:ended"


def backfilled(app: str, event: str) -> str:
    """Sorted set of the occurrences of an event that were backfilled."""
    return f"clock:{app}:backfilled:{event}"


def clocks(app: str) -> str:
    """Hash of the clock processes, alive and past."""
    return f"clock:{app}:clocks"


def declared(app: str, digest: str) -> str:
    """Digests of the events that clocks declare; ``digest`` is that of all of them."""
    return f"clock:{app}:declared:{digest}"


def descriptions(app: str) -> str:
    """Hash of the description of each event in its schedule file."""
    return f"clock:{app}:events"


def instants(app: str) -> str:
    """Hash of the next instants of events whose recurrence cannot be encoded."""
    return f"clock:{app}:instants"


def ahead(app: str) -> str:
    """Hash of the occurrences that fired while the server's time was ahead."""
    return f"clock:{app}:ahead"


def time_source(app: str) -> str:
    """The time source of the clocks of an application."""
    return f"clock:{app}:time"


OF_EVENTS = (recurrences, templates, descriptions, instants, ahead, pauses, decided)
"""The hashes with a field for each event."""


def serializers(queue: str) -> str:
    """Hash of the serializers with which clocks enqueue to a queue."""
    return f"clock:serializers:queue:{queue}"


def runs(app: str, event: str) -> str:
    """List of the runs of an event, the one that ended last first."""
    return f"clock:{app}:runs:{event}"


def measured(app: str, event: str) -> str:
    """Hash of the totals of the runs of an event, which only grow."""
    return f"clock:{app}:measured:{event}"


def counters(app: str) -> str:
    """Hash of the totals of the clocks of an application, which only grow."""
    return f"clock:{app}:tally"


def failed(app: str, event: str) -> str:
    """List of the failed jobs of an event, latest first."""
    return f"clock:{app}:failed:{event}"


def heartbeat(identity: str) -> str:
    """The key that exists while a worker process is alive.

    ``identity`` is the worker's name, a dot and a token: a worker that is started under the name of
    a dead one must not count as that one.
    """
    return f"clock:worker:{identity}"


def step(identity: str) -> str:
    """Hash of the last step of a worker's child, for the child whose reply was lost."""
    return f"clock:step:{identity}"


def reaper() -> str:
    """The lock of the workers that look for abandoned jobs."""
    return "clock:sweep"


def unique(app: str, digest: str) -> str:
    """The id of the job that a unique enqueue returns while it exists."""
    return f"clock:{app}:unique:{digest}"


def running(app: str, task: str) -> str:
    """Hash of the leases of a task that has a limit."""
    return f"clock:{app}:running:{task}"


def held(app: str, task: str) -> str:
    """Sorted set of the jobs of a task that wait for a lease."""
    return f"clock:{app}:held:{task}"


def limits(app: str) -> str:
    """Hash of the tasks of which jobs hold leases or wait for one, with their limits."""
    return f"clock:{app}:limits"


def progress(job_id: str) -> str:
    """Hash of the progress of a job."""
    return f"clock:progress:{job_id}"


def expires(job_id: str) -> str:
    """When a job that was not started expires, in UTC milliseconds since 1970."""
    return f"clock:expires:{job_id}"
