"""What the processes of a worker use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from clock.worker.usage import PERIOD, UsageMeter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="known on Linux only")

_MEGABYTES = 64
_WORK = f"""
import sys
room = bytearray({_MEGABYTES} << 20)
room[::4096] = b'x' * len(room[::4096])
print(flush=True)
sys.stdin.readline()
"""


@contextmanager
def process() -> Iterator[subprocess.Popen[bytes]]:
    """One that has taken its memory, and waits."""
    command = [sys.executable, "-c", _WORK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        try:
            yield other
        finally:
            other.kill()


def test_memory_is_that_of_all_processes() -> None:
    pids = [os.getpid()]
    meter = UsageMeter(lambda: pids)
    alone = meter.read(0)
    assert alone is not None
    assert alone.processes == 1
    with process() as other:
        pids.append(other.pid)
        # Another process counts at once, not only once the period is over.
        both = meter.read(1)
    assert both is not None
    assert both.processes == 2
    assert both.memory - alone.memory > _MEGABYTES << 20


def test_load_is_what_was_used_since_the_measurement_before() -> None:
    meter = UsageMeter(lambda: [os.getpid()])
    first = meter.read(0)
    assert first is not None
    assert first.load is None
    while os.times().user + os.times().system < first.cpu + 0.2:
        pass
    assert meter.read(PERIOD - 1) is first
    second = meter.read(PERIOD)
    assert second is not None
    assert second.load is not None
    assert second.load * PERIOD == pytest.approx(second.cpu - first.cpu)
    assert second.cpu >= first.cpu + 0.19


def test_a_process_that_is_gone_counts_for_nothing() -> None:
    with process() as other:
        pass
    assert UsageMeter(lambda: [other.pid, 0]).read(0) is None
