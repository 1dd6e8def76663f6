"""Other schedulers, each with its best documented settings, for the same faults."""

from __future__ import annotations

import json
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from redis import Redis
from rq.job import Job

from benchmarks.faults.program import CLOCK, ROOT, Program

EVENTS = 20
PERIOD = 5
"""Seconds between two occurrences of an event; all events fall on the same seconds."""

TASKS = "def ping(name):\n    pass\n"


class Rival(ABC):
    """How a scheduler is set up and started, and what it leaves on which queue."""

    name: ClassVar[str]
    distribution: ClassVar[str]
    queue: ClassVar[str] = "rq:queue:default"
    mark: ClassVar[bytes] = b"rq:queues"

    def __init__(self, venv: Path, folder: Path) -> None:
        """``venv`` is where the rivals are installed; ``folder`` is for their files."""
        self.venv = venv
        self.folder = folder
        self.write("rival_tasks.py", TASKS)

    @property
    def program(self) -> Program:
        """How it is started."""
        return Program(command=self.command, path=self.folder, mark=self.mark)

    @abstractmethod
    def command(self, url: str) -> list[str]:
        """The words of its command for a server."""

    def prepare(self, url: str) -> bool:
        """Make the schedule known to the server; False where it is not kept there."""
        return False

    def event(self, connection: Redis, entry: str) -> str:
        """The event that an entry of the queue is of."""
        job = Job(entry, connection=connection)
        job.restore(connection.hgetall(job.key))
        return str(job.args[0])

    def write(self, name: str, text: str) -> str:
        """Write a file into the folder; its path."""
        file = self.folder / name
        file.write_text(text)
        return str(file)

    def version(self) -> str:
        """What is installed of it."""
        code = "from importlib.metadata import version as v; import sys; print(v(sys.argv[1]))"
        python = sys.executable if self.distribution == "rq-clock" else self.installed("python")
        words = [python, "-c", code, self.distribution]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    def installed(self, name: str) -> str:
        """A command of the rivals' environment."""
        return str(self.venv / "bin" / name)


class RqClock(Rival):
    """This project."""

    name = distribution = "rq-clock"

    @property
    def program(self) -> Program:
        return Program(command=self.command, path=ROOT, mark=self.mark)

    def command(self, url: str) -> list[str]:
        file = self.write(
            "schedule.py",
            "from clock import every\n"
            f"for n in range({EVENTS}):\n"
            f"    every('{PERIOD} seconds', 'time.sleep', args=[f'e{{n}}'], name=f'e{{n}}')\n",
        )
        *python, _schedule, _option, _url = CLOCK.command(url)
        return [*python, file, "--url", url]


class RqCron(Rival):
    """``rq cron`` with cron strings; with intervals it would fire everything at each start."""

    name = "rq cron"
    distribution = "rq"

    def command(self, url: str) -> list[str]:
        file = self.write(
            "cron_config.py",
            "from rq import cron\nfrom rival_tasks import ping\n"
            f"for n in range({EVENTS}):\n"
            f"    cron.register(ping, 'default', args=(f'e{{n}}',), cron='* * * * * */{PERIOD}',"
            " name=f'e{n}')\n",
        )
        return [self.installed("rq"), "cron", file, "-u", url]


class RqScheduler(Rival):
    """rq-scheduler with cron strings, registered once with ids, polling twice a second."""

    name = distribution = "rq-scheduler"

    def prepare(self, url: str) -> bool:
        file = self.write(
            "register.py",
            "import sys\nfrom redis import Redis\nfrom rq_scheduler import Scheduler\n"
            "from rival_tasks import ping\n"
            "scheduler = Scheduler(connection=Redis.from_url(sys.argv[1]))\n"
            f"for n in range({EVENTS}):\n"
            f"    scheduler.cron('*/{PERIOD} * * * * * *', ping, args=[f'e{{n}}'], id=f'e{{n}}',"
            " queue_name='default')\n",
        )
        python = self.installed("python")
        environ = self.program.environment() | {"PYTHONWARNINGS": "ignore"}
        subprocess.run([python, file, url], env=environ, check=True, timeout=60)
        return True

    def command(self, url: str) -> list[str]:
        return [self.installed("rqscheduler"), "-u", url, "-i", "0.5"]

    def event(self, connection: Redis, entry: str) -> str:
        # It enqueues the same job again and again, under its id.
        return entry


class CeleryBeat(Rival):
    """Celery beat with its schedule file kept, and written after each message."""

    name = "Celery beat"
    distribution = "celery"
    queue = "celery"
    mark = b"LPUSH"

    def command(self, url: str) -> list[str]:
        self.write(
            "rival_celery.py",
            "from celery import Celery\n"
            f"app = Celery('rival_celery', broker={url!r})\n"
            "app.conf.timezone = 'UTC'\n"
            "app.conf.beat_sync_every = 1\n"
            "app.conf.beat_schedule = {\n"
            f"    f'e{{n}}': {{'task': 'ping', 'schedule': {PERIOD}.0, 'args': (f'e{{n}}',)}}\n"
            f"    for n in range({EVENTS})\n"
            "}\n",
        )
        kept = ["-s", str(self.folder / "beat"), "--pidfile="]
        return [self.installed("celery"), "-A", "rival_celery", "beat", *kept]

    def event(self, connection: Redis, entry: str) -> str:
        arguments: str = json.loads(entry)["headers"]["argsrepr"]
        return arguments.strip("(',)")


RIVALS = (RqClock, RqCron, RqScheduler, CeleryBeat)
