"""What does an idle worker cost?

A `clock.worker.Worker` with one child and `rq worker --with-scheduler` wait side by side, each at a
server of its own, on one queue and on six. `MONITOR` counts what they send in the same spans of
time; what a script runs inside is not counted, since it needs no round trip. `CLIENT LIST` shows
their connections.

Memory is that of all processes of a worker while a job runs, RQ's horse among them; what processes
share counts in parts (PSS).
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial
from statistics import median

from redis import Redis

from benchmarks.answer import Answer, Goal
from benchmarks.process import family, proportional, wait_for
from benchmarks.ratio import Pairs, pairs
from benchmarks.sent import sent
from benchmarks.server import server
from benchmarks.worker import FORKING, OURS, enqueue, wait_until_idle, worker

QUEUES = ("default", "q2", "q3", "q4", "q5", "q6")
KINDS = {OURS: [], FORKING: ["--with-scheduler"]}


def measure(*, quick: bool = False) -> Answer:
    """A goal for commands and connections with one queue and six, and one for memory."""
    spans, length, settling = (1, 2.0, 0.5) if quick else (5, 20.0, 20.0)
    goals, facts = [], []
    for count in (1, len(QUEUES)):
        commands, connections = _idle(QUEUES[:count], spans, length, settling)
        ours, peer = (median(of) / length for of in (commands.ours, commands.peer))
        goals += [
            _goal(f"commands of an idle worker, {count} queues", commands.cost, 1.5),
            _goal(f"connections of an idle worker, {count} queues", connections.cost, 1.5),
        ]
        facts.append(
            f"idle, {count} queues: {ours:.2f} commands a second and "
            f"{connections.ours[0]:.0f} connections; "
            f"rq worker --with-scheduler {peer:.2f} and {connections.peer[0]:.0f}"
        )
    memory = pairs(spans, partial(_memory, OURS), partial(_memory, FORKING))
    goals.append(_goal("memory of a worker and the process of its job", memory.cost, 1.2))
    facts.append(
        f"memory with a job: {median(memory.ours) / 2**20:.1f} MB, "
        f"rq worker {median(memory.peer) / 2**20:.1f} MB"
    )
    return Answer(goals=goals, facts=facts)


def _goal(what: str, measured: float, least: float) -> Goal:
    return Goal(what=f"{what}, against RQ's", measured=measured, goal=1.0, least=least)


def _idle(
    queues: tuple[str, ...], spans: int, length: float, settling: float
) -> tuple[Pairs, Pairs]:
    """The commands that ours and RQ's send in each of the spans, and their connections."""
    with ExitStack() as stack:
        clients = []
        for kind, arguments in KINDS.items():
            url = stack.enter_context(server())
            client = stack.enter_context(Redis.from_url(url))
            stack.enter_context(worker(kind, url, *arguments, *queues))
            wait_until_idle(client)
            clients.append(client)
        # What follows on the start is not idleness: maintenance, the scheduler's process.
        time.sleep(settling)
        commands: list[list[float]] = [[], []]
        for _ in range(spans):
            with sent(clients[0]) as ours, sent(clients[1]) as peer:
                time.sleep(length)
            for counts, of in zip(commands, (ours, peer), strict=True):
                counts.append(of.count)
        # This process has one connection to each.
        connections = [[float(len(client.client_list()) - 1)] for client in clients]
    # A worker that sends nothing in a span cannot be divided by.
    return Pairs(*([max(count, 1.0) for count in counts] for counts in commands)), Pairs(
        *connections
    )


def _memory(kind: str) -> float:
    with server() as url, Redis.from_url(url) as connection, worker(kind, url) as process:
        wait_until_idle(connection)
        # What a worker has run before its horse is measured is in the horse, too.
        enqueue(connection, 20)
        wait_for("the jobs have ended", lambda: connection.zcard("rq:finished:default") == 20)
        enqueue(connection, 1, time.sleep, 60)
        wait_for("a job runs", lambda: connection.zcard("rq:wip:default"))
        wait_for("it has its process", lambda: len(family(process.pid)) > 1)
        return float(sum(proportional(pid) for pid in family(process.pid)))
