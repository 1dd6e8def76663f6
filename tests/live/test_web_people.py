"""``clock web`` as processes: sessions that all of them know, and whose headers they believe."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from redis import Redis

from clock.ledger.audit import read_audit
from tests.browser.web_process import WebProcess
from tests.live.environment import bare_environment
from tests.live.server import Server

PASSWORD = "a password of tests"

StartWeb = Callable[..., WebProcess]


@pytest.fixture
def start_web(server: Server, tmp_path: Path) -> Iterator[StartWeb]:
    """Start ``clock web`` on this test's server; none outlives the test."""
    started: list[WebProcess] = []

    def start(**environ: str) -> WebProcess:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(WebProcess(folder, server.url, "--allow-actions", **environ))
        return started[-1]

    yield start
    for web in started:
        web.clean_up()


def test_processes_share_sessions_and_keep_them_over_a_restart(start_web: StartWeb) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clock", "web", "--hash"],
        input=f"{PASSWORD}\n",
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    people = json.dumps({"ann": ["act", done.stdout.strip()]})
    first, second = (start_web(CLOCK_WEB_USERS=people) for _ in range(2))
    # As behind one proxy, which passes the host on that the browser sees.
    host = {"host": "clock.test"}
    form = {"username": "ann", "password": PASSWORD}
    answer = httpx.post(f"{first.address()}/login", data=form, headers=host)
    assert answer.status_code == 303
    name, value = answer.headers["set-cookie"].partition(";")[0].split("=", 1)
    assert name == "clock_session_clock_default"
    signed_in = host | {"cookie": f"{name}={value}"}
    assert httpx.get(f"{second.address()}/", headers=signed_in).status_code == 200
    assert first.stop() == 0
    again = start_web(CLOCK_WEB_USERS=people)
    assert httpx.get(f"{again.address()}/", headers=signed_in).status_code == 200
    assert httpx.post(f"{again.address()}/logout", headers=signed_in).status_code == 303
    for web in (second, again):
        assert httpx.get(f"{web.address()}/", headers=signed_in).status_code == 303
        assert PASSWORD not in web.output()
    assert 'msg=audit who=ann what="sign out"' in again.output()


@pytest.mark.parametrize(("proxies", "source"), [("", "127.0.0.1"), ("127.0.0.1", "192.0.2.9")])
def test_forwarded_addresses_are_believed_only_from_a_stated_proxy(
    start_web: StartWeb, redis: Redis, proxies: str, source: str
) -> None:
    web = start_web(CLOCK_WEB_PASSWORD=PASSWORD, CLOCK_WEB_PROXIES=proxies)
    headers = {"x-forwarded-for": "192.0.2.9", "x-forwarded-user": "root"}
    form = {"password": "a wrong one"}
    assert httpx.post(f"{web.address()}/login", data=form, headers=headers).status_code == 401
    assert httpx.get(f"{web.address()}/", headers=headers).status_code == 303
    (entry,) = read_audit(redis, "clock", 10).entries
    assert (entry.actor.source, entry.outcome) == (source, "failed")
    assert f"source={source}" in web.output()
