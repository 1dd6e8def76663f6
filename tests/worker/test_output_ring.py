"""The output of a run in shared memory, and the lines that go there."""

from __future__ import annotations

import mmap

import pytest

from clock.runs.output import LONGEST
from clock.worker.output_ring import RING, OutputRing, OutputRings, Printed
from clock.worker.printed_lines import LONGEST_LINE, PrintedLines


@pytest.fixture
def ring() -> OutputRing:
    return OutputRings(mmap.mmap(-1, 3 * RING), 0)[1]


def lines_of(ring: OutputRing, execution: str) -> PrintedLines:
    return PrintedLines(job="job", event=None, execution=execution, ring=ring)


def test_a_ring_has_the_output_of_one_execution(ring: OutputRing) -> None:
    ring.begin("one")
    assert ring.read("one") is None
    ring.append(b"a line\n")
    assert (ring.read("one"), ring.read("two")) == (Printed("a line\n", 7), None)
    ring.begin("two")
    assert (ring.read("one"), ring.read("two")) == (None, None)


@pytest.mark.parametrize("length", [1, 9, 100, LONGEST - 1, LONGEST, LONGEST + 1, 3 * LONGEST])
def test_a_ring_keeps_the_last_whole_lines_whatever_their_length(
    ring: OutputRing, length: int
) -> None:
    ring.begin("one")
    written = b""
    while len(written) < 3 * LONGEST:
        line = b"%d" % len(written) + b"x" * length + b"\n"
        ring.append(line)
        written += line
    printed = ring.read("one")
    assert printed == Printed(written[-LONGEST:].partition(b"\n")[2].decode(), len(written))


def test_neighbours_write_apart() -> None:
    rings = OutputRings(mmap.mmap(-1, 3 * RING), 0)
    for index in range(3):
        rings[index].begin(str(index))
        rings[index].append(b"%d" % index * LONGEST * 2 + b"\n")
        rings[index].append(b"%d\n" % index)
    assert [rings[index].read(str(index)) for index in range(3)] == [
        Printed(f"{index}\n", 2 * LONGEST + 3) for index in range(3)
    ]


def test_a_long_line_is_cut_between_two_characters(ring: OutputRing) -> None:
    lines = lines_of(ring, "one")
    text = "a" + "€" * LONGEST_LINE
    pieces = [*lines.write(1, text.encode()), *lines.write(1, b"\n")]
    assert "".join(pieces) == text
    assert len(pieces) == 4


def test_what_a_run_leaves_behind_does_not_write_into_the_next(ring: OutputRing) -> None:
    first = lines_of(ring, "one")
    list(first.write(1, b"first\n"))
    assert first.finish() == first.finish() == Printed("first\n", 6)
    second = lines_of(ring, "two")
    assert list(first.write(1, b"late\n")) == ["late"]
    list(second.write(1, b"second\n"))
    assert second.finish() == Printed("second\n", 7)
