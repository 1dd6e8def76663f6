"""What a job leaves behind in its process is gone before the next one."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

import pytest

from clock.worker.surroundings import Surroundings


@pytest.mark.parametrize(
    "handler", [signal.SIG_IGN, lambda _number, _frame: None], ids=["ignored", "handled"]
)
def test_a_signal_handler_is_put_back(handler: signal.Handlers) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    surroundings = Surroundings()
    signal.signal(signal.SIGUSR1, handler)
    surroundings.restore("job")
    assert signal.getsignal(signal.SIGUSR1) is before


def test_a_signal_that_a_job_blocked_is_let_through() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    surroundings = Surroundings()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    surroundings.restore("job")
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_an_alarm_is_switched_off() -> None:
    surroundings = Surroundings()
    signal.setitimer(signal.ITIMER_REAL, 3600)
    surroundings.restore("job")
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_folder_and_stdout_are_put_back(tmp_path: Path) -> None:
    folder, stdout = Path.cwd(), sys.stdout
    surroundings = Surroundings()
    os.chdir(tmp_path)
    sys.stdout = io.StringIO()
    surroundings.restore("job")
    assert (Path.cwd(), sys.stdout) == (folder, stdout)
