"""The supervisor of ``clock dev``: which processes run, and how all of them end."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec

import click

from clock import exit_codes
from clock.connection.client import connect
from clock.connection.errors import server_errors
from clock.connection.server import VARIABLES, address
from clock.connection.url import masked
from clock.dev.child import Child
from clock.dev.schedule_files import ScheduleFiles
from clock.dev.watchdog import end_with_parent
from clock.errors import ServerError, SettingsError
from clock.output import Output, unblock_output
from clock.schedule.schedule import Schedule
from clock.settings import settings_module
from clock.stop import Stop, stopped_by_signals

GRACE = 0.3
"""Seconds the current job has to end after a stop request; then the worker interrupts it."""

LOOK = 0.5
"""Seconds between two looks whether the schedule has changed."""

FIRM = 1.0
"""Seconds a process has to end by itself; then it is killed. Ctrl-C ends all within two seconds."""

WORKER = "clock.worker.Worker"
"""The worker's class, as a name that RQ's command imports."""

_COLOURS = {"clock": "cyan", "worker": "green", "web": "blue", "dev": "yellow"}

_WEB = ("--port", "5040", "--or-any-port", "--allow-actions", "--show-arguments")


def run_processes(
    schedule: Schedule,
    *,
    url: str | None,
    settings: str | None,
    app: str,
    serializer: str,
    embedded: bool,
    environ: Mapping[str, str],
) -> int:
    """Run server, clock, worker and web UI until a signal or until one of them ends; returns an
    exit code. ``embedded`` leaves a configured server alone.
    """
    unblock_output()
    stop = Stop()
    with ExitStack() as stack:
        stack.enter_context(stopped_by_signals(stop, abandon=False))
        server = stack.enter_context(
            _embedded_server() if embedded else _server(url, settings, environ)
        )
        shared = _environment(server, settings, app, serializer)
        files, children = ScheduleFiles(schedule, serializer), list[Child]()
        code: int | None = None
        while code is None:
            children = _started(
                _commands(schedule, server, settings), children, {**environ, **shared}
            )
            # It is a process of its own, which knows the children there are when it starts.
            with end_with_parent(children):
                try:
                    result = _watch(children, stop, files)
                except BaseException:
                    _end(children)
                    raise
                if isinstance(result, Schedule):
                    schedule = result
                else:
                    code = result
                    _end(children)
        return code


def _started(
    commands: Iterable[tuple[str, Sequence[str]]],
    running: Sequence[Child],
    environ: Mapping[str, str],
) -> list[Child]:
    """The children of ``commands``: a clock that reads its schedule anew, and of the others those
    that run already with the same command.
    """
    wanted = [(name, tuple(command)) for name, command in commands]
    kept = {
        (child.name, child.command): child
        for child in running
        if child.name != "clock" and (child.name, child.command) in wanted
    }
    _end([child for child in running if child not in kept.values()])
    return [kept.get(key) or Child(*key, environ) for key in wanted]


def _environment(server: str, settings: str | None, app: str, serializer: str) -> dict[str, str]:
    """The variables of clock and worker, and of the tasks, which may enqueue by themselves."""
    variables = {
        "CLOCK_REDIS_URL": server,
        "RQ_REDIS_URL": server,
        "CLOCK_APP": app,
        "CLOCK_SERIALIZER": serializer,
        "CLOCK_GRACE": str(GRACE),
        "CLOCK_LOG": "terminal",
        "PYTHONUNBUFFERED": "1",
    }
    return variables if settings is None else variables | {"RQ_CONFIG": settings}


def _commands(
    schedule: Schedule, server: str, settings: str | None
) -> Iterator[tuple[str, Sequence[str]]]:
    listed = () if settings is None else settings_module(settings).get("QUEUES", ())
    named = (event.job.queue for event in schedule.events.values())
    queues = dict.fromkeys([*listed, *named, "default"])
    clock = ["-m", "clock", schedule.path, "--url", server]
    worker = ["-m", "rq.cli", "worker", "--url", server, "-w", WORKER, *queues]
    yield "worker", [sys.executable, *worker]
    yield "clock", [sys.executable, *clock]
    if find_spec("uvicorn") and find_spec("starlette"):
        yield "web", [sys.executable, "-m", "clock", "web", "--url", server, *_WEB]


@contextmanager
def _server(url: str | None, settings: str | None, environ: Mapping[str, str]) -> Iterator[str]:
    """The configured server where it answers, else an embedded one while the block runs."""
    if url or settings or any(environ.get(name) for name in VARIABLES):
        configured = address(url, settings, environ)
        try:
            with server_errors():
                connect(configured).ping()
        except ServerError as error:
            problem = f"{masked(configured)} does not answer ({error})"
            _print_line("dev", f"{problem}, so one is embedded here")
        else:
            _print_line("dev", f"using the server at {masked(configured)}")
            yield configured
            return
    with _embedded_server() as embedded:
        yield embedded


@contextmanager
def _embedded_server() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "clock.dev.embedded"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        embedded = keeper.stdout.readline().strip()
        if not embedded:
            raise SettingsError(
                "no server answers and none is embedded; start Redis, or install rq-clock[embedded]"
            )
        _print_line("dev", f"embedded server at {embedded}; it forgets everything at the end")
        try:
            yield embedded
        finally:
            keeper.stdin.close()


def _watch(children: Sequence[Child], stop: Stop, files: ScheduleFiles) -> int | Schedule:
    """Print what the children print until the stop, or a change of the schedule, which is returned
    then; else the exit code, not 0 where one ended by itself.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(stop, selectors.EVENT_READ)
        for child in children:
            selector.register(child.output, selectors.EVENT_READ, child)
        while not stop.is_set():
            for key, _ in selector.select(LOOK):
                if isinstance(key.data, Child) and not _print(key.data):
                    code = _exit_code(key.data)
                    _print_line("dev", f"{key.data.name} ended by itself with exit code {code}")
                    return code or exit_codes.CRASHED
            changed = files.changed()
            if isinstance(changed, Schedule):
                count = len(changed.events)
                events = f"{count} event" + ("" if count == 1 else "s")
                _print_line("dev", f"the schedule has changed; the clock starts with {events}")
                return changed
            for line in (changed or "").splitlines():
                _print_line("dev", line)
            if changed is not None:
                _print_line("dev", "the clock goes on with the schedule as it was")
    _print_line("dev", "stopping")
    return exit_codes.OK


def _exit_code(child: Child) -> int:
    # Its output has ended; the process itself follows at once.
    while (code := child.exit_code()) is None:
        time.sleep(0.01)
    return code


def _end(children: Sequence[Child]) -> None:
    begin = time.monotonic()
    for child in children:
        child.terminate()
    while any(child.exit_code() is None for child in children) and time.monotonic() - begin < FIRM:
        for child in children:
            _print(child)
        time.sleep(0.02)
    for child in children:
        child.kill()
        _print(child)


def _print(child: Child) -> bool:
    """Print the child's new lines; returns whether there may be more."""
    lines = child.lines()
    for line in lines or ():
        _print_line(child.name, line)
    return lines is not None


def _print_line(name: str, line: str) -> None:
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    if isinstance(sys.stdout, Output) and (lines := sys.stdout.take_dropped()):
        _print_line("dev", f"{lines} lines are missing here: they were not read")
    prefix = f"{name:<6} |"
    click.echo(f"{click.style(prefix, fg=_COLOURS[name]) if colour else prefix} {line}")
