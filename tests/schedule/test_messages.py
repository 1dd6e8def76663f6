"""What a schedule file says about its mistakes: all of them, and in the words of who made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from clock import ScheduleError, load
from tests.schedule.writing import HEADER, refusal, schedule


def every(period: str, options: str = "") -> str:
    return f"every({period}, 'tasks.a'{options and ', ' + options})"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (every("'second'"), "'second' is not a period; write '1 second'"),
        (every("'every day'"), "'every day' is not a period; write 'day'"),
        (
            every("'twice a day'"),
            "'twice a day' is not a period; "
            "write one like '10 minutes', '1h30m', 'day', '2 weeks' or 'monday'",
        ),
        (every("'day'", "at='09:00, 18:00'"), "at='09:00, 18:00' is several times; "
         "write a list, at=['09:00', '18:00']"),
        (every("'day'", "at=3"), "at=3 is not a time; write a string like '03:00'"),
        (
            every("'week'", "on='monday'"),
            "on='monday' is not a day of a month; write every('monday') for a weekday, "
            "or on='first monday' with 'month'",
        ),
        (every("'day'", "timezone='UTC'"), "unknown option 'timezone'; write tz="),
        (every("'day'", "end='2026-01-01'"), "unknown option 'end'; write until="),
        (
            every("'day'", "limit=3"),
            "unknown option 'limit'; an event has no number of runs, write until= with the last "
            "date; how many run at once is max_running=",
        ),
        (
            every("'day'", "unique=True"),
            "unknown option 'unique'; write overlap='skip', so that one job of the event waits "
            "or runs at a time",
        ),
        (
            every("'day'", "repeat=3"),
            "unknown option 'repeat'; an event repeats by itself, write until= with the last date; "
            "how often a failed job is tried again is retry=",
        ),
        (
            every("'day'", "ttl=60"),
            "unknown option 'ttl'; write expires=, after which a waiting job is not run; "
            "of a result it is result_ttl=",
        ),
        (every("'day'", "misfire_grace_time=60"), "unknown option 'misfire_grace_time'; "
         "write within="),
        (every("'day'", "id='x'"), "unknown option 'id'; write name="),
        ("defaults(timezone='UTC')", "unknown option 'timezone'; write tz="),
        (
            every("'day'", "tz='PST'"),
            "unknown zone 'PST': an abbreviation is not a zone; "
            "write a place, as 'America/Los_Angeles'",
        ),
        (
            "import os\n" + every("'day'", "at=os.environ['NOT_SET']"),
            "the environment variable 'NOT_SET' is not set",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_by_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    error = refusal(tmp_path, source)
    assert (error.message, error.line) == (message, 2 + source.count("\n"))
    assert error.path == str(tmp_path / "main.py")


def lines(folder: Path, source: str) -> list[tuple[int | None, str]]:
    error = refusal(folder, source)
    return [(each.line, each.message.partition(";")[0]) for each in (error, *error.others)]


def test_all_mistakes_of_a_file_are_told_in_the_order_of_lines(tmp_path: Path) -> None:
    source = (
        "timezone('Europe/Berlim')\n"
        "every('day', 'tasks.a', at='25:00')\n"
        "every('day', 'tasks.b', qeue='io', at='09:00', tz='PST')\n"
        "every('day', 'tasks.c')\n"
        "every(cron('61 * * * *'), 'tasks.d')\n"
        "every('day', 'tasks.c')\n"
        "every('month', 'tasks.e', on='30 february')\n"
        "every('day', 'tasks.f', start='2026-02-01', until='2026-01-01')\n"
        "defaults(at='9am')\n"
        "raise ValueError('late')\n"
    )
    assert lines(tmp_path, source) == [
        (2, "unknown zone 'Europe/Berlim'"),
        (3, "at='25:00': an hour is from 00 to 23, not '25'"),
        (4, "unknown option 'qeue'"),
        (4, "unknown zone 'PST': an abbreviation is not a zone"),
        (6, "cron('61 * * * *'): '61' is out of range"),
        (7, f"the name 'tasks.c' is taken by {tmp_path / 'main.py'}:5"),
        (8, "on='30 february': February has 29 days at most"),
        (9, "until=2026-01-01 is before start=2026-02-01, so it never fires"),
        (10, "at= belongs to a single event, in every(...), not to a whole file"),
        (11, "ValueError: late"),
    ]


def test_what_a_failed_statement_would_have_defined_is_not_missed_twice(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\n"
        "import nowhere_at_all\n"
        "OFF = holidays('none.ics')\n"
        "every(period('day') - OFF, 'tasks.a')\n"
        "every('day', nowhere_at_all.run)\n"
        "for name in ('b', 'c'):\n"
        "    every('dya', f'tasks.{name}')\n"
        "undefined\n"
    )
    path = tmp_path / "main.py"
    path.write_text(source.replace("OFF =", "from clock import every, holidays, period\nOFF ="))
    with pytest.raises(ScheduleError) as caught:
        load(path)
    error = caught.value
    assert [each.line for each in (error, *error.others)] == [2, 4, 8, 9]
    assert error.others[-1].message == "NameError: name 'undefined' is not defined"
    assert str(error).splitlines()[0] == (
        f"{path}:2: ModuleNotFoundError: No module named 'nowhere_at_all'"
    )


def test_the_mistakes_of_an_imported_file_come_behind_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "feeds.py").write_text(HEADER + "every('dya', 'tasks.x')\n")
    error = refusal(tmp_path, "import feeds\nevery('day', 'tasks.a', at='25:00')")
    places = [(Path(each.path).name, each.line) for each in (error, *error.others)]
    assert places == [("main.py", 3), ("feeds.py", 2)]


@pytest.mark.parametrize("task", ["jobs.run", "'jobs.run'"])
def test_a_file_that_its_own_import_imports_is_told_so(tmp_path: Path, task: str) -> None:
    (tmp_path / "jobs.py").write_text("import main\n\n\ndef run(): ...\n")
    error = refusal(tmp_path, f"import jobs\nevery('day', {task})")
    assert error.message == (
        "the schedule file is imported while it is read; a module that it imports imports it "
        "again, so move what both need to a third one"
    )


def test_a_date_may_be_taken_away_alone(tmp_path: Path) -> None:
    source = "from datetime import date\nevery(period('day') - date(2026, 1, 2), 'tasks.a')"
    (event,) = schedule(tmp_path, source).events.values()
    assert event.rule == "day - {2026-01-02}"


def test_holidays_are_read_beside_the_file_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "schedules"
    folder.mkdir()
    day = "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20261224\nEND:VEVENT\n"
    calendar = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{day}END:VCALENDAR\n"
    (folder / "days.ics").write_text(calendar.replace("\n", "\r\n"))
    source = "every(period('day') - holidays('days.ics'), 'tasks.a')"
    monkeypatch.chdir(tmp_path)
    (event,) = schedule(folder, source).events.values()
    assert "1 date of days.ics" in event.rule
    # What was found in the current folder is found there still.
    (folder / "days.ics").rename(tmp_path / "days.ics")
    assert schedule(folder, source).events[event.name].recurrence == event.recurrence
