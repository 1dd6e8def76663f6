"""What tasks print and log: known by the job that it belongs to, on its way to the worker's log.

The standard streams of a child make a log line of each line that a task prints, with its job and
event. Log records go where the application's handlers send them; there they have the attributes
``clock_job`` and ``clock_event``. The last of both is kept.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import RLock
from typing import Any, TextIO

from rq.timeouts import BaseTimeoutException

from clock.jobs.occurrence import occurrence_of
from clock.log import formatter
from clock.worker.interruption import Stopping
from clock.worker.output_ring import Printed
from clock.worker.printed_lines import PrintedLines
from clock.worker.taken import TakenJob

_OWN = {"clock", "rq"}
"""Loggers whose lines are the worker's, not the task's."""


class OutputCapture:
    """The capture of a child's output, from now on. To be made once in its process."""

    def __init__(self, current: Callable[[], TakenJob | None]) -> None:
        """``current`` is the job that the calling code belongs to."""
        self._current = current
        self._owner = os.getpid()
        # A signal handler may print while its thread does.
        self._lock = RLock()
        self._formatter = formatter()
        self._streams = [
            None if stream is None else _Stream(self, stream, number)
            for number, stream in ((1, sys.stdout), (2, sys.stderr))
        ]
        sys.stdout, sys.stderr = (stream and _text_stream(stream) for stream in self._streams)
        for handler in _handlers():
            handler.addFilter(_RecordFilter(self, handler))

    def write(self, stream: _Stream, data: bytes) -> None:
        """Log what is written to a stream, or pass it on where no task wrote it."""
        printed = self._printed()
        if printed is None:
            stream.pass_on(data.decode(errors="replace"))
            return
        with self._lock:
            self._log(stream, printed, printed.write(stream.number, data))

    def keep(self, record: logging.LogRecord, handler: logging.Handler) -> None:
        """Say in a log record which job it belongs to, and keep the text that ``handler`` makes
        of it; that of one handler, where there are several.
        """
        printed = None if record.name.partition(".")[0] in _OWN else self._printed()
        if printed is None or hasattr(record, "clock_job"):
            return
        record.clock_job, record.clock_event = printed.job, printed.event
        try:
            text = handler.format(record)
        except (BaseTimeoutException, Stopping):
            raise
        except Exception:  # whatever its arguments raise; the handler reports it
            return
        with self._lock:
            printed.keep(text)

    def finish(self, printed: PrintedLines) -> Printed | None:
        """What is kept of the output of a run that is over; None for nothing."""
        with self._lock:
            for stream in self._streams:
                if stream is not None:
                    self._log(stream, printed, printed.end(stream.number))
            return printed.finish()

    def _printed(self) -> PrintedLines | None:
        # A process that a task has forked could wait for ever for the lock.
        taken = self._current() if os.getpid() == self._owner else None
        if taken is None or taken.slot is None:
            return None
        with self._lock:
            if taken.printed is None:
                occurrence = occurrence_of(taken.job)
                taken.printed = PrintedLines(
                    job=taken.owned.job,
                    event=None if occurrence is None else occurrence.event,
                    execution=taken.owned.execution,
                    ring=taken.slot.output,
                )
            return taken.printed

    def _log(self, stream: _Stream, printed: PrintedLines, lines: Iterator[str]) -> None:
        # Not by the logger: its handlers swallow the exception that interrupts a task, and the
        # application may have set its level, or disabled it.
        for line in filter(None, lines):
            fields = {"event": printed.event, "line": line, "job": printed.job}
            record = {"msg": "output", "levelno": logging.INFO, "levelname": "INFO"}
            text = self._formatter.format(logging.makeLogRecord({**record, "fields": fields}))
            stream.pass_on(f"{text}\n")


class _Stream(io.RawIOBase):
    """The bytes of one of the standard streams, before they reach the original."""

    def __init__(self, capture: OutputCapture, original: TextIO, number: int) -> None:
        super().__init__()
        self._capture = capture
        self._original = original
        self.number = number
        self.name = getattr(original, "name", f"<{number}>")

    def write(self, data: Any) -> int:
        raw = bytes(data)
        self._capture.write(self, raw)
        return len(raw)

    def pass_on(self, text: str) -> None:
        """Write to the original; nothing happens where that leads nowhere any more."""
        with suppress(OSError, ValueError):
            try:
                self._original.write(text)
            except UnicodeEncodeError:
                encoding = self._original.encoding
                self._original.write(text.encode(encoding, "backslashreplace").decode(encoding))
            self._original.flush()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._original.fileno()


def _text_stream(stream: _Stream) -> TextIO:
    # Nothing waits in it: several runs may write by turns.
    return io.TextIOWrapper(
        stream,
        encoding="utf-8",
        errors="backslashreplace",
        write_through=True,
    )


class _RecordFilter(logging.Filter):
    """Lets every record pass, and the capture see it."""

    def __init__(self, capture: OutputCapture, handler: logging.Handler) -> None:
        super().__init__()
        self._capture = capture
        self._handler = handler

    def filter(self, record: logging.LogRecord) -> bool:
        self._capture.keep(record, self._handler)
        return True


def _handlers() -> set[logging.Handler]:
    """The handlers that the application has set up so far. Later ones, of a task, write to the
    standard streams.
    """
    named = logging.root.manager.loggerDict.items()
    loggers = [logger for name, logger in named if name.partition(".")[0] not in _OWN]
    return {
        handler
        for logger in [logging.root, *loggers]
        if isinstance(logger, logging.Logger)
        for handler in logger.handlers
    }
