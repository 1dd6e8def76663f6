"""An address is shown without its password, whatever it looks like."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clock import exit_codes
from clock.cli.front import main
from clock.connection.client import connect
from clock.connection.url import masked
from clock.errors import SettingsError

WORD = "SeCrEt"

passwords = st.lists(
    st.sampled_from(
        [*":/#?[]@%&=;,+ \\'\"$!|^~*()", "://", "%2F", "12", "password=", "é", "\uff10", "\n"]
    ),
    min_size=1,
    max_size=6,
).flatmap(lambda odd: st.permutations([*odd, WORD, WORD]).map("".join))
"""Special characters around a word that is nowhere else in the address."""

addresses = st.builds(
    "{}{}:{}{}".format,
    st.sampled_from(["redis://", "rediss://", "unix://", "http://", "redis:/", "", "REDIS://"]),
    st.sampled_from(["", "user", "an odd/user"]),
    passwords,
    st.sampled_from(["@host:6379/0", "@host", "@[::1]:6379/0", "@/run/redis.sock", "@host?db=1"]),
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://[::1]:6379/0?db=1", "redis://[::1]:6379/0?db=1"),
        ("redis://:secret@host:1/2", "redis://:***@host:1/2"),
        ("rediss://user:se%40cret@host", "rediss://user:***@host"),
        ("redis://host?password=secret&db=1", "redis://host?password=***&db=1"),
        ("unix://user:secret@/run/redis.sock?db=1", "unix://user:***@/run/redis.sock?db=1"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("redis://:se/cr#e?t@host:1/2", "redis://:***@host:1/2"),
        ("redis://:se[cret@host", "redis://:***@host"),
        ("redis://a:b@c@host", "redis://a:***@host"),
        ("redis://secret@host", "redis://***@host"),
        ("redis://:secret", "redis://***"),
        ("http://:secret@host", "http://:***@host"),
        ("localhost:6379", "localhost:6379"),
        (":secret@host:6379", ":***@host:6379"),
        ("redis://host/0?password=se&cret", "redis://host/0?password=***"),
        ("redis://host/0?password=se@cret", "redis://***"),
    ],
)
def test_a_password_is_masked_and_the_rest_is_shown(url: str, shown: str) -> None:
    assert masked(url) == shown


@given(addresses)
@example("redis://:12/34SeCrEt@host:6379/0")
def test_no_password_is_shown_whatever_is_in_it(url: str) -> None:
    assert WORD not in masked(url)


@given(addresses)
@example("redis://user:12?34SeCrEt@host")
def test_an_invalid_address_is_an_error_without_its_password(url: str) -> None:
    message, options = "", {}
    try:
        options = connect(url).connection_pool.connection_kwargs
    except SettingsError as error:
        message = str(error)
    # It is an error, or the password is where a password belongs. One that looks like the option
    # of that name may be meant so.
    assert WORD not in message + str(options.get("host", "")) + str(options.get("path", ""))
    assert message or "password=" in url or WORD in str(options["password"])


@pytest.mark.parametrize("variable", ["CLOCK_REDIS_URL", "REDIS_TLS_URL", "REDIS_URL"])
@pytest.mark.parametrize("odd", ["/", "#", "?", "[", "]", "//", "12/", "12#", "12?a="])
def test_a_command_prints_one_line_without_the_password(
    variable: str,
    odd: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("CLOCK_REDIS_URL", "RQ_REDIS_URL", "RQ_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, f"rediss://:{odd}{WORD}@127.0.0.1:1/0")
    monkeypatch.setenv("REDIS_TLS_VERIFY", "no")
    with pytest.raises(SystemExit) as ended:
        main(["status"])
    output = capsys.readouterr()
    assert ended.value.code == exit_codes.USAGE
    assert output.out == ""
    assert output.err.startswith(
        "clock: the address 'rediss://:***@127.0.0.1:1/0' cannot be used: "
    )
    assert WORD not in output.err
    assert output.err.count("\n") == 1
