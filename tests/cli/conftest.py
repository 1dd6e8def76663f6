"""The command line, and a schedule to call it with."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from clock.cli import main
from tests.cli.command import Clock

SCHEDULE = """\
from clock import cron, every, timezone

timezone("Europe/Berlin")
every("day", "json.dumps", name="night", at="02:30", args=[1])
every(cron("0 * * * *"), "json.loads", name="hourly", args=["1"], queue="io")
every("week", "os.getcwd", name="off", at="Monday 12:00", enabled=False)
"""


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    file = tmp_path / "schedule.py"
    file.write_text(SCHEDULE)
    return file


@pytest.fixture
def clock(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Clock:
    for variable in (
        "CLOCK_TZ",
        "TZ",
        "CLOCK_REDIS_URL",
        "CLOCK_SERIALIZER",
        "CLOCK_APP",
        "RQ_CONFIG",
    ):
        monkeypatch.delenv(variable, raising=False)
    # A clock that is started here would leave a handler that writes to this test's output.
    logger = logging.getLogger("clock")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", True)

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(words)
        captured = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return code, captured.out, captured.err

    return run
