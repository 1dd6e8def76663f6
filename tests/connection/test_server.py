"""Which server: which of the addresses wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from clock.connection.client import connect
from clock.connection.server import address, find_server, redis_url
from clock.errors import SettingsError

ORDER = ["CLOCK_REDIS_URL", "RQ_REDIS_URL", "REDIS_TLS_URL", "REDIS_URL"]


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_the_first_variable_that_is_set_wins(first: int) -> None:
    environ = {name: f"redis://{name.lower()}" for name in ORDER[first:]}
    assert redis_url(environ) == f"redis://{ORDER[first].lower()}"


def test_an_empty_variable_is_ignored() -> None:
    assert redis_url({"CLOCK_REDIS_URL": "", "REDIS_URL": "redis://b"}) == "redis://b"


def test_the_default_is_localhost() -> None:
    assert redis_url({}) == "redis://localhost:6379/0"


def test_certificates_are_verified_unless_the_environment_says_no() -> None:
    assert redis_url({"REDIS_TLS_URL": "rediss://a"}) == "rediss://a"
    lenient = redis_url({"REDIS_TLS_URL": "rediss://a:1/0?db=3", "REDIS_TLS_VERIFY": "no"})
    assert lenient == "rediss://a:1/0?db=3&ssl_cert_reqs=none&ssl_check_hostname=false"
    connect(lenient)


def test_a_url_overrides_settings_and_settings_override_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings_of_a_test.py").write_text("REDIS_URL = 'redis://settings'\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    environ = {"REDIS_URL": "redis://environ"}
    assert address("redis://url", "settings_of_a_test", environ) == "redis://url"
    assert address(None, "settings_of_a_test", environ) == "redis://settings"
    assert address(None, None, environ) == "redis://environ"


def test_settings_without_a_server_or_that_cannot_be_imported_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings_without.py").write_text("QUEUES = []\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SettingsError, match="No module named 'nowhere_at_all'"):
        address(None, "nowhere_at_all", {})
    with pytest.raises(SettingsError, match="'settings_without' has no REDIS_URL"):
        address(None, "settings_without", {})


def test_sentinels_of_the_settings_are_shown_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings_of_sentinels.py").write_text(
        "SENTINEL = {'INSTANCES': [('a', 1), ('b', 2)], 'MASTER_NAME': 'm', 'DB': 3, "
        "'PASSWORD': 'secret', 'SOCKET_TIMEOUT': None}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    server = find_server(None, "settings_of_sentinels", {"REDIS_URL": "redis://environ"})
    assert server.shown == "sentinel://a:1,b:2/m/3"
    assert "secret" not in repr(server)
    options = server.connect().connection_pool.connection_kwargs
    assert (options["password"], options["db"]) == ("secret", 3)
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (2.0, 2.0)
    assert options["retry"].get_retries() == 0


def test_a_url_and_an_address_in_the_settings_override_sentinels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings_of_both.py").write_text("REDIS_URL = 'redis://a'\nSENTINEL = {}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_server(None, "settings_of_both", {}).shown == "redis://a"
    assert find_server("redis://:secret@b", "settings_of_both", {}).shown == "redis://:***@b"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("'mymaster'", "SENTINEL must be a dictionary"),
        ("{'INSTANCES': ['a:1']}", "INSTANCES"),
        ("{'INSTANCES': [('redis://:secret@a', 1)]}", "INSTANCES"),
    ],
)
def test_invalid_sentinels_are_an_error(
    settings: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"settings_invalid_{abs(hash(settings))}"
    (tmp_path / f"{name}.py").write_text(f"SENTINEL = {settings}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SettingsError, match=message):
        find_server(None, name, {}).connect()


def test_an_invalid_address_is_an_error_without_its_password() -> None:
    with pytest.raises(SettingsError) as caught:
        connect("http://user:secret@host")
    assert "secret" not in str(caught.value)
