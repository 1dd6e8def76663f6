"""The Python of docs/sources.md: each source is asked, and its rows are read."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from clock.schedule.options import ROW_OPTIONS
from tests.live.environment import bare_environment

PAGE = (Path(__file__).parent.parent / "docs" / "sources.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))

ASK = """\
import sys
from clock import load
from clock.schedule.row import read_row
for source in load(sys.argv[1]).sources.values():
    for row in source.declaration.function():
        event = read_row(row, source)
        print(event.name, "|", event.rule, "|", event.zone.name, "|", event.task, event.args)
"""

MODELS = """\
from django.db import models

class Report(models.Model):
    active = models.BooleanField()
    local_time = models.TimeField()
    zone = models.CharField(max_length=50)
"""

SETTINGS = """\
SECRET_KEY = "x"
INSTALLED_APPS = ["reports"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django.sqlite"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
"""

FILL = """\
import datetime, django
django.setup()
from django.db import connection
from reports.models import Report
with connection.schema_editor() as editor:
    editor.create_model(Report)
Report.objects.create(active=True, local_time=datetime.time(9, 30), zone="Asia/Tokyo")
Report.objects.create(active=False, local_time=datetime.time(9, 30), zone="UTC")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the page, with a database."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    with sqlite3.connect(tmp_path / "targets.sqlite") as database:
        database.execute("CREATE TABLE targets (id INTEGER, period TEXT, zone TEXT, url TEXT)")
        database.execute("INSERT INTO targets VALUES (7, '10 minutes', 'Asia/Tokyo', 'https://x')")
        database.execute("INSERT INTO targets VALUES (8, 'day at 09:00', NULL, 'https://y')")
    database.close()
    (tmp_path / "ask.py").write_text(ASK)
    return tmp_path


@pytest.fixture
def inventory() -> Iterator[str]:
    """The address of a service with two servers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps([{"host": "one"}, {"host": "two"}]).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_the_rows_of_a_database(folder: Path) -> None:
    assert _run(folder, "ask.py", "schedule.py") == [
        "crawl-7 | 10 minutes | Asia/Tokyo | tasks.crawl.fetch ('https://x',)",
        "crawl-8 | day at 09:00 | Europe/Berlin | tasks.crawl.fetch ('https://y',)",
    ]
    assert _run(folder, "test_rows.py") == [
        "crawl-7 10 minutes Asia/Tokyo",
        "crawl-8 day at 09:00 Europe/Berlin",
    ]


def test_the_rows_of_django(folder: Path) -> None:
    (folder / "reports").mkdir()
    (folder / "reports" / "__init__.py").touch()
    (folder / "reports" / "models.py").write_text(MODELS)
    (folder / "project.py").write_text(SETTINGS)
    (folder / "fill.py").write_text(FILL)
    environ = {"DJANGO_SETTINGS_MODULE": "project"}
    _run(folder, "fill.py", **environ)
    (line,) = _run(folder, "ask.py", "schedule_django.py", **environ)
    assert line == "report-1 | weekday at 09:30 | Asia/Tokyo | reports.tasks.send ()"


def test_the_rows_of_a_service(folder: Path, inventory: str) -> None:
    lines = _run(folder, "ask.py", "schedule_http.py", INVENTORY_URL=inventory)
    assert lines == [
        f"check {host} | minute | UTC | tasks.check.host ('{host}',)" for host in ("one", "two")
    ]


def test_the_page_names_every_word_of_a_row() -> None:
    of_jobs = {"queue", "timeout", "expires", "retry", "result_ttl", "failure_ttl", "at_front"}
    of_jobs |= {"meta", "description", "on_success", "on_failure", "max_running", "args", "kwargs"}
    words = set(ROW_OPTIONS) - of_jobs
    assert {word for word in words if f"`{word}`" not in PAGE} == set()


def _run(folder: Path, *arguments: str, **environ: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=bare_environment() | {"PYTHONPATH": os.fspath(folder)} | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
