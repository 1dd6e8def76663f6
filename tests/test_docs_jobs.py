"""Every block of docs/jobs.md runs, with a worker, on the files that the page shows."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from clock.jobs.options import EnqueueOptions
from tests.live.environment import bare_environment
from tests.live.rq_worker import RQWorker

PAGE = (Path(__file__).parent.parent / "docs" / "jobs.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILES = {match[1]: block for block in BLOCKS if (match := re.match(r"# (\S+\.py)\n", block))}
PROGRAMS = [block for block in BLOCKS if block not in FILES.values()]


@pytest.fixture
def folder(tmp_path: Path, redis: Redis, server_url: str) -> Iterator[Path]:
    """A folder with the files of the page, and a worker that runs their tasks."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    worker = RQWorker(tmp_path, server_url, "high", "default", "low")
    yield tmp_path
    worker.clean_up()
    sys.stdout.write(worker.output())


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda text: text.splitlines()[-1][:30])
def test_a_program_of_the_page_runs(program: str, folder: Path, server_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=bare_environment() | {"REDIS_URL": server_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_the_settings_of_the_page_are_settings(folder: Path) -> None:
    code = (
        "from clock.jobs.outcome import check_table\n"
        "from clock.settings import read_settings\n"
        "for table in read_settings('outcomes', {}).outcomes.values(): check_table(table)\n"
        "assert read_settings('settings', {}).max_running == {'feeds.refresh': 2}\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, timeout=60)


def test_the_page_names_every_option() -> None:
    table = PAGE[PAGE.index("| option |") : PAGE.index("### Errors and deadlines")]
    assert set(EnqueueOptions.__annotations__) - {"connection"} == set(
        re.findall(
            r"`([a-z_]+)`", "".join(line.split("|")[1] for line in table.splitlines() if line)
        )
    )


def test_the_page_has_programs_and_files() -> None:
    assert len(PROGRAMS) == 5
    assert set(FILES) == {"feeds.py", "outcomes.py", "settings.py"}
