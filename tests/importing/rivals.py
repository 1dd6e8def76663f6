"""The other schedulers themselves, in the environment that ``make .venv/rivals`` makes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.live.environment import bare_environment

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "rivals" / "bin" / "python"

needs_rivals = pytest.mark.skipif(not PYTHON.exists(), reason="make .venv/rivals")

_YEAR_OF_CRONTAB = """
import json, sys
from datetime import datetime, timedelta
from crontab import CronTab
text = json.load(sys.stdin)
instants, cron, now = [], CronTab(text), datetime(2026, 1, 2) - timedelta(seconds=1)
while (now := cron.next(now=now, return_datetime=True, default_utc=True)) < datetime(2026, 12, 31):
    instants.append(now.isoformat())
print(json.dumps(instants))
"""
_YEAR_OF_CELERY = """
import json, sys
from datetime import datetime, timedelta, timezone
from celery import Celery
from celery.schedules import crontab
fields = json.load(sys.stdin)
entry = crontab(**fields, app=Celery(set_as_current=False))
instants, now = [], datetime(2026, 1, 2, tzinfo=timezone.utc) - timedelta(seconds=1)
end = datetime(2026, 12, 31, tzinfo=timezone.utc)
while True:
    last, delta, _ = entry.remaining_delta(now)
    now = last + delta
    if now >= end:
        break
    instants.append(now.replace(tzinfo=None).isoformat())
print(json.dumps(instants))
"""


def run_rival(code: str, given: object = None) -> str:
    """What a program prints in their environment; it reads ``given`` as JSON."""
    done = subprocess.run(
        [PYTHON, "-W", "ignore", "-c", code],
        input=json.dumps(given),
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def crontabs_year(text: str) -> list[datetime]:
    """A year of the package crontab, which rq-scheduler asks for times; as if in UTC."""
    return _instants(run_rival(_YEAR_OF_CRONTAB, text))


def celerys_year(fields: dict[str, object]) -> list[datetime]:
    """A year of Celery's ``crontab(**fields)``, in UTC."""
    return _instants(run_rival(_YEAR_OF_CELERY, fields))


def import_celery(folder: Path, app: str) -> tuple[int, str, str]:
    """``clock import celery``, with Celery on the import path behind the packages of this one."""
    packages = next(PYTHON.parents[1].glob("lib/python3*/site-packages"))
    code = (
        f"import sys; sys.path.append({str(packages)!r})\n"
        f"from clock.cli import main; main(['import', 'celery', {app!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=bare_environment() | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def _instants(printed: str) -> list[datetime]:
    return [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in json.loads(printed)]
