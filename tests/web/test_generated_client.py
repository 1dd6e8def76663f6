"""A client that another project's generator makes of the description, used on a real server."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from redis import Redis

from clock.instant import utc_text
from clock.web.api import OPERATIONS
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import TOKEN, StartWeb
from tests.web.serving import serving

BIN = Path(__file__).parents[2] / ".venv/openapi-client/bin"

pytestmark = pytest.mark.skipif(
    not BIN.exists(), reason="no generator of clients here; make test installs it"
)

SCRIPT = """
import datetime, sys
from clock_client import AuthenticatedClient
from clock_client.api.enqueueing import enqueue_jobs
from clock_client.api.events import backfill_event, get_event, get_events
from clock_client.api.events import get_event_why, pause_event
from clock_client.api.jobs import get_job, stop_job
from clock_client.models import BackfillEventRequest, Event, NewJob, PauseEventRequest, Problem

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
start = datetime.datetime.fromisoformat(sys.argv[3])

page = get_events.sync(client=client, limit=1, sort="name")
assert (len(page.events), page.total) == (1, 2), page
rest = get_events.sync(client=client, limit=1, sort="name", cursor=page.next_)
assert isinstance(rest.events[0], Event)
assert (rest.events[0].event, rest.events[0].queue, rest.next_) == ("ten", "io", None)
assert rest.events[0].next_ == start + datetime.timedelta(seconds=110)

etag = get_events.sync_detailed(client=client).headers["etag"]
known = get_events.sync_detailed(client=client, if_none_match=etag)
assert (known.status_code, known.content) == (304, b"")

why = get_event_why.sync(client=client, name="ten", at=start + datetime.timedelta(seconds=50))
assert (why.verdict, why.count) == ("missed", 8), why

paused = pause_event.sync(client=client, name="a/b ü", body=PauseEventRequest(reason="moving"))
assert (paused.paused.by, paused.paused.until) == ("api", None)

first, last = (start + datetime.timedelta(seconds=seconds) for seconds in (5, 95))
span = BackfillEventRequest(from_=first, until=last, dry_run=True)
shown = backfill_event.sync(client=client, name="ten", body=span)
assert [one.standing for one in shown.occurrences].count("open") == 7, shown

problem = get_event.sync(client=client, name="nobody")
assert isinstance(problem, Problem) and problem.type_.endswith("#unknown-event"), problem

body = NewJob(task="tests.jobs.working.say", args=["x"])
job = enqueue_jobs.sync(client=client, body=body, idempotency_key="k-1")
assert (job.id, job.is_new) == ("k-1", True), job
assert get_job.sync(client=client, id="k-1").status == "queued"
assert stop_job.sync(client=client, id="k-1").status == 409
"""


def test_a_generated_client_does_what_the_api_does(
    redis: Redis, read: ReadSchedule, start_web: StartWeb, tmp_path: Path
) -> None:
    schedule = read(
        "every('10 seconds', 'tasks.sync', name='ten', catch_up='none', queue='io')",
        "every('day', 'tasks.sync', name='a/b ü', at='02:30', tz='Europe/Berlin')",
    )
    Watched(redis, schedule).turn([*range(21), 100])
    web = start_web(now=lambda: START + 105)
    description = tmp_path / "openapi.json"
    description.write_bytes(web.get("/api/v1/openapi.json").content)
    generated = _run(
        tmp_path, "openapi-python-client", "generate", "--path", str(description),
        "--meta", "none", "--output-path", "clock_client",
    )  # fmt: skip
    assert "Warning" not in generated
    modules = {path.stem for path in tmp_path.glob("clock_client/api/*/*.py")}
    assert {operation.id for operation in OPERATIONS} <= modules
    (tmp_path / "use.py").write_text(SCRIPT)
    with serving(web.app) as url:
        _run(tmp_path, "python", "use.py", f"{url}/api/v1", TOKEN, utc_text(int(START)))


def _run(folder: Path, program: str, *arguments: str) -> str:
    done = subprocess.run(
        [BIN / program, *arguments],
        cwd=folder,
        env={"PATH": str(BIN)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
