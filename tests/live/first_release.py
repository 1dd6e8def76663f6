"""The code of 0.1.0, taken from the history of this repository."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

COMMIT = "8daab345913a8413e49974c3d2eb84cde9a17b7c"
NEEDS = "needs git, the history of the repository back to 0.1.0, and .venv/rq2.12"

_ROOT = Path(__file__).parents[2]
_RQ = _ROOT / ".venv" / "rq2.12"
"""It does not run with RQ 3."""

_ENROL = """\
import sys
from redis import Redis
from clock import load
from clock.ledger.ledger import Ledger

file, url, stands_at = sys.argv[1:]
ledger = Ledger(Redis.from_url(url), app="clock", token="host:1:first")
ledger.enrol(list(load(file).events.values()), float(stands_at))
"""


def unpack_first_release(folder: Path) -> Mapping[str, str]:
    """Unpack 0.1.0 into ``folder``; the environment in which ``python -m clock`` is it. Skips the
    test outside a checkout with the whole history, or has no RQ 2.
    """
    if shutil.which("git") is None:
        pytest.skip(NEEDS)
    archive = subprocess.run(
        ["git", "-C", str(_ROOT), "archive", COMMIT, "clock"],  # noqa: S607
        capture_output=True,
        check=False,
    )
    if archive.returncode or not _RQ.is_dir():
        pytest.skip(NEEDS)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    environ = {"PYTHONPATH": f"{folder}:{_RQ}"}
    files_used = _run(environ, "import clock, rq; print(clock.__file__, rq.__file__)")
    assert files_used.split() == [f"{folder}/clock/__init__.py", f"{_RQ}/rq/__init__.py"]
    return environ


def enrol_with_first_release(
    environ: Mapping[str, str], file: Path, url: str, stands_at: float
) -> None:
    """Let 0.1.0 enrol the events of ``file``, as if it were ``stands_at`` (UTC seconds since
    1970).
    """
    _run(environ, _ENROL, str(file), url, str(stands_at))


def _run(environ: Mapping[str, str], code: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=environ["PYTHONPATH"].partition(":")[0],
        env=environ,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
