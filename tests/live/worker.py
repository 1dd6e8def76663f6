"""A real RQ worker."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.live.environment import bare_environment


def work_off(folder: Path, url: str, *queues: str, options: Sequence[str] = ()) -> str:
    """Let a worker in ``folder`` run all that is on the queues; what it printed."""
    ended = subprocess.run(
        [sys.executable, "-m", "rq.cli", "worker", "--burst", "--url", url, *options, *queues],
        cwd=folder,
        env=bare_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout
