"""The line of a row in the ledger: its event, complete, for clocks that do not ask its source.

A line is ``<since> <JSON>``, a description (see ``clock.ledger.descriptions``) with more fields:
``source``, the options of its jobs, and their arguments. Where the arguments are plain JSON they
are kept as such, else as the serializer of the workers writes them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from rq.serializers import resolve_serializer

from clock.ledger.descriptions import describe_event, parse_description
from clock.ledger.unreadable import READ_ERRORS
from clock.schedule.event import Callback, Event, JobOptions, Policy, RetryPolicy

_DEFAULT = JobOptions()
_PLAIN_OPTIONS = ("result_ttl", "failure_ttl", "at_front", "description", "max_running")
_CALLBACKS = ("on_success", "on_failure")
_LARGEST = 2**53
"""The largest integer that every JSON reader keeps exactly."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class RowLines:
    """Writes and reads the lines of rows whose jobs are written with ``serializer``."""

    def __init__(self, serializer: str) -> None:
        serializer_class = resolve_serializer(serializer)
        self._dumps: Callable[[Any], bytes] = serializer_class.dumps
        self._loads: Callable[[bytes], Any] = serializer_class.loads

    def body(self, event: Event, file: str) -> str:
        """The JSON of an event of a source that the schedule ``file`` declares."""
        more: dict[str, Any] = {"source": event.source}
        if event.is_once:
            more["once"] = True
        if event.job != _DEFAULT or event.job.meta:
            more |= {"job": encode_job(event.job)}
        call = [list(event.args), dict(event.kwargs), dict(event.job.meta)]
        if any(call):
            if is_plain(call):
                more["call"] = call
            else:
                more["packed"] = base64.b64encode(self._dumps(call)).decode()
        return describe_event(event, file, more)

    def event(self, name: str, line: str) -> Event:
        """The event of a line. Raises ``READ_ERRORS``, and what the serializer does."""
        description = parse_description(name, line)
        if description.recurrence is None:
            raise ValueError("its recurrence was written by another release")
        fields = json.loads(line.partition(" ")[2])
        call = fields.get("call", [[], {}, {}])
        if "packed" in fields:
            call = self._loads(base64.b64decode(fields["packed"]))
        args, kwargs, meta = call
        job = decode_job(fields.get("job", {}))
        options = {
            "queue": description.queue,
            "expires": description.expires,
            "timeout": description.timeout,
            **job,
        }
        return Event(
            name=name,
            task=description.task,
            rule=description.rule,
            recurrence=description.recurrence,
            zone=description.zone,
            args=tuple(args),
            kwargs=dict(kwargs),
            job=JobOptions(**options, meta=dict(meta)) if meta else _shared_job(**options),
            policy=_shared_policy(
                catch_up=description.catch_up,
                within=description.within,
                overlap=description.overlap,
                stuck_after=description.stuck_after,
            ),
            enabled=description.enabled,
            jitter=description.jitter,
            path=description.path,
            line=description.line,
            source=description.source,
            is_once=fields.get("once") is True,
        )


def digest_of(body: str | bytes) -> bytes:
    """A digest by which two bodies are compared."""
    data = body.encode() if isinstance(body, str) else body
    return hashlib.blake2b(data, digest_size=12).digest()


def source_of(line: bytes) -> str | None:
    """The source of a row, by its line; None where it cannot be read."""
    try:
        source = json.loads(line.partition(b" ")[2]).get("source")
    except READ_ERRORS:
        return None
    return source if isinstance(source, str) else None


def encode_job(job: JobOptions) -> dict[str, Any]:
    """The options of a job that a description does not have, where they are not the defaults."""
    names = (*_PLAIN_OPTIONS, "retry", *_CALLBACKS)
    values = {name: getattr(job, name) for name in names}
    # A named tuple is an array.
    return {name: value for name, value in values.items() if value != getattr(_DEFAULT, name)}


def decode_job(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The options that ``encode_job`` wrote. Raises ``READ_ERRORS``."""
    options = {name: fields[name] for name in _PLAIN_OPTIONS if name in fields}
    if "retry" in fields:
        most, intervals, at_front = fields["retry"]
        options["retry"] = RetryPolicy(most, tuple(intervals), at_front)
    for name in _CALLBACKS:
        if name in fields:
            options[name] = Callback(*fields[name])
    return options


def is_plain(value: Any) -> bool:
    """Whether JSON gives exactly this value back."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(abs(value) <= _LARGEST)
    if kind is float:
        return bool(abs(value) < float("inf"))
    if kind is list:
        return all(map(is_plain, value))
    if kind is dict:
        return all(type(key) is str for key in value) and all(map(is_plain, value.values()))
    return False


@lru_cache(maxsize=4096)
def _shared_job(**options: Any) -> JobOptions:
    return JobOptions(**options)


@lru_cache(maxsize=4096)
def _shared_policy(**options: Any) -> Policy:
    return Policy(**options)
