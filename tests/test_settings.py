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


def test_the_defaults_are_those_of_rq() -> None:
    assert read_settings(None, {}) == Settings(
        serializer="pickle", app="clock", grace=25.0, middleware=(), outcomes={}
    )


def test_a_module_sets_what_its_names_in_capitals_are(write_module: WriteModule) -> None:
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


def test_the_environment_overrides_the_module(write_module: WriteModule) -> None:
    name = write_module("SERIALIZER = 'json'\nAPP = 'shop'\nGRACE = 5\n")
    environ = {"CLOCK_SERIALIZER": "my.own", "CLOCK_APP": "other", "CLOCK_GRACE": "7"}
    settings = read_settings(name, environ)
    assert (settings.serializer, settings.app, settings.grace) == ("my.own", "other", 7.0)


def test_an_empty_variable_overrides_nothing(write_module: WriteModule) -> None:
    name = write_module("SERIALIZER = 'json'\nGRACE = 5\n")
    environ = {"CLOCK_SERIALIZER": "", "CLOCK_APP": "", "CLOCK_GRACE": ""}
    assert read_settings(name, environ) == Settings(serializer="json", grace=5.0)


def test_rq_config_names_the_module_unless_another_is_given(
    write_module: WriteModule,
) -> None:
    one, two = write_module("APP = 'one'\n"), write_module("APP = 'two'\n")
    assert read_settings(None, {"RQ_CONFIG": one}).app == "one"
    assert read_settings(two, {"RQ_CONFIG": one}).app == "two"


@pytest.mark.parametrize(
    ("value", "seconds"), [("0", 0.0), ("2.5", 2.5), ("25s", 25.0), ("1m30s", 90.0)]
)
def test_a_grace_is_a_number_of_seconds_or_a_duration(value: str, seconds: float) -> None:
    assert read_settings(None, {"CLOCK_GRACE": value}).grace == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SERIALIZER = None", "SERIALIZER in the settings must be a non-empty string, not None"),
        ("APP = ''", "APP in the settings must be a non-empty string, not ''"),
        ("GRACE = 'soon'", "GRACE='soon': 'soon' is not a duration"),
        ("GRACE = -1", "GRACE=-1: -1 must not be negative"),
        ("GRACE = True", "GRACE=True: True is not a duration"),
        ("GRACE = float('inf')", "GRACE=inf: inf must be at most a hundred years"),
        ("MIDDLEWARE = 'a.b'", "MIDDLEWARE in the settings must be a list of dotted names"),
        ("MIDDLEWARE = [print]", "MIDDLEWARE in the settings must be a list of dotted names"),
        ("OUTCOMES = {'tasks.x': 1}", "OUTCOMES in the settings must be a dictionary of"),
        ("OUTPUT_MEMORY = -1", "OUTPUT_MEMORY=-1: must be a whole number, 0 or more"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_an_invalid_setting_is_an_error_of_one_sentence(
    text: str, message: str, write_module: WriteModule
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(write_module(text), {})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf"])
def test_an_invalid_variable_is_an_error_with_its_name(value: str) -> None:
    with pytest.raises(SettingsError, match=f"CLOCK_GRACE='{value}': "):
        read_settings(None, {"CLOCK_GRACE": value})


def test_the_memory_of_outputs_is_stated_in_megabytes(write_module: WriteModule) -> None:
    name = write_module("OUTPUT_MEMORY = 8")
    assert read_settings(name, {}).output_memory == 8 * 2**20
    assert read_settings(name, {"CLOCK_OUTPUT_MEMORY": "0"}).output_memory == 0


def test_a_module_limits_how_many_jobs_of_a_task_run_at_once(write_module: WriteModule) -> None:
    name = write_module("MAX_RUNNING = {'tasks.a': 2}")
    assert read_settings(name, {}).max_running == {"tasks.a": 2}
    assert read_settings(None, {}).max_running == {}


@pytest.mark.parametrize("value", ["3", "{'tasks.a': 0}", "{'tasks.a': True}", "{1: 2}", "['a']"])
def test_an_invalid_limit_is_an_error(value: str, write_module: WriteModule) -> None:
    name = write_module(f"MAX_RUNNING = {value}")
    with pytest.raises(SettingsError, match="MAX_RUNNING in the settings must be a dictionary"):
        read_settings(name, {})


@pytest.mark.parametrize(
    "line",
    [
        "PING_URL = 'hc-ping.com/secret-1'",
        "PING_URL = 'file:///secret-1'",
        "PING_URL = 5",
        "PINGS = {'e': 'ftp://x/secret-1'}",
        "PINGS = {'e': 'https:///secret-1'}",
        "PINGS = {'e': 'https://x/secret 1'}",
        "PINGS = {'e': 'https://[x/secret-1'}",
        "PINGS = ['https://x/secret-1']",
        "SENTRY_MONITORS = {'e': ''}",
        "SENTRY_MONITORS = 'secret-1'",
    ],
)
def test_an_invalid_watcher_is_an_error_that_does_not_show_its_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = f"watchers_{abs(hash(line))}"
    (tmp_path / f"{name}.py").write_text(line + "\n")
    with pytest.raises(SettingsError) as caught:
        read_settings(name, {})
    assert "secret" not in str(caught.value)


def test_the_environment_overrides_the_ping_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    lines = ("PING_URL = 'https://x/1'", "PINGS = {'e': 'http://y:8/2'}", "SENTRY_MONITORS = {}")
    (tmp_path / "watchers_all.py").write_text("\n".join(lines))
    settings = read_settings("watchers_all", {"CLOCK_PING_URL": "https://x/other"})
    assert (settings.ping_url, dict(settings.pings)) == ("https://x/other", {"e": "http://y:8/2"})
    assert "https" not in repr(settings)
    assert read_settings("watchers_all", {"CLOCK_PING_URL": ""}).ping_url == "https://x/1"
