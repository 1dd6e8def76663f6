"""Output that nobody waits for."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TextIO

import pytest

from clock import output
from clock.log import log_to
from clock.output import Output
from tests.live.waiting import wait_for


class Pipe:
    """A pipe of which this test is the reader."""

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        self.stream: TextIO = os.fdopen(writer, "w", encoding="utf-8")
        self.outputs: list[Output] = []

    def output(self) -> Output:
        """An output into it."""
        self.outputs.append(Output(self.stream))
        return self.outputs[-1]

    def fill(self) -> int:
        """Let nothing more go into it; how much did."""
        os.set_blocking(self.stream.fileno(), False)
        filled = 0
        with suppress(BlockingIOError):
            while True:
                filled += os.write(self.stream.fileno(), b"." * 512)
        os.set_blocking(self.stream.fileno(), True)
        return filled

    def read(self, size: int = 1_000_000) -> str:
        return os.read(self.reader, size).decode()

    def read_lines(self, count: int) -> list[str]:
        """So many lines; the test's timeout is the deadline."""
        text = ""
        while text.count("\n") < count:
            text += self.read()
        return text.splitlines()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    # The thread that writes may be held up; without a reader it goes on.
    os.close(pipe.reader)
    # What comes late would go to whoever gets the descriptor next.
    for stream in pipe.outputs:
        wait_for("all is written", lambda stream=stream: _waits_for_nothing(stream))  # type: ignore[misc]
    pipe.stream.close()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """A limit that is soon reached: the bytes that may wait."""
    limit = 100_000
    monkeypatch.setattr(output, "LIMIT", limit)
    return limit


def test_lines_come_in_order(pipe: Pipe) -> None:
    stream = pipe.output()
    for number in range(5000):
        stream.write(f"{number}\n")
    assert pipe.read_lines(5000) == [str(number) for number in range(5000)]


def test_ten_thousand_lines_at_once_reach_a_reader_that_reads(pipe: Pipe) -> None:
    stream = pipe.output()
    stream.write("".join(f"{number:0200}\n" for number in range(10_000)))
    stream.write("last\n")
    lines = pipe.read_lines(10_001)
    assert (len(lines), lines[-1]) == (10_001, "last")
    assert stream.take_dropped() == 0


def test_a_reader_that_does_not_read_holds_up_nobody_and_what_it_misses_is_counted(
    pipe: Pipe, small: int
) -> None:
    stream, filled = pipe.output(), pipe.fill()
    lines = 4 * small // 100
    for number in range(lines):
        stream.write(f"{number:099}\n")
    assert stream.take_dropped() == 0, "nothing is said as long as nobody reads"
    text = ""
    while (dropped := stream.take_dropped()) == 0:
        text += pipe.read(1000)
    stream.write("end\n")
    while not text.endswith("end\n"):
        text += pipe.read()
    kept = [int(line) for line in text[filled:].splitlines()[:-1]]
    assert kept == list(range(small // 100))
    assert len(kept) + dropped == lines


def test_what_is_longer_than_the_limit_is_written_where_nothing_waits(
    pipe: Pipe, small: int
) -> None:
    stream = pipe.output()
    stream.write("x" * 3 * small + "\n")
    assert pipe.read_lines(1) == ["x" * 3 * small]
    wait_for("nothing waits", lambda: _waits_for_nothing(stream))
    stream.write("and more\n")
    assert pipe.read_lines(1) == ["and more"]


def test_the_log_says_how_many_lines_are_missing(pipe: Pipe, small: int) -> None:
    pipe.fill()
    handler = log_to(pipe.output(), "logfmt")
    logger = logging.getLogger("clock")
    try:
        for _ in range(4 * small // 100):
            logger.info("x" * 100)
        reading = threading.Thread(
            target=lambda: heard.append(_read_until(pipe, 'msg="lines dropped"'))
        )
        heard: list[str] = []
        reading.start()

        def is_said() -> bool:
            logger.info("again")
            return bool(heard)

        wait_for("the log says it", is_said)
        reading.join()
        line = next(each for each in heard[0].splitlines() if 'msg="lines dropped"' in each)
        assert ' level=warning msg="lines dropped" lines=' in line
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


def _waits_for_nothing(stream: Output) -> bool:
    return not vars(stream.buffer)["_waiting"]


def _read_until(pipe: Pipe, word: str) -> str:
    text = ""
    while word not in text or not text.endswith("\n"):
        text += pipe.read()
    return text


def test_a_reader_that_is_gone_is_no_error(pipe: Pipe) -> None:
    stream = pipe.output()
    os.dup2(os.open(os.devnull, os.O_RDONLY), pipe.reader)
    for _ in range(3):
        stream.write("nobody hears\n")
    wait_for("all was tried", lambda: _waits_for_nothing(stream))
    assert stream.take_dropped() == 0, "a line that says so would be lost as well"


def test_what_the_encoding_does_not_have_is_shown_by_its_number(pipe: Pipe) -> None:
    with open(pipe.stream.fileno(), "w", encoding="ascii", closefd=False) as ascii_only:
        Output(ascii_only).write("täglich\n")
    assert pipe.read() == "t\\xe4glich\n"


def test_a_descriptor_that_must_not_block_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.stream.fileno(), False)
    stream = pipe.output()
    stream.write("x" * 300_000 + "\n")
    text = ""
    while not text.endswith("\n"):
        text += pipe.read()
    assert len(text) == 300_001


PROGRAM = """\
import os, sys
from clock.output import unblock_output
unblock_output()
print("of the parent")
if os.fork() == 0:
    print("of the fork")
    sys.exit()
os.wait()
print("an error", file=sys.stderr)
print("the last line")
"""


def test_a_fork_writes_its_own_lines_once_and_the_last_lines_are_written_at_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert sorted(lines) == ["of the fork", "of the parent", "the last line"]
    assert lines[-1] == "the last line"
    assert "an error\n" in done.stderr
