"""The words of a row as fields of a form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clock.schedule.options import ROW_OPTIONS
from clock.web.json_text import parse_json

JSON_WORDS = ("args", "kwargs", "meta")
"""Words whose fields hold JSON, and nothing else; they are data of the application."""

UNITS = (
    *("second", "minute", "hour", "day", "week", "month", "quarter", "year", "weekday"),
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
)
"""What a recurrence that is put together counts."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "enabled": ("true", "false"),
    "at_front": ("true", "false"),
    "overlap": ("allow", "skip", "replace"),
    "gap": ("after", "shift", "skip"),
    "fold": ("first", "second", "both"),
}

MAIN = ("name", "task", "tz", "queue", "args", "kwargs", "at", "on", "between", "days", "enabled")
"""Words with a place of their own in the form; the others are behind *More options*."""

MORE = tuple(word for word in ROW_OPTIONS if word not in MAIN and word != "except_")
"""Dates to leave out are Python's own, which neither a form nor JSON has."""

_LISTS = frozenset({"at", "on", "days"})
_TEXTS = frozenset(
    {"name", "tz", "queue", "description", "on_success", "on_failure", "start", "until", "anchor"}
)
_WHEN = ("at", "on", "anchor", "start", "until", "spread")
"""Words that a single occurrence does not have."""

_COUNTED = re.compile(r"(?:([1-9][0-9]{0,5}) )?([a-z]+?)(s?)")

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A row that was read from a form. ``mistakes`` are sentences by word, of values that could
    not be read; the row is without these.
    """

    row: Mapping[str, Any]
    mistakes: Mapping[str, str]


def fields_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a form from which ``read_fields`` reads an equal row."""
    fields = {word: _text(word, value) for word, value in row.items() if value is not None}
    every = fields.get("every", "")
    counted = _COUNTED.fullmatch(every)
    if "once" in fields:
        fields["how"] = "once"
    elif every and (counted is None or counted[2] not in UNITS):
        fields["how"] = "text"
    else:
        fields["how"] = "hand"
        if counted is not None:
            fields |= {"count": counted[1] or "1", "unit": counted[2]}
    return fields


def read_fields(fields: Fields, kept: Mapping[str, Any]) -> Written:
    """The row that the fields of a form say. ``kept`` are values that the form did not show; one
    stays where its field is empty.
    """
    row: dict[str, Any] = {}
    mistakes: dict[str, str] = {}
    how = fields.get("how", "hand")
    for word in ("every", "once", "task", *ROW_OPTIONS):
        text = fields.get(word, "").strip()
        if word == "every":
            text = {"text": text, "hand": _put_together(fields)}.get(how, "")
        if (word == "once" and how != "once") or (how == "once" and word in _WHEN):
            continue
        if not text:
            if word in kept:
                row[word] = kept[word]
            continue
        try:
            row[word] = _value(word, text)
        except ValueError as error:
            mistakes[word] = f"{word}=: this is not JSON: {error}"
    return Written(row=row, mistakes=mistakes)


def _put_together(fields: Fields) -> str:
    count, unit = fields.get("count", "").strip() or "1", fields.get("unit", "day")
    return unit if count == "1" else f"{count} {unit}s"


def _value(word: str, text: str) -> Any:
    if word in JSON_WORDS:
        return parse_json(text)
    if word in _LISTS and text[0] not in "[{" and "," in text:
        return [_plain(part.strip()) for part in text.split(",") if part.strip()]
    return text if word in _TEXTS or word in {"task", "once"} else _plain(text)


def _plain(text: str) -> Any:
    """Text, or what it says where it is a number, a list or the like as JSON has them."""
    try:
        return parse_json(text)
    except ValueError:
        return text


def _text(word: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if word in _LISTS and isinstance(value, list):
        parts = [_text(word, item) for item in value]
        if len(parts) > 1 and not any(set(part) & set(',[{"') for part in parts):
            return ", ".join(parts)
    indent = 2 if word in JSON_WORDS and value else None
    return json.dumps(value, ensure_ascii=False, indent=indent)
