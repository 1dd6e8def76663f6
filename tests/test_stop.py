"""A stop that a signal requests, at any moment."""

from __future__ import annotations

import subprocess
import sys

LATE = """
import signal, threading, time
from clock.stop import Stop, stopped_by_signals

stop = Stop()
begin = time.monotonic()

def elsewhere():
    # As a signal that comes just before a wait: it does not interrupt it.
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), signal.{name})

with stopped_by_signals(stop):
    threading.Thread(target=elsewhere).start()
    while not stop.wait(20):
        pass
print(time.monotonic() - begin < 10)
"""

OTHER = """
import os, signal, time
from clock.stop import Stop, stopped_by_signals

stop, heard = Stop(), []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
with stopped_by_signals(stop):
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGUSR1)
    stop.wait(0.1)
    begin = time.monotonic()
    assert not stop.wait(0.2)
    print(len(heard), time.monotonic() - begin >= 0.19)
print(signal.set_wakeup_fd(-1))
"""


def test_a_signal_that_does_not_interrupt_the_wait_ends_it() -> None:
    for name in ("SIGINT", "SIGTERM"):
        assert _run(LATE.format(name=name)) == "True\n"


def test_another_signal_keeps_no_wait_from_lasting() -> None:
    assert _run(OTHER) == "3 True\n-1\n"


def _run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, timeout=60
    ).stdout
