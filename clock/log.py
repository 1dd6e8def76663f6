"""Log lines: one line an event, readable on a terminal, logfmt in a log stream, JSON on request.

A record of the logger ``clock`` is a short message and, in ``record.fields``, what belongs to it.
Instants among the fields are aware datetimes: UTC with a Z for machines, the local time for people.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

Style = Literal["terminal", "logfmt", "json"]
STYLES: tuple[Style, ...] = ("terminal", "logfmt", "json")

_COLOURS = {logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "31;1"}
_QUOTED = set(' "=\t\n\\')


def log_to(stream: TextIO, style: Style, *, colour: bool = False) -> logging.Handler:
    """Send the records of the logger ``clock`` to ``stream``; returns the handler, to be removed
    again.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter({"terminal": Terminal(colour), "logfmt": Logfmt(), "json": Json()}[style])
    logger = logging.getLogger("clock")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return handler


class Logfmt(logging.Formatter):
    """``ts=... level=info msg=enqueued event=... lateness=0.003``"""

    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{key}={_quoted(_text(value))}" for key, value in _flat(record).items())


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                key: value if isinstance(value, int | float) else _text(value)
                for key, value in _flat(record).items()
            },
            ensure_ascii=False,
        )


class Terminal(logging.Formatter):
    """``14:05:10 enqueued   tasks.health.ping scheduled_at=14:05:10+09:00 ...``"""

    def __init__(self, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        fields = dict(_fields(record))
        at = datetime.fromtimestamp(record.created).astimezone()
        name = f" {fields.pop('event')}" if "event" in fields else ""
        details = "".join(f" {key}={_quoted(_readable(value))}" for key, value in fields.items())
        message = f"{record.getMessage():<11}"
        if self._colour:
            message = f"\x1b[{_COLOURS.get(record.levelno, '32')}m{message}\x1b[0m"
            details = f"\x1b[2m{details}\x1b[0m" if details else ""
        return f"{at:%H:%M:%S} {message}{name}{details}".rstrip()


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    fields = dict(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[1] is not None:
        fields["error"] = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
    return {key: value for key, value in fields.items() if value is not None}


def _flat(record: logging.LogRecord) -> dict[str, Any]:
    return {
        "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "msg": record.getMessage(),
        **_fields(record),
    }


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def _readable(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _quoted(text: str) -> str:
    return (
        json.dumps(text, ensure_ascii=False)
        if not text or _QUOTED & set(text) or not text.isprintable()
        else text
    )
