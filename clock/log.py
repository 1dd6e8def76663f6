"""Log lines: one line an event, readable on a terminal, logfmt in a log stream, JSON on request.

A record of the logger ``clock`` is a short message and, in ``record.fields``, what belongs to it.
Where many events share their fields, one record has a line for each: ``record.each`` has the fields
of its own. Instants among the fields are aware datetimes: UTC with a Z for
machines, the local time for people.
"""

from __future__ import annotations

import json
import logging
import os
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TextIO

from clock.output import Output

Style = Literal["terminal", "logfmt", "json"]
STYLES: tuple[Style, ...] = ("terminal", "logfmt", "json")

_COLOURS = {logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "31;1"}
_PLAIN = re.compile(r'[^ "=\\]+')
_SHORT = "clock_message"
"""Where a record has its message without the fields, if they were put into it."""


def log(level: int, message: str, /, **fields: object) -> None:
    """Log ``message`` with its ``fields``."""
    logging.getLogger("clock").log(level, message, extra={"fields": fields})


info = partial(log, logging.INFO)
warning = partial(log, logging.WARNING)
error = partial(log, logging.ERROR)


def critical(message: str) -> None:
    """Log ``message`` with the error that is being handled."""
    logging.getLogger("clock").critical(message, exc_info=True)


def log_to(stream: TextIO, style: Style | None, *, colour: bool | None = None) -> logging.Handler:
    """Send the records of the logger ``clock`` to ``stream``; returns the handler.

    Without a style it is that of a terminal on one, else logfmt. ``NO_COLOR`` is obeyed there.
    """
    is_terminal = stream.isatty()
    style = style or ("terminal" if is_terminal else "logfmt")
    colour = is_terminal and not os.environ.get("NO_COLOR") if colour is None else colour
    handler = _Handler(stream)
    handler.setFormatter({"terminal": Terminal(colour), "logfmt": Logfmt(), "json": Json()}[style])
    logger = logging.getLogger("clock")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return handler


def formatter() -> logging.Formatter:
    """What makes the lines of the logger ``clock``; that of logfmt where the application's own
    handlers do.
    """
    made = (handler.formatter for handler in logging.getLogger("clock").handlers)
    return next((one for one in made if isinstance(one, Lines)), None) or Logfmt()


def log_always_to(stream: TextIO, style: Style | None) -> None:
    """As ``log_to``, until the process ends: a logging configuration that the schedule file, or
    what it imports, applies then or later does not silence the clock.
    """
    handler = log_to(stream, style)
    logger = logging.getLogger("clock")
    logger.__class__ = _Lasting
    vars(logger)["lasting"] = handler


@contextmanager
def fields_shown() -> Iterator[None]:
    """While the block runs, the fields of the logger's records are in their messages too, for the
    handlers of an application, whose formatters know of no fields.
    """
    logger, filled = logging.getLogger("clock"), _Filled()
    logger.addFilter(filled)
    try:
        yield
    finally:
        logger.removeFilter(filled)


class _Filled(logging.Filter):
    """Fills the messages; several of them do it once."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _SHORT not in vars(record):
            short = record.getMessage()
            record.msg, record.args = Message().format(record), None
            vars(record)[_SHORT] = short
        return True


class _Lasting(logging.Logger):
    """A logger that cannot be disabled and keeps its own handler.

    ``logging.config`` by default disables every logger that it does not configure, and removes the
    handlers of those that it does.
    """

    @property
    def disabled(self) -> bool:
        return False

    @disabled.setter
    def disabled(self, value: bool) -> None:
        pass

    def removeHandler(self, hdlr: logging.Handler) -> None:
        if hdlr is not vars(self)["lasting"]:
            super().removeHandler(hdlr)


class _Handler(logging.StreamHandler[TextIO]):
    """Logs how many lines are missing, where its stream dropped some."""

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(self.stream, Output) and (lines := self.stream.take_dropped()):
            super().emit(_dropped(lines))
        super().emit(record)


def _dropped(lines: int) -> logging.LogRecord:
    fields = {"lines": lines, "reason": "the reader of the log did not read"}
    level = logging.WARNING
    record = {"msg": "lines dropped", "levelno": level, "levelname": logging.getLevelName(level)}
    return logging.makeLogRecord({**record, "fields": fields})


class Lines(logging.Formatter):
    """What the styles have in common: a text for each field, those that are shared made once."""

    def format(self, record: logging.LogRecord) -> str:
        begin = self._begin(record)
        shared = self._texts(_fields(record))
        events: Sequence[Mapping[str, Any]] = getattr(record, "each", None) or ({},)
        return "\n".join(self._line(begin, {**shared, **self._texts(own)}) for own in events)

    def _texts(self, fields: Mapping[str, Any]) -> dict[str, str]:
        # What is None makes no text, but keeps its place for what an event has to itself.
        return {
            key: "" if value is None else self._field(key, value) for key, value in fields.items()
        }

    @abstractmethod
    def _begin(self, record: logging.LogRecord) -> str:
        """What every line of the record begins with."""

    @abstractmethod
    def _field(self, key: str, value: object) -> str:
        """The text of one field."""

    @abstractmethod
    def _line(self, begin: str, texts: dict[str, str]) -> str:
        """One line of the texts of its fields."""


class Logfmt(Lines):
    """``ts=... level=info msg=enqueued event=... lateness=0.003``"""

    def _begin(self, record: logging.LogRecord) -> str:
        return "".join(self._field(key, value) for key, value in _head(record))[1:]

    def _field(self, key: str, value: object) -> str:
        return f" {key}={_quoted(_text(value))}"

    def _line(self, begin: str, texts: dict[str, str]) -> str:
        return begin + "".join(texts.values())


class Message(Logfmt):
    """``enqueued event=... lateness=0.003``: what a handler of the application puts into its own
    lines.
    """

    def _begin(self, record: logging.LogRecord) -> str:
        return _message(record)


class Json(Lines):
    """One JSON object a line."""

    def _begin(self, record: logging.LogRecord) -> str:
        return "".join(self._field(key, value) for key, value in _head(record))[2:]

    def _field(self, key: str, value: object) -> str:
        plain = value if isinstance(value, int | float) else _text(value)
        return f', "{key}": {json.dumps(plain, ensure_ascii=False)}'

    def _line(self, begin: str, texts: dict[str, str]) -> str:
        return "{" + begin + "".join(texts.values()) + "}"


class Terminal(Lines):
    """``14:05:10 enqueued   tasks.health.ping scheduled_at=14:05:10+09:00 ...``"""

    def __init__(self, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def _begin(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone()
        message = f"{_message(record):<11}"
        if self._colour:
            message = f"\x1b[{_COLOURS.get(record.levelno, '32')}m{message}\x1b[0m"
        return f"{at:%H:%M:%S} {message}"

    def _field(self, key: str, value: object) -> str:
        return f" {value}" if key == "event" else f" {key}={_quoted(_readable(value))}"

    def _line(self, begin: str, texts: dict[str, str]) -> str:
        name = texts.pop("event", "")
        details = "".join(texts.values())
        if self._colour and details:
            details = f"\x1b[2m{details}\x1b[0m"
        return f"{begin}{name}{details}".rstrip()


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = getattr(record, "fields", {})
    if record.exc_info and record.exc_info[1] is not None:
        reason = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
        return {**fields, "error": reason}
    return fields


def _head(record: logging.LogRecord) -> Iterable[tuple[str, str]]:
    at = datetime.fromtimestamp(record.created, UTC)
    yield "ts", at.isoformat(timespec="milliseconds")
    yield "level", record.levelname.lower()
    yield "msg", _message(record)


def _message(record: logging.LogRecord) -> str:
    short: str = vars(record).get(_SHORT) or record.getMessage()
    return short


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def _readable(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.isprintable():
        return text
    return json.dumps(text, ensure_ascii=False)
