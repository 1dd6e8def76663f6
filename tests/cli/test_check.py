"""``clock check``: what loading finds, and what importing the tasks finds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.command import Clock


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder as the current one, with a package of tasks."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").write_text(
        "LIMIT = 3\n\n\ndef run(size, *, fast=False): ...\n"
    )
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    return tmp_path


def test_a_valid_schedule_passes(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "sound.py"
    file.write_text(
        "from clock import every\nevery('day', 'os.getcwd', at='12:00', tz='Asia/Tokyo')\n"
    )
    result = (0, f"{file}: 1 event, zone UTC, no mistakes\n", "")
    assert clock("check", str(file)) == result


def test_a_file_without_events_is_a_warning(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "empty.py"
    file.write_text("from clock import every\n")
    code, out, err = clock("check", str(file))
    assert (code, out) == (0, f"{file}: 0 events, zone UTC, no mistakes\n")
    assert err == f"{file}: warning: declares no events\n"


NO_SUCH = "AttributeError: module 'jobs' has no attribute {!r}"
ARGUMENTS = "'jobs.run' does not take these arguments: {}"


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            "'nowhere.run'",
            "'nowhere.run' cannot be imported: ModuleNotFoundError: No module named 'nowhere'",
        ),
        ("'jobs.walk'", f"'jobs.walk' cannot be imported: {NO_SUCH.format('walk')}"),
        ("'jobs.LIMIT'", "'jobs.LIMIT' is int, not a function"),
        ("'jobs.run'", ARGUMENTS.format("missing a required argument: 'size'")),
        (
            "'jobs.run', kwargs={'size': 1, 'fsat': True}",
            ARGUMENTS.format("got an unexpected keyword argument 'fsat'"),
        ),
        (
            "'jobs.run', args=[1], on_failure='jobs.alarm'",
            f"'jobs.alarm' cannot be imported: {NO_SUCH.format('alarm')}",
        ),
    ],
)
def test_a_task_that_a_worker_could_not_run_is_found(
    declared: str, message: str, clock: Clock, project: Path
) -> None:
    Path("schedule.py").write_text(f"from clock import every\nevery('day', {declared})\n")
    assert clock("check", "schedule.py") == (1, "", f"schedule.py:2: {message}\n")


def test_with_no_import_the_names_of_tasks_are_not_checked(clock: Clock, project: Path) -> None:
    Path("schedule.py").write_text("from clock import every\nevery('day', 'nowhere.run')\n")
    assert clock("check", "schedule.py", "--no-import")[0] == 0


def test_a_method_of_a_class_is_found_as_rq_finds_it(clock: Clock, project: Path) -> None:
    Path("schedule.py").write_text(
        "from clock import every\nevery('day', 'datetime.datetime.now')\n"
    )
    assert clock("check", "schedule.py")[0] == 0


def test_a_package_that_a_worker_would_import_from_elsewhere_is_a_warning(
    clock: Clock,
    project: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = tmp_path_factory.mktemp("site")
    (installed / "tasks.py").write_text("def run(): ...\n")
    (project / "tasks.py").write_text("def run(): ...\n")
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.delitem(sys.modules, "tasks", raising=False)
    Path("schedule.py").write_text("from clock import every\nevery('day', 'tasks.run')\n")
    code, out, err = clock("check", "schedule.py")
    assert code == 0
    assert "1 event," in out
    assert err.startswith("warning: 'tasks' resolves to ")
    assert "outside of this project" in err


def test_arguments_that_the_serializer_cannot_take_are_found(clock: Clock, project: Path) -> None:
    Path("schedule.py").write_text(
        "from clock import every\nevery('day', 'jobs.run', args=[{1}])\n"
    )
    assert clock("check", "schedule.py", "-S", "pickle")[0] == 0
    assert clock("check", "schedule.py", "-S", "json") == (
        1,
        "",
        "schedule.py:2: args= cannot be serialised with json: "
        "TypeError: Object of type set is not JSON serializable\n",
    )


def test_checking_twice_in_one_process_sees_what_changed(clock: Clock, project: Path) -> None:
    Path("schedule.py").write_text("from clock import every\nevery('day', 'jobs.walk')\n")
    assert clock("check", "schedule.py")[0] == 1
    (project / "jobs" / "__init__.py").write_text("def walk(): ...\n# longer than before\n")
    assert clock("check", "schedule.py")[0] == 0


def test_warnings_do_not_change_the_exit_code(clock: Clock, project: Path) -> None:
    Path("schedule.py").write_text(
        "from clock import every\n"
        "every('day', 'os.getcwd', at='02:30', tz='Europe/Berlin', name='night')\n"
        "every('month', 'os.getcwd', on=31, name='late')\n"
        "every('10 seconds', 'os.getcwd', name='quick')\n"
        "every('hour', 'os.getcwd', name='twin')\n"
        "every('hour', 'os.getcwd', name='other twin')\n"
    )
    code, out, err = clock("check", "schedule.py")
    assert (code, out) == (0, "schedule.py: 5 events, zone UTC, no mistakes\n")
    warned = [line.split(": warning: ") for line in err.splitlines()]
    assert {position for position, _ in warned} == {f"schedule.py:{line}" for line in (2, 3, 4, 6)}
    assert all(message for _, message in warned)


@pytest.mark.parametrize("command", [["check"], []])
def test_a_mistake_in_a_webhook_is_one_line_that_shows_no_secret(
    clock: Clock, schedule: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("CLOCK_WEBHOOK_URL", "hooks.example/secret-1")
    words = [*command, str(schedule), "-S", "json"]
    code, out, err = clock(*words) if command else clock(*words, "--app", "test")
    assert (code, out) == (2, "")
    assert "CLOCK_WEBHOOK_URL must be a URL that begins with http:// or https://" in err
    assert err.count("\n") == 1
    assert "secret-1" not in err


def write(*lines: str, name: str = "schedule.py") -> None:
    Path(name).write_text("\n".join(("from clock import *", *lines, "")))


def test_mistakes_of_the_file_and_of_its_tasks_are_told_in_the_order_of_lines(
    clock: Clock, project: Path
) -> None:
    write(
        "every('day', 'nowhere.run')",
        "every('dya', 'jobs.walk')",
        "every('day', 'jobs.run', name='x')",
        "cron('61 * * * *')",
    )
    code, out, err = clock("check", "schedule.py")
    assert (code, out) == (1, "")
    assert [line.partition(" ")[0] for line in err.splitlines()] == [
        f"schedule.py:{number}:" for number in (2, 3, 4, 5)
    ]


def test_a_task_that_imports_the_schedule_file_is_told_so(clock: Clock, project: Path) -> None:
    (project / "work.py").write_text("import schedule\n\n\ndef run(): ...\n")
    write("every('day', 'work.run')")
    code, _, err = clock("check", "schedule.py")
    assert code == 1
    assert err.startswith("schedule.py:2: 'work.run' cannot be imported: it imports the schedule")
    assert err.endswith("move what both need to a third module\n")


def test_a_file_named_as_the_package_is_refused(clock: Clock, project: Path) -> None:
    write("every('day', 'os.getcwd')", name="clock.py")
    assert clock("check", "clock.py") == (
        1,
        "",
        "clock.py: a file named clock.py hides the package 'clock'; rename it, as to schedule.py\n",
    )


@pytest.mark.parametrize(
    ("source", "peer", "words"),
    [
        (
            "from rq.cron import register\nregister(print, cron='* * * * *')\n",
            "'rq cron'",
            "rq-cron FILE",
        ),
        ("app = object()\nbeat_schedule = {}\n", "Celery", "celery MODULE:APP"),
    ],
)
def test_a_file_of_another_scheduler_is_not_taken_for_an_empty_one(
    source: str, peer: str, words: str, clock: Clock, project: Path
) -> None:
    Path("schedule.py").write_text(source.replace("from rq.cron import register", "register = id"))
    if "rq.cron" in source:
        Path("schedule.py").write_text("# rq.cron\n")
    code, _, err = clock("check", "schedule.py")
    assert code == 0
    assert err == (
        f"schedule.py: warning: declares no events; it looks like one of {peer}, whose schedule "
        f"this clock does not read; see 'clock import {words}'\n"
    )


def test_a_queue_that_no_worker_of_the_settings_takes_is_a_warning(
    clock: Clock, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("queue_settings.py").write_text("QUEUES = ['default', 'io']\n")
    monkeypatch.syspath_prepend(str(project))
    write("every('day', 'os.getcwd', queue='oi')", "every('day', 'os.getpid', queue='io')")
    code, _, err = clock("check", "schedule.py", "-c", "queue_settings")
    assert (code, err) == (
        0,
        "schedule.py:2: warning: 'os.getcwd' goes to the queue 'oi', which is not among QUEUES of "
        "the settings, default, io\n",
    )
    sys.modules.pop("queue_settings", None)


def test_each_condition_is_called_once(clock: Clock, project: Path) -> None:
    write(
        "every('day', 'os.getcwd', if_=lambda t: t.day > 0)",
        "every('day', 'os.getpid', if_=lambda t: t.dya, start='2100-01-01')",
        "every('day', 'os.getppid', if_=lambda t: t.dya, enabled=False)",
    )
    code, _, err = clock("check", "schedule.py")
    assert (code, err) == (
        0,
        "schedule.py:3: warning: the condition of 'os.getpid' failed for "
        "2100-01-01 00:00:00+00:00: it raised AttributeError: "
        "'ConditionTime' object has no attribute 'dya'\n",
    )
    assert clock("check", "schedule.py", "--no-conditions")[2] == ""


def test_conditional_events_are_marked(clock: Clock, project: Path) -> None:
    write("every('day', 'os.getcwd', if_=lambda t: t.day == 1)")
    assert " if " in clock("list", "schedule.py")[1]
    assert clock("next", "schedule.py", "-n", "1")[1].rstrip().endswith(" if")
    assert (
        "note    fires only where its condition <lambda>() is met"
        in (clock("explain", "schedule.py")[1])
    )
    assert '"conditional": true' in clock("list", "schedule.py", "--json")[1]
    assert "1 event, zone UTC" in clock("list", "schedule.py")[1]


def test_arguments_that_are_computed_once_are_a_warning(clock: Clock, project: Path) -> None:
    write(
        "from datetime import date",
        "every('day', 'jobs.run', args=[",
        "    date.today(),",
        "])",
        "every('hour', 'jobs.run', kwargs={'size': date(2026, 1, 1)}, name='fixed')",
    )
    assert clock("check", "schedule.py")[2] == (
        "schedule.py:3: warning: 'jobs.run' args= has date.today(), computed once, when the file "
        "is read; compute it in the task\n"
    )
