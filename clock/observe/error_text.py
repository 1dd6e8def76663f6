"""The error of a job, read from the traceback that RQ keeps as text.

The text may be anything: a traceback with several errors, one line of a worker that found a job
abandoned, or what somebody wrote there. It is read in time and memory that are linear in its
length, and what is returned is bounded.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from clock.observe.frame_origin import Origin, origin_of
from clock.runs.plain_text import plain_text

LONGEST = 400_000
"""Characters that are read, from the beginning and from the end of the text."""

LONGEST_LINE = 500
"""Characters of a line."""

LONGEST_MESSAGE = 4_000
"""Characters of a message of several lines."""

MOST_FRAMES = 100
"""Frames of one error, the innermost."""

MOST_ERRORS = 20
"""Errors of one text."""

_FRAME = re.compile(r' *File "(.*)", line ([0-9]{1,9})(?:, in (.*))?')
_REPEATED = re.compile(r" *\[Previous line repeated ([0-9]{1,9}) more times?\]")
_MARKS = re.compile(r"[ ~^]*")
_CLASS = re.compile(r"([A-Za-z_][\w.]*(?:<locals>\.[\w.]+)*)(?:: (.*))?")
_HEADERS = (
    "Traceback (most recent call last):",
    "Exception Group Traceback (most recent call last):",
)
_CHAINED = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_GUTTER = re.compile(r"((?:  )+)[|+] ?(.*)")
_RULE = re.compile(r"-?\+?-{8,}(?: (?:[0-9]+|\.\.\.) -{8,})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A call in a traceback: ``code`` is its line of source, ``repeated`` how many more times it
    called itself.
    """

    path: str
    line: int
    function: str
    code: str
    origin: Origin
    repeated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedError:
    """One error of a text. ``kind`` is its class as the traceback names it, None where the text is
    no traceback. ``frames`` are in order of the calls, the latest first.
    """

    kind: str | None
    message: str
    frames: tuple[Frame, ...]

    @property
    def line(self) -> str:
        """Its class and the first line of its message."""
        first = self.message.partition("\n")[0]
        line = first if self.kind is None else f"{self.kind}: {first}" if first else self.kind
        return _cut(line, LONGEST_LINE)

    @property
    def own(self) -> tuple[Frame, ...]:
        """The frames of the application, the latest call first."""
        return tuple(frame for frame in self.frames if frame.origin is Origin.OWN)

    @property
    def others(self) -> tuple[Frame, ...]:
        """The frames of libraries, RQ and the clock, the latest call first."""
        return tuple(frame for frame in self.frames if frame.origin is not Origin.OWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorText:
    """The errors of a text: the one that ended the job, those inside it where it is a group, then
    those that led to it, the latest first. There is always one.
    """

    errors: tuple[RaisedError, ...]

    @property
    def last(self) -> RaisedError:
        """The error that ended the job."""
        return self.errors[0]

    @property
    def line(self) -> str:
        """The error in one line."""
        return self.last.line


def read_error(text: str) -> ErrorText:
    """The errors of ``text``, without control characters."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]}\n{text[-LONGEST // 2 :]}"
    lines = plain_text(text).split("\n")
    has_group = any(line.strip(" +|") == _HEADERS[1] for line in lines)
    blocks = _blocks(_without_gutter(line) if has_group else (line, 0) for line in lines)
    errors = [(block.error(), block.is_member) for block in blocks if block.is_filled]
    return ErrorText(errors=tuple(_ordered(errors)[:MOST_ERRORS]))


def _without_gutter(line: str) -> tuple[str, int]:
    """A line without the bar of a group on its left, and how deep in groups it is."""
    match = _GUTTER.fullmatch(line)
    return (line, 0) if match is None else (match[2], len(match[1]) // 2)


def _ordered(errors: Sequence[tuple[RaisedError, bool]]) -> list[RaisedError]:
    """The latest first, each with those inside it behind it."""
    groups: list[list[RaisedError]] = []
    for error, is_member in errors:
        if is_member and groups:
            groups[-1].append(error)
        else:
            groups.append([error])
    ordered = [error for group in reversed(groups) for error in group]
    return ordered or [RaisedError(kind=None, message="", frames=())]


@dataclass(slots=True)
class _Block:
    """The lines of one error, while they are read."""

    is_member: bool = False
    """Whether it is inside a group."""
    has_frames: bool = False
    frames: deque[Frame] = field(default_factory=lambda: deque(maxlen=MOST_FRAMES))
    message: list[str] = field(default_factory=list)
    is_in_message: bool = False

    @property
    def is_filled(self) -> bool:
        return bool(self.frames or self.message)

    def read(self, line: str) -> None:
        if self.is_in_message:
            self.message.append(line)
        elif line in _HEADERS or self._is_frame(line):
            # What stood before belongs to no error.
            self.message.clear()
            self.has_frames = True
        elif not self.has_frames:
            if line or self.message:
                self.message.append(line)
        elif line.startswith("  "):
            self._read_below_frame(line)
        elif line:
            self.is_in_message = True
            self.message.append(line)

    def _is_frame(self, line: str) -> bool:
        match = _FRAME.fullmatch(line)
        if match is None:
            return False
        path, number, function = match.groups()
        self.frames.append(
            Frame(
                path=_cut(path, LONGEST_LINE),
                line=int(number),
                function=_cut(function or "", LONGEST_LINE),
                code="",
                origin=origin_of(path),
            )
        )
        return True

    def _read_below_frame(self, line: str) -> None:
        if not self.frames:
            return
        repeated = _REPEATED.fullmatch(line)
        if repeated is not None:
            self.frames[-1] = replace(self.frames[-1], repeated=int(repeated[1]))
        elif not self.frames[-1].code and not _MARKS.fullmatch(line):
            self.frames[-1] = replace(self.frames[-1], code=_cut(line.strip(), LONGEST_LINE))

    def error(self) -> RaisedError:
        kind, message = _class_and_message(self.message, is_traceback=self.has_frames)
        return RaisedError(kind=kind, message=message, frames=tuple(reversed(self.frames)))


def _blocks(lines: Iterable[tuple[str, int]]) -> Sequence[_Block]:
    blocks = [_Block()]
    for line, depth in lines:
        if line in _CHAINED or (depth and _RULE.fullmatch(line)):
            blocks.append(_Block())
            continue
        if not blocks[-1].is_filled:
            blocks[-1].is_member = depth > 1
        blocks[-1].read(line)
    return blocks


def _class_and_message(lines: Sequence[str], *, is_traceback: bool) -> tuple[str | None, str]:
    if not is_traceback:
        # Without frames, the last line that names an error is it, or else the last line.
        named = (at for at in reversed(range(len(lines))) if _names_error(lines[at]))
        written = [at for at, line in enumerate(lines) if line.strip()]
        lines = lines[next(named, written[-1] if written else 0) :]
    text = "\n".join(lines).strip()
    first, _, rest = text.partition("\n")
    match = _CLASS.fullmatch(first) if is_traceback or _names_error(first) else None
    if match is None:
        return None, _cut(text, LONGEST_MESSAGE)
    message = f"{match[2] or ''}\n{rest}".strip()
    return _cut(match[1], LONGEST_LINE), _cut(message, LONGEST_MESSAGE)


def _names_error(line: str) -> bool:
    match = _CLASS.fullmatch(line.strip())
    if match is None or not match[1].rpartition(".")[2][:1].isupper():
        return False
    return match[2] is not None or match[1].endswith(("Error", "Exception", "Exit", "Interrupt"))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
