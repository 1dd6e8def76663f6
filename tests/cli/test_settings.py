"""Values of the settings module, and what overrides them."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from redis import Redis

from clock import exit_codes
from clock.cli.front import front
from tests.cli.command import Clock

UNFIT = "from clock import every\nevery('day', 'tasks.x', args=[{1, 2}])\n"


@pytest.fixture
def unfit(tmp_path: Path) -> str:
    """A schedule whose arguments pickle takes and JSON does not."""
    file = tmp_path / "unfit.py"
    file.write_text(UNFIT)
    return str(file)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that chooses JSON, and an application's name."""
    name = f"settings_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text("SERIALIZER = 'json'\nAPP = 'shop'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


@pytest.mark.parametrize("command", ["check", "list", "next", "explain"])
def test_a_command_that_reads_a_schedule_takes_its_serializer_from_the_settings(
    command: str, clock: Clock, unfit: str, settings: str
) -> None:
    words = [command, unfit] if command != "check" else [command, unfit, "--no-import"]
    assert clock(*words)[0] == exit_codes.OK
    code, _, err = clock(*words, "-c", settings)
    assert code == exit_codes.SCHEDULE
    assert "args= cannot be serialised with json" in err


def test_diff_takes_its_serializer_from_the_settings(
    clock: Clock, unfit: str, settings: str
) -> None:
    assert clock("diff", unfit, unfit)[0] == exit_codes.OK
    assert clock("diff", unfit, unfit, "-c", settings)[0] == exit_codes.SCHEDULE


def test_options_override_variables_and_variables_override_settings(
    clock: Clock, unfit: str, settings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("list", unfit, "-c", settings)
    assert clock(*words)[0] == exit_codes.SCHEDULE
    monkeypatch.setenv("CLOCK_SERIALIZER", "pickle")
    assert clock(*words)[0] == exit_codes.OK
    assert clock(*words, "-S", "json")[0] == exit_codes.SCHEDULE


def test_rq_config_names_the_settings_module(
    clock: Clock, unfit: str, settings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RQ_CONFIG", settings)
    assert clock("list", unfit)[0] == exit_codes.SCHEDULE


@pytest.mark.parametrize("words", [["run"], ["pause"], ["resume"]])
def test_a_command_on_an_event_takes_its_application_from_the_settings(
    words: list[str], clock: Clock, settings: str, redis: Redis, server_url: str
) -> None:
    line = [*words, "an event", "--url", server_url, "-c", settings]
    assert "application 'shop'" in clock(*line)[2]
    assert "application 'other'" in clock(*line, "--app", "other")[2]


def test_clock_app_overrides_the_application_of_the_settings(
    clock: Clock,
    settings: str,
    redis: Redis,
    server_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLOCK_APP", "other")
    err = clock("run", "an event", "--url", server_url, "-c", settings)[2]
    assert "application 'other'" in err


def test_settings_that_cannot_be_imported_are_a_usage_error(clock: Clock, schedule: Path) -> None:
    code, _, err = clock("check", str(schedule), "-c", "nowhere_at_all")
    assert code == exit_codes.USAGE
    assert err == (
        "clock: settings module 'nowhere_at_all': "
        "ModuleNotFoundError: No module named 'nowhere_at_all'\n"
    )


@pytest.mark.parametrize("name", list(front.commands))
def test_every_command_that_asks_for_a_serializer_or_an_application_takes_settings(
    name: str,
) -> None:
    options = {
        word
        for parameter in front.commands[name].params
        if isinstance(parameter, click.Option)
        for word in parameter.opts
    }
    assert ("-c" in options) == bool(options & {"-S", "--app"})
