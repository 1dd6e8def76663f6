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
clock:<app>:rows              hash  event of a source -> its line, see                one a row
                                    ``clock.ledger.row_lines``
clock:<app>:rows:removed      hash  event of a source -> when it was removed          REMOVED_TTL
clock:<app>:rows:changes      strm  the rows that changed, by version                 CHANGES
clock:<app>:rows:refused      hash  row -> its source, its mistake, since when        one a bad row
clock:<app>:stored            hash  row that people edit -> its version, words, who   one a row
                                    changed it and when
clock:<app>:sources           hash  source -> what it allows, how it was asked last   one a source
clock:<app>:asker:SOURCE      str   the clock that asks a source                      ASKER_TTL
clock:<app>:instants          hash  event -> next instants, if they follow no rule    one an event
clock:<app>:ahead             hash  event -> occurrences that fired in the future     one an event
clock:<app>:time              str   the time source of its clocks, and their tokens   SOURCE_TTL
clock:<app>:manual:EVENT      list  when it was run by hand, and the job's id         MANUAL_KEPT
clock:<app>:backfilled:EVENT  zset  an occurrence -> when it was backfilled           BACKFILLED
clock:<app>:audit             strm  what people did, see ``clock.ledger.audit``       AUDITED
clock:<app>:audit:failed      strm  what they tried, failed sign-ins too              AUDITED_FAILED
clock:<app>:deliveries:DIGEST hash  what was delivered to a webhook, see              DELIVERIES_TTL
                                    ``clock.ledger.deliveries``
clock:<app>:signed_out:ID     str   a session that its person ended                   its own TTL
clock:serializers:queue:NAME  hash  application -> serializer of its jobs there       one an app
clock:<app>:runs:EVENT        list  its runs, see ``clock.runs.records``              RUNS, RUNS_TTL
clock:<app>:measured:EVENT    hash  runs by outcome, and a histogram of durations     TTL
clock:<app>:tally             hash  histogram of lateness, count of lost claims       TTL
clock:<app>:failed:EVENT      list  ids of its failed jobs, latest first              FAILED_KEPT
clock:<app>:output:JOB        hash  attempt -> what it printed, see                   OUTPUT_TTL
                                    ``clock.runs.output``
clock:<app>:outputs           zset  attempt:job whose output is kept -> when it       OUTPUT_MEMORY
                                    ended
clock:<app>:output_sizes      hash  attempt:job -> bytes of its output, and           one an output
                                    "bytes" -> their sum
clock:<app>:last_output:EVENT list  attempt:job of runs that went well, latest first  OUTPUTS_KEPT
clock:<app>:bad_output:EVENT  list  the same of those that did not; of jobs without   BAD_OUTPUTS
                                    an event, all under no name
clock:<app>:trends:new:H      hash  minute of an hour and queue -> jobs, see           a day
                                    ``clock.ledger.new_jobs``
clock:<app>:trends:minutes:H  hash  queue -> its minutes of an hour, see              26 hours
                                    ``clock.ledger.trends``
clock:<app>:trends:hours:D    hash  event -> its hours of a day                       9 days
clock:<app>:trends:all:D      hash  hour of a day -> minutes of all events            9 days
clock:<app>:trends:           hash  queue -> its days of a month                      13 months
  queue_days:M
clock:<app>:trends:           hash  event -> its days of a month                      13 months
  event_days:M
clock:worker:NAME.TOKEN       str   host and pid of a live worker                     HEARTBEAT_TTL
clock:step:NAME.TOKEN         str   the last step of a worker's child                 a day
clock:sweep                   str   the worker that looks for abandoned jobs now      REAP_EVERY
clock:lost                    hash  job on no queue -> since when, and a digest       LOST_TTL
clock:lost:cursor             str   how far the look for them has come                   a day
clock:<app>:unique:DIGEST     str   id of the job that a unique enqueue returns       its own TTL
clock:<app>:running:TASK      hash  job -> when its lease ends, and its worker        max_running
clock:<app>:held:TASK         zset  job that waits for a lease -> since when          its jobs
clock:<app>:limits            hash  task -> how many of its jobs may run at once      one a task
clock:progress:JOB            hash  progress of a job: done, total, message, at       its own TTL
clock:expires:JOB             str   when a job that was not started expires           its own TTL
<RQ's prefix>clock_paused     hash  paused queue -> since when, by whom, why          PAUSED_QUEUES
============================  ====  ================================================  ==============

Stored rows have no TTL: people made them.

A record is at most about a kilobyte. Each hash expires ``TTL`` after the last start or claim of its
application. The fields of an event that is in no schedule any more are dropped at the first start
that is ``FORGOTTEN_AFTER`` later than its last decision. A set of backfilled occurrences expires
``TTL`` after the last backfill. There is a shape for each set of job options in a schedule, a few
dozen at most; it is dropped at the first start that is ``FORGOTTEN_AFTER`` later than the last
start of a clock that used it. The serializers of a queue expire ``SERIALIZERS_TTL`` after the last
start of a clock that enqueues there, a list of failed jobs ``RUNS_TTL`` after the last failure,
what is known of outputs ``OUTPUT_TTL`` after the last one, and counters ``TTL`` after they last
grew. A task is in ``limits`` and ``held`` only while its jobs run
or wait for a lease, and ``running`` expires with its last lease. Where a key has its own TTL, see
the module of ``clock.jobs`` that writes it.

Workers of this package, and the API, add the fields named below to the hashes of RQ's jobs,
executions and workers; they are deleted with the hash.
"""

from __future__ import annotations

from collections.abc import Callable

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

MANUAL_KEPT = 40
"""Runs by hand kept of an event, the latest: as many as its history has at most. They are kept for
``RUNS_TTL`` after the last."""

RUNS = 1_000
"""Runs kept of an event, the latest; a record is some 150 bytes."""

RUNS_TTL = 35 * 86_400
"""Seconds the runs of an event outlive its last one."""

DELIVERIES_TTL = 35 * 86_400
"""Seconds that deliveries to a webhook are known after the last check of a clock that has it."""

FAILED_KEPT = 1_000
"""Failed jobs kept of an event, the latest; one takes some 5 kB of memory, with its result."""

OUTPUT_TTL = 7 * 86_400
"""Seconds for which the output of a run is kept at most."""

OUTPUTS_KEPT = 20
"""Outputs kept of the runs of an event that went well, the latest."""

BAD_OUTPUTS = 100
"""Outputs kept of the runs of an event that did not: one that always fails leaves room for others.
"""

TREND_FIELDS = 10_000
"""Queues or events that are counted in a span of time: others, in excess, are not."""

HEARTBEAT_TTL = 16
"""Seconds after its last heartbeat from which a worker counts as dead."""

REAP_EVERY = 3
"""Seconds between two looks for abandoned jobs, over all workers."""

LOST_TTL = 30
"""Seconds without a look after which jobs on no queue are forgotten, to be observed anew."""

OWNER = "clock_worker"
"""Field of an execution, and of a worker: the worker process that runs it, as ``NAME.TOKEN``."""

PROCESSES = "clock_processes"
"""Field of a worker: how many processes it has. It is written with its heartbeat, as are the next.
"""

MEMORY = "clock_memory"
"""Field of a worker: bytes of memory that its processes use; what they share counts in parts."""

CPU = "clock_cpu"
"""Field of a worker: processor seconds that its processes took since it started."""

LOAD = "clock_load"
"""Field of a worker: how many processors it kept busy lately, on average."""

SUPPORTS = "clock_supports"
"""Field of a worker: ``pauses`` where it takes no jobs from paused queues; those of 0.1.0 do."""

DEATHS = "clock_deaths"
"""Field of a job: how many workers died while they ran it, or took it, and processes that ran
others too."""

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

AUDITED = 10_000
"""Entries kept in the audit log, about; one takes some 300 bytes."""

AUDITED_FAILED = 1_000
"""Entries kept of what failed or was refused. Strangers write them, so they have a place of their
own: no number of wrong passwords pushes out what people did."""

PAUSED_QUEUES = 1_000
"""Queues that can be paused at once."""

REMOVED_TTL = 35 * 86_400
"""Seconds for which a removed row, and what was decided of it, is kept; the time between two
questions to its source, where that is longer."""

CHANGES = 200
"""Changes of rows kept, the latest; a clock that is further behind reads all rows again."""

ASKER_TTL = 3
"""Seconds after which another clock asks a source, where the one that did is silent."""

LIVES = 200
"""Lives of clock processes kept, the latest: some weeks of restarts and deploys."""


def _of_app(name: str) -> Callable[[str], str]:
    """The key of this name of an application."""
    return lambda app: f"clock:{app}:{name}"


def _of_app_and(name: str) -> Callable[[str, str], str]:
    """The keys of this name of an application, one for each event, task or digest."""
    return lambda app, of: f"clock:{app}:{name}:{of}"


decided = _of_app("decided")
recurrences = _of_app("recurrences")
audit = _of_app("audit")
failed_audit = _of_app("audit:failed")
deliveries = _of_app_and("deliveries")
signed_out = _of_app_and("signed_out")
templates = _of_app("templates")
shapes = _of_app("shapes")
pauses = _of_app("pauses")
ended_pauses = _of_app("pauses:ended")
clocks = _of_app("clocks")
declared = _of_app_and("declared")
descriptions = _of_app("events")
instants = _of_app("instants")
ahead = _of_app("ahead")
time_source = _of_app("time")
rows = _of_app("rows")
removed_rows = _of_app("rows:removed")
row_changes = _of_app("rows:changes")
refused_rows = _of_app("rows:refused")
sources = _of_app("sources")
stored = _of_app("stored")
asker = _of_app_and("asker")
manual = _of_app_and("manual")
backfilled = _of_app_and("backfilled")
runs = _of_app_and("runs")
measured = _of_app_and("measured")
counters = _of_app("tally")
failed = _of_app_and("failed")
output = _of_app_and("output")
outputs = _of_app("outputs")
output_sizes = _of_app("output_sizes")
last_output = _of_app_and("last_output")
bad_output = _of_app_and("bad_output")
trends = _of_app_and("trends")
unique = _of_app_and("unique")
running = _of_app_and("running")
held = _of_app_and("held")
limits = _of_app("limits")

OF_EVENTS = (recurrences, templates, descriptions, instants, ahead, pauses, decided)
"""The hashes with a field for each event."""


def serializers(queue: str) -> str:
    """Hash of the serializers with which clocks enqueue to a queue."""
    return f"clock:serializers:queue:{queue}"


def heartbeat(identity: str) -> str:
    """The key that exists while a worker process is alive.

    ``identity`` is the worker's name, a dot and a token: a worker that is started under the name of
    a dead one must not count as that one.
    """
    return f"clock:worker:{identity}"


def step(identity: str) -> str:
    """The last step of a worker's child, for the child whose reply was lost."""
    return f"clock:step:{identity}"


def reaper() -> str:
    """The lock of the workers that look for abandoned jobs."""
    return "clock:sweep"


def lost() -> str:
    """Hash of the jobs that are queued and on no queue: job -> since when, and a digest of what its
    hash says.
    """
    return "clock:lost"


def lost_cursor() -> str:
    """How far the look for such jobs has come in its walk over all keys."""
    return "clock:lost:cursor"


def progress(job_id: str) -> str:
    """Hash of the progress of a job."""
    return f"clock:progress:{job_id}"


def expires(job_id: str) -> str:
    """When a job that was not started expires, in UTC milliseconds since 1970."""
    return f"clock:expires:{job_id}"
