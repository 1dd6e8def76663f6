"""Servers that waiting does not repair: the clock logs what they are and ends at its start."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from redis import Redis

from clock import exit_codes
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.environment import bare_environment
from tests.live.port import free_port
from tests.live.valkey_process import ValkeyProcess
from tests.live.waiting import wait_for

Serve = Callable[..., str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a server with options; its address."""
    servers: list[ValkeyProcess] = []

    def start(*options: str) -> str:
        servers.append(ValkeyProcess(tmp_path / f"server-{len(servers)}", *options))
        servers[-1].start()
        return servers[-1].url

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def password_url(serve: Serve) -> str:
    """A server that asks for a password."""
    url = serve()
    with Redis.from_url(url) as redis:
        redis.config_set("requirepass", "right")
    return url


@pytest.fixture
def start(write_schedule: WriteSchedule) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Start a clock that ends by itself."""
    file = write_schedule("every('1 second', 'tasks.x')")

    def run(url: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "clock", str(file), "--url", url],
            env=bare_environment() | environ,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


Start = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_wrong_password_ends_the_start_and_is_not_shown(start: Start, password_url: str) -> None:
    ended = start(password_url.replace("//", "//user:not-this@"))
    shown = password_url.replace("//", "//user:***@")
    _assert_reason(ended, f"{shown}: AuthenticationError: wrong user or password")
    assert "not-this" not in ended.stdout + ended.stderr


def test_a_password_that_is_missing_ends_the_start(start: Start, password_url: str) -> None:
    _assert_reason(start(password_url), "the server requires a password, and none was given")


def test_a_cluster_node_ends_the_start_and_names_the_hash_tag_it_needs(
    start: Start, serve: Serve
) -> None:
    reason = "put the same hash tag into RQ_KEY_PREFIX and --app, as in {shop}"
    url = _cluster(serve)
    _assert_reason(start(url), reason)
    # One of them alone is enough for the ledger, but not for jobs.
    _assert_reason(start(url, CLOCK_APP="{shop}"), reason)


def test_another_node_of_a_cluster_is_named(start: Start, serve: Serve) -> None:
    node, other = _cluster(serve), serve("cluster-enabled yes")
    host, port = node.removeprefix("redis://").partition("/")[0].split(":")
    with Redis.from_url(other) as redis:
        redis.cluster("MEET", host, port)
        wait_for("the nodes know each other", lambda: "cluster_state:ok" in _info(redis))
    ended = start(other, CLOCK_APP="{shop}")
    _assert_reason(ended, "these keys are on another node of the cluster")
    assert f" {host}:{port})" in ended.stderr


def test_a_server_of_another_protocol_ends_the_start(start: Start) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Silent)
    with ExitStack() as stack:
        stack.callback(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        url = f"redis://127.0.0.1:{server.server_port}"
        _assert_reason(start(url), "the server does not speak the Redis protocol")
        tls = url.replace("redis:", "rediss:")
        _assert_reason(start(tls), "the server does not speak TLS; write redis:// instead")


def test_a_server_that_wants_tls_ends_the_start(start: Start) -> None:
    with _tls() as port:
        ended = start(f"redis://127.0.0.1:{port}")
    _assert_reason(ended, "the server requires TLS; write rediss:// instead of redis://")


def test_tls_to_a_server_without_it_ends_the_start(start: Start, serve: Serve) -> None:
    ended = start(serve().replace("redis:", "rediss:"))
    _assert_reason(ended, "the server does not speak TLS; write redis:// instead of rediss://")


def test_an_untrusted_certificate_ends_the_start(start: Start, tmp_path: Path) -> None:
    certificate = _certificate(tmp_path)
    with _tls(certificate) as port:
        ended = start(f"rediss://127.0.0.1:{port}")
    _assert_reason(ended, "the certificate of the server cannot be verified")


def test_the_installed_redis_with_tls_alone_is_not_taken_for_an_outage(
    start: Start, tmp_path: Path
) -> None:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server is installed on this machine")
    certificate, port = _certificate(tmp_path), free_port()
    words = ("--port", "0", "--tls-port", str(port), "--dir", str(tmp_path))
    files = ("--tls-cert-file", "--tls-key-file", "--tls-ca-cert-file")
    named = [word for option in files for word in (option, str(certificate))]
    server = subprocess.Popen([program, *words, *named], stdout=subprocess.DEVNULL)
    try:
        wait_for("it listens", lambda: server.poll() is not None or _listens(port))
        if server.poll() is not None:
            pytest.skip("the redis-server of this machine has no TLS")
        _assert_reason(start(f"redis://127.0.0.1:{port}"), "the server requires TLS")
    finally:
        server.kill()
        server.wait()


def test_a_running_clock_survives_a_changed_password_and_names_the_reason(
    serve: Serve, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    url = serve()
    clock = start_clock(write_schedule("every('1 second', 'tasks.x')"), url)
    clock.wait_for_line("enqueued")
    with Redis.from_url(url) as redis:
        redis.config_set("requirepass", "new")
        redis.client_kill_filter(skipme=True, _type="normal")
        away = clock.wait_for_line("server away")
        assert "the server requires a password, and none was given" in away["reason"]
        enqueued = len(clock.lines("enqueued"))
        redis.config_set("requirepass", "")
    clock.wait_for_line("server back")
    wait_for("it goes on", lambda: len(clock.lines("enqueued")) > enqueued)
    assert len(clock.lines("server away")) == 1
    assert clock.stop() == 0


def test_other_commands_report_the_same_errors(password_url: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "clock", "status", "--url", password_url],
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    _assert_reason(ended, "the server requires a password, and none was given")


def _assert_reason(ended: subprocess.CompletedProcess[str], words: str) -> None:
    assert ended.returncode == exit_codes.SERVER, ended.stdout + ended.stderr
    assert ended.stderr.startswith("clock: ")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "server away" not in ended.stdout


def _cluster(serve: Serve) -> str:
    """A node that has all slots."""
    url = serve("cluster-enabled yes")
    with Redis.from_url(url) as redis:
        redis.cluster("ADDSLOTSRANGE", 0, 16383)
        wait_for("the cluster is there", lambda: "cluster_state:ok" in _info(redis))
    return url


def _info(redis: Redis) -> str:
    return str(redis.execute_command("CLUSTER", "INFO"))  # type: ignore[no-untyped-call]


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _tls(certificate: Path | None = None) -> Iterator[int]:
    """Something that speaks TLS; without a certificate it only says that it has none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is not None:
        context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                with client, suppress(OSError), context.wrap_socket(client, server_side=True):
                    pass

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _certificate(folder: Path) -> Path:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl is installed on this machine, which makes the certificate")
    file = folder / "both.pem"
    named = ["-subj", "/CN=localhost", "-days", "2", "-keyout", str(file), "-out", str(file)]
    words = [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *named]
    subprocess.run(words, check=True, capture_output=True)
    if b"CERTIFICATE" not in file.read_bytes() or b"PRIVATE" not in file.read_bytes():
        pytest.skip("this openssl does not write key and certificate into one file")
    return file


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
