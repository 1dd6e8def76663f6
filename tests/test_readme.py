"""Every block of the README is executed and prints what it says it prints."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUNS_ON = re.compile(r"make run|clock \S+\.py")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and its text."""

    language: str
    text: str


BLOCKS = [Block(*found) for found in FENCE.findall((ROOT / "README.md").read_text())]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds the files the README shows."""
    for block in BLOCKS:
        named = re.match(r"# (\S+\.py)\n", block.text)
        if block.language == "python" and named:
            (tmp_path / named[1]).write_text(block.text)
    return tmp_path


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    assert {block.language for block in BLOCKS} == {"python", "console", "procfile"}


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.language == "python"], ids=lambda b: b.text[:20]
)
def test_python_runs(block: Block, folder: Path) -> None:
    if block.text.startswith("# "):
        command = [sys.executable, "-m", "clock", "list", block.text.split()[1]]
    else:
        command = [sys.executable, "-c", block.text]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "procfile"], ids=lambda b: "")
def test_the_procfile_is_the_one_of_this_repository(block: Block) -> None:
    assert block.text == (ROOT / "Procfile").read_text()


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.language == "console"], ids=lambda b: b.text[:20]
)
def test_a_command_prints_what_the_readme_says(block: Block, folder: Path, server_url: str) -> None:
    for command, expected in _commands(block):
        if RUNS_ON.fullmatch(command):
            _runs_on(command, expected, folder, server_url)
        else:
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=folder,
                env=_environ(),
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert (done.stdout + done.stderr).splitlines() == expected


def _commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *expected = part.splitlines()
        yield command, expected


def _runs_on(command: str, expected: list[str], folder: Path, server_url: str) -> None:
    """Start a command that does not end by itself; every expected line comes, in order."""
    environ = _environ() | {"CLOCK_LOG": "terminal"}
    if command != "make run":
        environ["REDIS_URL"] = server_url.replace("127.0.0.1", "localhost")
    process = subprocess.Popen(
        # The environment these tests run in is not to be made anew under them.
        shlex.split(command.replace("make run", "make -o .venv/ready run")),
        cwd=ROOT if command == "make run" else folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    give_up = threading.Timer(60, process.kill)
    give_up.start()
    printed, waiting = [], [_shape(line) for line in expected]
    try:
        for line in process.stdout:
            printed.append(line)
            if _shape(line.rstrip()) == waiting[0]:
                waiting.pop(0)
            if not waiting:
                break
        assert not waiting, "".join(printed)
    finally:
        give_up.cancel()
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        process.stdout.close()
        process.wait(timeout=10)


def _shape(line: str) -> str:
    """A line without what differs from run to run: numbers, and the name of the machine."""
    return re.sub(r"ping: \S+ is", "ping: <host> is", re.sub(r"\d+", "0", line))


def _environ() -> dict[str, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.endswith(("REDIS_URL", "TLS_URL"))
    }
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    for zone in ("TZ", "CLOCK_TZ"):
        kept.pop(zone, None)
    return kept
