from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

import clock
from clock import Schedule, ScheduleError, every, load
from clock.errors import SettingsError
from tests.schedule.writing import HEADER, event, refusal, schedule


def test_events_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    result = schedule(tmp_path, "".join(f"every('day', 'tasks.{n}')\n" for n in "cab"))
    assert list(result.events) == ["tasks.c", "tasks.a", "tasks.b"]


def test_an_event_knows_where_it_is_declared(tmp_path: Path) -> None:
    only = event(tmp_path, "\n\nevery('day', 'tasks.a')")
    assert (only.path, only.line) == (str(tmp_path / "main.py"), 4)


def test_a_path_is_shown_as_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "main.py").write_text("from clock import every\nevery('day', 'x')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScheduleError) as caught:
        load("main.py")
    assert str(caught.value) == (
        "main.py:2: 'x' is not a dotted name; write the task as 'package.module.function'"
    )


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScheduleError) as caught:
        load(tmp_path / "none.py")
    assert (caught.value.line, caught.value.message) == (
        None,
        "cannot be read: No such file or directory",
    )


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScheduleError) as caught:
        load(tmp_path)
    assert caught.value.message == "cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("\nevery('day',\n", 3, "invalid syntax: '(' was never closed"),
        ("\nevry('day', 'tasks.a')", 3, "NameError: name 'evry' is not defined"),
        ("import nowhere_at_all", 2, "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("raise SystemExit(3)", 2, "SystemExit: 3"),
        ("def f():\n    1 / 0\n\nf()", 3, "ZeroDivisionError: division by zero"),
        (
            "\ncron('61 * * * *')",
            3,
            "cron('61 * * * *'): '61' is out of range; a minute is from 0 to 59",
        ),
    ],
)
def test_a_file_that_does_not_run_is_refused(
    tmp_path: Path, source: str, line: int, message: str
) -> None:
    error = refusal(tmp_path, source)
    assert (error.line, error.message) == (line, message)


def test_a_mistake_in_an_imported_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "feeds.py").write_text(HEADER + "\nevery('day', 'x')")
    error = refusal(tmp_path, "import feeds")
    assert (error.path, error.line) == (str(tmp_path / "feeds.py"), 3)


def test_an_error_in_an_imported_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "feeds.py").write_text("\n1 / 0")
    error = refusal(tmp_path, "import feeds")
    assert (error.path, error.line, error.message) == (
        str(tmp_path / "feeds.py"),
        2,
        "ZeroDivisionError: division by zero",
    )


def test_bad_syntax_in_an_imported_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "feeds.py").write_text("\n(")
    error = refusal(tmp_path, "import feeds")
    assert (error.path, error.line) == (str(tmp_path / "feeds.py"), 2)


def test_an_error_in_a_venv_inside_the_folder_names_the_line_of_the_schedule(
    tmp_path: Path,
) -> None:
    packages = tmp_path / ".venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "rq_clock_test_failing.py").write_text("\n\ndef fail():\n    1 / 0")
    source = f"import sys; sys.path.append({str(packages)!r})\n\nimport rq_clock_test_failing\n"
    error = refusal(tmp_path, source + "rq_clock_test_failing.fail()")
    assert (error.path, error.line) == (str(tmp_path / "main.py"), 5)
    del sys.modules["rq_clock_test_failing"]


def test_a_checkout_of_this_package_beside_the_schedule_is_not_to_blame(tmp_path: Path) -> None:
    shutil.copytree(Path(clock.__file__).parent, tmp_path / "clock")
    (tmp_path / "main.py").write_text(HEADER + "\ncron('61 * * * *')")
    code = "import clock; clock.load('main.py')"
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environ,
    )
    assert run.stderr.splitlines()[-1].startswith("clock.errors.ScheduleError: main.py:3: cron(")


def test_events_of_an_imported_file_belong_to_the_schedule(tmp_path: Path) -> None:
    (tmp_path / "feeds.py").write_text(HEADER + "every('hour', 'tasks.feeds')")
    result = schedule(tmp_path, "every('day', 'tasks.a')\nimport feeds")
    assert list(result.events) == ["tasks.a", "tasks.feeds"]


def test_a_file_read_twice_gives_the_same(tmp_path: Path) -> None:
    (tmp_path / "feeds.py").write_text(HEADER + "every('hour', 'tasks.feeds')")
    for _ in range(2):
        assert list(schedule(tmp_path, "import feeds").events) == ["tasks.feeds"]


def test_a_file_imported_from_its_folder_as_a_package_is_read_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "feeds.py").write_text(HEADER + "every('hour', 'tasks.feeds')")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        result = schedule(tmp_path, "from plans import feeds", "plans/main.py")
        assert list(result.events) == ["tasks.feeds"]
    assert not [name for name in sys.modules if name.startswith("plans")]


def test_two_files_with_neighbours_of_one_name_do_not_mix(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "feeds.py").write_text(f"TASK = 'tasks.{name}'")
        source = "import feeds\nevery('day', feeds.TASK)"
        assert list(schedule(tmp_path, source, f"{name}/main.py").events) == [f"tasks.{name}"]


def test_two_files_read_in_two_threads_do_not_mix(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=30)
    result: dict[str, Schedule] = {}

    def read(name: str) -> None:
        path = tmp_path / f"{name}.py"
        path.write_text(HEADER + f"timezone('Asia/Tokyo')\nevery('day', 'tasks.{name}')")
        both.wait()
        result[name] = load(path)

    threads = [threading.Thread(target=read, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: list(schedule_.events) for name, schedule_ in result.items()} == {
        "one": ["tasks.one"],
        "two": ["tasks.two"],
    }
    assert not [folder for folder in sys.path if folder.startswith(str(tmp_path))]


def test_a_file_may_read_another_without_taking_its_events(tmp_path: Path) -> None:
    (tmp_path / "inner.py").write_text(HEADER + "every('hour', 'tasks.inner')")
    source = (
        f"every('day', 'tasks.a')\nload({str(tmp_path / 'inner.py')!r})\nevery('day', 'tasks.b')"
    )
    assert list(schedule(tmp_path, source).events) == ["tasks.a", "tasks.b"]


@pytest.mark.parametrize("source", ["import feeds", "import feeds\n1 / 0"])
def test_loading_a_schedule_leaves_nothing_global_behind(tmp_path: Path, source: str) -> None:
    (tmp_path / "feeds.py").write_text(HEADER + "every('hour', 'tasks.feeds')")
    path, modules = list(sys.path), set(sys.modules)
    with contextlib.suppress(ScheduleError):
        schedule(tmp_path, source)
    assert sys.path == path
    assert "feeds" not in sys.modules
    assert "__schedule__" not in sys.modules
    assert not {name for name in set(sys.modules) - modules if "feeds" in name}


def test_a_venv_inside_the_folder_stays_imported(tmp_path: Path) -> None:
    packages = tmp_path / ".venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "rq_clock_test_dependency.py").write_text("")
    schedule(
        tmp_path, f"import sys; sys.path.append({str(packages)!r})\nimport rq_clock_test_dependency"
    )
    assert sys.modules.pop("rq_clock_test_dependency").__name__ == "rq_clock_test_dependency"


def test_the_folder_and_the_current_folder_come_first_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    result = schedule(
        tmp_path, "import sys\nevery('day', 'tasks.a', args=sys.path[:2])", "s/main.py"
    )
    assert result.events["tasks.a"].args == (str(tmp_path / "s"), str(here))


def test_a_schedule_file_sees_a_module_of_its_own(tmp_path: Path) -> None:
    result = schedule(tmp_path, "every('day', 'tasks.a', args=[__name__, __file__])")
    assert result.events["tasks.a"].args == ("__schedule__", str(tmp_path / "main.py"))


def test_every_outside_of_a_schedule_file_is_refused() -> None:
    with pytest.raises(ScheduleError) as caught:
        every("day", "tasks.a")
    assert caught.value.message == (
        f"every(...) only declares; start this file with 'clock {__file__}'"
    )


def test_arguments_are_checked_with_the_serializer_of_the_workers(tmp_path: Path) -> None:
    source = "\nevery('day', 'tasks.a', args=[{1, 2}])"
    assert schedule(tmp_path, source).events
    error = refusal(tmp_path, source, serializer="json")
    assert (error.line, error.message) == (
        3,
        "args= cannot be serialised with json: "
        "TypeError: Object of type set is not JSON serializable",
    )


def test_an_unknown_serializer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        schedule(tmp_path, "", serializer="nowhere.at.all")


def test_asking_for_times_needs_neither_redis_nor_rq() -> None:
    code = (
        "import sys, clock.recurrence.rule, clock.recurrence.zone, clock.schedule.declare; "
        "print(sorted({'redis', 'rq'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert run.stdout == "[]\n"


def test_an_event_that_follows_real_time_is_asked_from_any_instant(tmp_path: Path) -> None:
    hourly = event(tmp_path, "every('hour', 'tasks.a', tz='Europe/Berlin')")
    start, end = datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC)
    sweep = list(hourly.occurrences(start, end))
    for position, instant in enumerate(sweep):
        assert list(hourly.occurrences(instant, end)) == sweep[position + 1 :]
