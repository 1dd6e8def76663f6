"""The process that forks the children of a worker.

A worker has threads, and a process forked beside them may find a lock held for ever. So a process
without threads, forked before the first of them, forks the children, and tells how each ended. It
ends when the worker does, and takes the children and all that they started along. Where children
are not forked, it starts them likewise.
"""

from __future__ import annotations

import gc
import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from clock import exit_codes
from clock.worker.interruption import STOP, die_with


@dataclass(frozen=True, slots=True)
class Started:
    """A child runs: the process ``pid`` in slot ``index``."""

    index: int
    pid: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A child has ended, with ``status`` and ``usage`` as ``os.wait4`` gives them."""

    index: int
    pid: int
    status: int
    usage: Any


class ForkServerDiedError(Exception):
    """The process that forks is gone, and with it the children. ``code`` is its exit code, None
    where it was killed.
    """

    def __init__(self, code: int | None) -> None:
        super().__init__("the process that forks the children of this worker has ended")
        self.code = code


RunChild = Callable[[int, str, int | None], NoReturn]

SpawnChild = Callable[[int, str, int | None, set[int | signal.Signals]], int]


class ForkServer:
    """The worker's end of it. ``run`` is what a child does, given its slot, who it is, and how many
    jobs it may run; it does not return. ``prepare`` is done once before the first fork, and
    ``has_job`` says whether the child in a slot has begun a job that it has not ended. With
    ``spawn`` children are not forked: it is given the same, and the signals that the child blocks,
    starts another program, which prepares itself and does as ``run``, and returns its pid.
    """

    def __init__(
        self,
        run: RunChild,
        prepare: Callable[[], None],
        has_job: Callable[[int], bool],
        spawn: SpawnChild | None = None,
    ) -> None:
        self._run = run
        self._prepare = prepare
        self._has_job = has_job
        self._spawn = spawn
        self._channel: Connection | None = None
        self.pid = 0

    def start(self) -> None:
        """Fork the server. To be called before any thread is started."""
        ours, theirs = Pipe()
        # The signals that end a worker find no handler of a server in its first moment.
        mask = signal.pthread_sigmask(
            signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, STOP}
        )
        try:
            self.pid = os.fork()
            if self.pid == 0:
                ours.close()
                server = _Server(theirs, self._run, self._has_job, self._spawn, mask)
                server.serve(self._prepare)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()
        self._channel = ours

    def fileno(self) -> int:
        """To wait for with ``select``: readable when there is something to ``receive``."""
        assert self._channel is not None
        return self._channel.fileno()

    def spawn(self, index: int, owner: str, quota: int | None) -> None:
        """Ask for a child in slot ``index``. Raises ForkServerDiedError."""
        assert self._channel is not None
        try:
            self._channel.send((index, owner, quota))
        except OSError as error:
            raise self._died() from error

    def receive(self) -> Started | Ended:
        """The next message; waits for it. Raises ForkServerDiedError."""
        assert self._channel is not None
        try:
            received: Started | Ended = self._channel.recv()
        except (EOFError, OSError) as error:
            raise self._died() from error
        return received

    def _died(self) -> ForkServerDiedError:
        try:
            _, status = os.waitpid(self.pid, 0)
        except ChildProcessError:
            return ForkServerDiedError(None)
        return ForkServerDiedError(os.WEXITSTATUS(status) if os.WIFEXITED(status) else None)

    def close(self) -> None:
        """End the server, and the children that are left."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            with suppress(ChildProcessError):
                os.waitpid(self.pid, 0)


class _Server:
    def __init__(
        self,
        channel: Connection,
        run: RunChild,
        has_job: Callable[[int], bool],
        spawn: SpawnChild | None,
        mask: set[int | signal.Signals],
    ) -> None:
        self._channel = channel
        self._run = run
        self._has_job = has_job
        self._spawn = spawn
        self._mask = mask
        self._children: dict[int, int] = {}

    def serve(self, prepare: Callable[[], None]) -> NoReturn:
        """Fork and wait until the worker is gone."""
        code = 1
        try:
            os.setpgid(0, 0)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, _nothing)
            read, write = os.pipe()
            os.set_blocking(write, False)
            os.set_blocking(read, False)
            signal.set_wakeup_fd(write, warn_on_full_buffer=False)
            signal.signal(signal.SIGCHLD, _nothing)
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            if self._spawn is None:
                prepare()
            self._loop(read, write)
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        finally:
            self._end_all()
            os._exit(code)

    def _loop(self, woken: int, wake: int) -> None:
        while True:
            ready, _, _ = select.select([self._channel.fileno(), woken], [], [])
            if woken in ready:
                with suppress(BlockingIOError):
                    os.read(woken, 4096)
                self._reap()
            if self._channel.fileno() in ready:
                try:
                    index, owner, quota = self._channel.recv()
                except (EOFError, OSError):
                    return
                if self._spawn is None:
                    pid = self._fork(partial(self._run, index, owner, quota), (woken, wake))
                else:
                    # What is blocked, the child lets through when it has its own handlers.
                    blocked = self._mask | {signal.SIGTERM, signal.SIGINT, STOP}
                    pid = self._spawn(index, owner, quota, blocked)
                self._children[pid] = index
                self._send(Started(index, pid))

    def _fork(self, run: Callable[[], NoReturn], pipe: tuple[int, int]) -> int:
        server = os.getpid()
        every = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, STOP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, every)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                # Connections that the worker had are not collected later: closed then, they would
                # close what has the number of their descriptor by that time.
                gc.freeze()
                os.setpgid(0, 0)
                die_with(server)
                signal.set_wakeup_fd(-1)
                for descriptor in pipe:
                    os.close(descriptor)
                self._channel.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGHUP, signal.SIG_DFL)
                # What else is blocked, the child lets through when it has its own handlers.
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, signal.SIGHUP})
                run()
            finally:
                os._exit(code)
        with suppress(OSError):
            os.setpgid(pid, pid)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid

    def _reap(self) -> None:
        for pid, index in list(self._children.items()):
            try:
                ended, status, usage = os.wait4(pid, os.WNOHANG)
            except ChildProcessError:
                ended, status, usage = pid, 0, None
            if ended:
                del self._children[pid]
                if self._has_job(index):
                    # What its task had started must not go on beside the next run.
                    kill_group(pid)
                elif self._spawn is not None and status == exit_codes.USAGE << 8:
                    # It could not prepare itself, and the next could neither.
                    raise SystemExit(exit_codes.USAGE)
                self._send(Ended(index, pid, status, None if usage is None else tuple(usage)))

    def _send(self, message: Started | Ended) -> None:
        # The worker may be gone by now: its end of the line tells, in the loop.
        with suppress(OSError):
            self._channel.send(message)

    def _end_all(self) -> None:
        for pid in self._children:
            kill_group(pid)


def kill_group(pid: int) -> None:
    """Kill the processes of the group that the child ``pid`` leads, or led."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _nothing(_number: int, _frame: object) -> None:
    """Do nothing. Not SIG_IGN, which every program that a task starts would inherit."""
