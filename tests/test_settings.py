"""The settings: what a module and the environment may say, and which of them wins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clock.errors import SettingsError
from clock.settings import Settings, read_settings

WriteModule = Callable[[str], str]


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteModule:
    """Write a settings module; its name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(text: str) -> str:
        name = f"settings_{abs(hash((text, str(tmp_path))))}"
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


def test_without_a_module_and_variables_it_is_what_rq_does_by_itself() -> None:
    assert read_settings(None, {}) == Settings(
        serializer="pickle", app="clock", grace=25.0, middleware=(), outcomes={}
    )


def test_a_module_says_what_its_names_in_capitals_say(write_module: WriteModule) -> None:
    name = write_module(
        "SERIALIZER = 'json'\nAPP = 'shop'\nGRACE = 5\nMIDDLEWARE = ['a.b', 'c.d']\n"
        "OUTCOMES = {'tasks.x': {ValueError: 'abort'}}\nQUEUES = ['high']\n"
    )
    assert read_settings(name, {}) == Settings(
        serializer="json",
        app="shop",
        grace=5.0,
        middleware=("a.b", "c.d"),
        outcomes={"tasks.x": {ValueError: "abort"}},
    )


def test_the_environment_goes_before_the_module(write_module: WriteModule) -> None:
    name = write_module("SERIALIZER = 'json'\nAPP = 'shop'\nGRACE = 5\n")
    environ = {"CLOCK_SERIALIZER": "my.own", "CLOCK_APP": "other", "CLOCK_GRACE": "7"}
    settings = read_settings(name, environ)
    assert (settings.serializer, settings.app, settings.grace) == ("my.own", "other", 7.0)


def test_an_empty_variable_says_nothing(write_module: WriteModule) -> None:
    name = write_module("SERIALIZER = 'json'\nGRACE = 5\n")
    environ = {"CLOCK_SERIALIZER": "", "CLOCK_APP": "", "CLOCK_GRACE": ""}
    assert read_settings(name, environ) == Settings(serializer="json", grace=5.0)


def test_the_variable_of_rq_names_the_module_unless_another_is_named(
    write_module: WriteModule,
) -> None:
    one, two = write_module("APP = 'one'\n"), write_module("APP = 'two'\n")
    assert read_settings(None, {"RQ_CONFIG": one}).app == "one"
    assert read_settings(two, {"RQ_CONFIG": one}).app == "two"


@pytest.mark.parametrize(
    ("said", "seconds"), [("0", 0.0), ("2.5", 2.5), ("25s", 25.0), ("1m30s", 90.0)]
)
def test_a_grace_is_a_number_of_seconds_or_a_length_of_time(said: str, seconds: float) -> None:
    assert read_settings(None, {"CLOCK_GRACE": said}).grace == seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SERIALIZER = None", "SERIALIZER=None in the settings is not a text"),
        ("APP = ''", "APP='' in the settings is not a text"),
        ("GRACE = 'soon'", "GRACE='soon': 'soon' is not a length of time"),
        ("GRACE = -1", "GRACE=-1: -1 is less than nothing"),
        ("GRACE = True", "GRACE=True: True is not a length of time"),
        ("GRACE = float('inf')", "GRACE=inf: inf is not a length of time"),
        ("MIDDLEWARE = 'a.b'", "MIDDLEWARE in the settings is not a list of dotted names"),
        ("MIDDLEWARE = [print]", "MIDDLEWARE in the settings is not a list of dotted names"),
        ("OUTCOMES = {'tasks.x': 1}", "OUTCOMES in the settings is not a dictionary of"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_mistake_in_the_module_is_refused_in_one_sentence(
    text: str, said: str, write_module: WriteModule
) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings(write_module(text), {})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf"])
def test_a_mistake_in_a_variable_is_refused_by_its_name(value: str) -> None:
    with pytest.raises(SettingsError, match=f"CLOCK_GRACE='{value}': "):
        read_settings(None, {"CLOCK_GRACE": value})


def test_a_module_says_how_many_jobs_of_a_task_run_at_once(write_module: WriteModule) -> None:
    name = write_module("MAX_RUNNING = {'tasks.a': 2}")
    assert read_settings(name, {}).max_running == {"tasks.a": 2}
    assert read_settings(None, {}).max_running == {}


@pytest.mark.parametrize("said", ["3", "{'tasks.a': 0}", "{'tasks.a': True}", "{1: 2}", "['a']"])
def test_a_limit_that_is_none_is_refused(said: str, write_module: WriteModule) -> None:
    name = write_module(f"MAX_RUNNING = {said}")
    with pytest.raises(SettingsError, match="MAX_RUNNING in the settings is not a dictionary"):
        read_settings(name, {})
