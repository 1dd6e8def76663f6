"""``clock web`` as a process: where it listens, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.browser.web_process import WebProcess
from tests.live.environment import bare_environment
from tests.live.server import Server
from tests.web.serving import listening

StartWeb = Callable[..., WebProcess]


@pytest.fixture
def start_web(server: Server, tmp_path: Path) -> Iterator[StartWeb]:
    """Start ``clock web`` on this test's server; none outlives the test."""
    started: list[WebProcess] = []

    def start(*arguments: str, **environ: str) -> WebProcess:
        started.append(WebProcess(tmp_path, server.url, *arguments, **environ))
        return started[-1]

    yield start
    for web in started:
        web.clean_up()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_web_ui(start_web: StartWeb, number: signal.Signals) -> None:
    web = start_web()
    with httpx.Client() as client:  # a browser keeps its connection
        assert client.get(f"{web.address()}/").status_code == 200
        assert web.stop(number) == 0


def test_open_streams_end_with_the_web_ui(start_web: StartWeb) -> None:
    web = start_web()
    with ExitStack() as stack:
        streams = [stack.enter_context(listening(web.address())) for _ in range(5)]
        assert web.stop() == 0
        assert [stream.rest() for stream in streams] == [[]] * 5
    assert "Cancel" not in web.output()  # as uvicorn says of what it had to end


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.org"])  # noqa: S104
def test_a_public_address_is_refused_without_a_password(start_web: StartWeb, host: str) -> None:
    web = start_web("--host", host)
    assert web.process.wait(timeout=15) == 2
    assert web.output() == (
        f"clock: {host} may be reached from outside: set CLOCK_WEB_PASSWORD or omit --host\n"
    )


def test_a_password_opens_a_public_address(start_web: StartWeb) -> None:
    web = start_web("--host", "0.0.0.0", CLOCK_WEB_PASSWORD="a long password")  # noqa: S104
    address = web.address().replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    assert httpx.get(f"{address}/").status_code == 303
    assert httpx.get(f"{address}/", auth=("me", "a long password")).status_code == 200
    assert "a long password" not in web.output()


def test_the_environment_sets_the_port(start_web: StartWeb, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "clock", "web"],
            env=bare_environment() | {"PORT": port},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert done.returncode == 2
    assert done.stderr == f"clock: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_with_or_any_port_a_taken_port_is_replaced_by_a_free_one(start_web: StartWeb) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        web = start_web("--port", port, "--or-any-port")
        assert httpx.get(f"{web.address()}/").status_code == 200
        assert not web.address().endswith(f":{port}")


def test_without_its_packages_clock_web_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "starlette").mkdir()
    (tmp_path / "starlette" / "__init__.py").write_text(
        "raise ModuleNotFoundError(name='starlette')"
    )
    path = f"{tmp_path}:{Path(__file__).parents[2]}"
    done = subprocess.run(
        [sys.executable, "-m", "clock", "web"],
        env=bare_environment() | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "clock: clock web needs an extra: pip install 'rq-clock[web]'\n",
    )
