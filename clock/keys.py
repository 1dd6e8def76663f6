"""Every key the clock writes, but for RQ's own: its type, what it holds, and why it is bounded.

============================  ====  ================================================  ============
key                           type  content                                           bound
============================  ====  ================================================  ============
clock:<app>:decided           hash  event -> its record, see ``clock.ledger.record``  one an event
clock:<app>:recurrences       hash  event -> the recurrence it was enrolled with      one an event
clock:<app>:templates         hash  event -> what its jobs have to themselves         one an event
clock:<app>:shapes            hash  digest -> what the jobs of many events share      see below
clock:<app>:pauses            hash  event -> until when it is paused, by whom, why    one an event
clock:<app>:pauses:ended      list  pauses that ended before their end, latest first    ENDED_PAUSES
clock:<app>:clocks            hash  token of a clock -> its life                      LIVES
clock:<app>:declared:DIGEST   text  what a clock says of its events, 16 bytes each    DECLARED_TTL
clock:<app>:events            hash  event -> since when, and its description          one an event
clock:<app>:instants          hash  event -> its coming instants, if it has no rule   one an event
clock:<app>:ahead             hash  event -> what fired of it in the future           one an event
clock:<app>:time              text  where its clocks take the time from, and who      SOURCE_TTL
clock:<app>:backfilled:EVENT  zset  an occurrence -> when it was backfilled           BACKFILLED
clock:serializers:queue:NAME  hash  application -> how its clock writes jobs there    one an app
clock:<app>:runs:EVENT        list  its runs, see ``clock.runs.records``           RUNS, RUNS_TTL
clock:<app>:measured:EVENT    hash  how many of its runs ended how, and took how long TTL
clock:<app>:tally             hash  latenesses, and claims that were lost: counts     TTL
clock:<app>:failed:EVENT      list  the ids of its failed jobs, the latest first      FAILED_KEPT
clock:worker:NAME.TOKEN       text  host and pid of a living worker                   PRESENCE
clock:sweep                   text  the worker that looks for abandoned jobs now      SWEEP
clock:<app>:unique:DIGEST     text  the id of the job that stands for its equals      its own TTL
clock:<app>:running:TASK      hash  job -> when its lease ends, and whose it is       max_running
clock:<app>:held:TASK         zset  job that waits for a place -> since when          its jobs
clock:<app>:limits            hash  task -> how many of its jobs may run at once      one a task
clock:progress:JOB            hash  how far a job has come: done, total, message, at  its own TTL
clock:expires:JOB             text  when a job that nobody has started expires        its own TTL
============================  ====  ================================================  ============

A record is at most about a kilobyte. Each hash expires ``TTL`` after the last start or claim of its
application, and a field whose event is in no schedule any more goes at the first start that is
``FORGOTTEN_AFTER`` later than its last decision. A set of backfilled occurrences expires ``TTL``
after the last of them was backfilled. A shape is there for each set of options that a schedule
gives its jobs, a few dozen at most, and is dropped at the first start that is ``FORGOTTEN_AFTER``
later than the last one of a clock that named it. What clocks left with a queue expires
``SERIALIZERS_TTL`` after the last start of one that enqueues there, a list of failed jobs
``RUNS_TTL`` after the last one of its event, and counts ``TTL`` after they last grew. A task is in
``limits`` and ``held`` only while jobs of it run or wait for a place, and ``running`` expires with
its last lease. Where a key has its own TTL, the part of ``clock.jobs`` that writes it says which.

In the hashes of RQ's jobs and executions a worker of ours, and the API, add the fields named below;
they go with their hash.
"""

from __future__ import annotations

TTL = 400 * 86_400
"""Seconds a ledger outlives the last claim of its application: long enough for a yearly event."""

FORGOTTEN_AFTER = TTL
"""Seconds after which a removed event's record is dropped."""

SOURCE_TTL = 60
"""Seconds for which a clock's word counts where it takes the time from; it says so every five."""

SERIALIZERS_TTL = 35 * 86_400
"""Seconds for which a worker is told how a clock writes: platforms restart both every day."""

DECLARED_TTL = 3 * 86_400
"""Seconds for which what a clock says of its events is there for others, which is written once a
day: of each version of a schedule there is one."""

BACKFILLED = 10_000
"""Occurrences in a set of backfilled ones, the latest backfilled; one command asks for no more."""

RUNS = 1_000
"""Runs kept of an event, the latest; a record is some 150 bytes."""

RUNS_TTL = 35 * 86_400
"""Seconds the runs of an event outlive its last one."""

FAILED_KEPT = 1_000
"""Failed jobs kept of an event, the latest; one takes some 5 kB of the server, with its result."""

PRESENCE = 16
"""Seconds after its last sign of life from which a worker counts as dead."""

SWEEP = 3
"""Seconds between two looks for abandoned jobs, over all workers."""

OWNER = "clock_worker"
"""Field of an execution, and of a worker: which process of ours it is, ``NAME.TOKEN``."""

DEATHS = "clock_deaths"
"""Field of a job: how many workers died with it in hand."""

OVERTAKEN = "clock_overtaken"
"""Field of a job: the execution that was taken from its worker last."""

REQUEST = "clock_request"
"""Field of a job that a request with a key enqueued: the key and a digest of the request."""

ENDED_PAUSES = 1000
"""Pauses that were ended or replaced by hand, the latest, so that one can tell later who did it."""

LIVES = 200
"""Lives of clocks that are kept, the latest: some weeks of restarts and deploys."""


def decided(app: str) -> str:
    """The hash of what was decided last for each event, its counters and its history."""
    return f"clock:{app}:decided"


def recurrences(app: str) -> str:
    """The hash of the recurrence each event had when it was last enrolled."""
    return f"clock:{app}:recurrences"


def templates(app: str) -> str:
    """The hash of what each event's jobs have to themselves, packed for the claim script."""
    return f"clock:{app}:templates"


def shapes(app: str) -> str:
    """The hash of what the jobs of many events share, packed for the claim script."""
    return f"clock:{app}:shapes"


def pauses(app: str) -> str:
    """The hash of the events that are paused."""
    return f"clock:{app}:pauses"


def ended_pauses(app: str) -> str:
    """The list of the pauses that are no more."""
    return f"clock:{app}:pauses:ended"


def backfilled(app: str, event: str) -> str:
    """The sorted set of the occurrences of an event that were backfilled."""
    return f"clock:{app}:backfilled:{event}"


def clocks(app: str) -> str:
    """The hash of the clock processes there are and were."""
    return f"clock:{app}:clocks"


def declared(app: str, digest: str) -> str:
    """What clocks say of their events, in digests, which together have the digest ``digest``."""
    return f"clock:{app}:declared:{digest}"


def descriptions(app: str) -> str:
    """The hash of what a schedule file says of each event."""
    return f"clock:{app}:events"


def instants(app: str) -> str:
    """The hash of the coming instants of events whose recurrence cannot be written down."""
    return f"clock:{app}:instants"


def ahead(app: str) -> str:
    """The hash of the occurrences that fired while the server was ahead of its time."""
    return f"clock:{app}:ahead"


def time_source(app: str) -> str:
    """Where the clocks of an application take the time from."""
    return f"clock:{app}:time"


OF_EVENTS = (recurrences, templates, descriptions, instants, ahead, pauses, decided)
"""The hashes with a field for each event."""


def serializers(queue: str) -> str:
    """The hash of the serializers with which clocks enqueue into a queue."""
    return f"clock:serializers:queue:{queue}"


def runs(app: str, event: str) -> str:
    """The list of an event's runs, the one that ended last first."""
    return f"clock:{app}:runs:{event}"


def measured(app: str, event: str) -> str:
    """The hash of what the runs of an event were in all: counts that only grow."""
    return f"clock:{app}:measured:{event}"


def tally(app: str) -> str:
    """The hash of what the clocks of an application counted: numbers that only grow."""
    return f"clock:{app}:tally"


def failed(app: str, event: str) -> str:
    """The list of the jobs of an event that failed, the latest first."""
    return f"clock:{app}:failed:{event}"


def presence(identity: str) -> str:
    """The key that is there while a worker's process lives. ``identity`` is the worker's name, a
    dot and a token: who is restarted under the name of a dead one must not keep that one alive.
    """
    return f"clock:worker:{identity}"


def sweep() -> str:
    """The lock of the workers that look for abandoned jobs."""
    return "clock:sweep"


def unique(app: str, digest: str) -> str:
    """The id of the job that stands for all that equal it, as long as it does."""
    return f"clock:{app}:unique:{digest}"


def running(app: str, task: str) -> str:
    """The hash of the leases of a task whose jobs are limited in number."""
    return f"clock:{app}:running:{task}"


def held(app: str, task: str) -> str:
    """The sorted set of the jobs of a task that wait until fewer of them run."""
    return f"clock:{app}:held:{task}"


def limits(app: str) -> str:
    """The hash of the tasks of which jobs hold leases or wait for one, with their limits."""
    return f"clock:{app}:limits"


def progress(job_id: str) -> str:
    """The hash of how far a job has come."""
    return f"clock:progress:{job_id}"


def expires(job_id: str) -> str:
    """The instant, in UTC milliseconds since 1970, at which a job that was not started expires."""
    return f"clock:expires:{job_id}"
