"""An option of an event or a job, with everything that is derived from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any

from clock.errors import RecurrenceError
from clock.recurrence.duration import LONGEST
from clock.suggest import nearest

Schema = Mapping[str, Any]


class Use(StrEnum):
    """Where an option may be given."""

    DEFAULTS = "defaults"
    """In ``defaults(...)``, and so in ``every(...)`` too."""
    EVERY = "every"
    ROW = "row"
    """In a row of a source."""
    ENQUEUE = "enqueue"
    API = "api"


class Part(StrEnum):
    """What an option belongs to."""

    JOB = "job"
    POLICY = "policy"
    EVENT = "event"
    CALL = "call"
    """The call of ``enqueue`` itself."""


@dataclass(frozen=True, slots=True)
class Option:
    """``check`` returns a value as it is kept, or raises ValueError. ``help`` says what the option
    does, with its unit. ``schema`` is the JSON Schema of what the API takes for it.
    """

    name: str
    check: Callable[[Any], Any]
    help: str
    schema: Schema | None = None
    _: KW_ONLY
    uses: frozenset[Use]
    part: Part = Part.JOB


def options_for(use: Use, options: Iterable[Option]) -> dict[str, Option]:
    """Those of ``options`` that may be given there, by name."""
    return {option.name: option for option in options if use in option.uses}


def unknown_option(name: str, options: Iterable[str], note: str = "") -> str:
    """The sentence for a name that is none of ``options``, with the one it is most like."""
    suggestion = nearest(name, options)
    if suggestion:
        return f"unknown option {name!r}; {note}did you mean {suggestion!r}?"
    return f"unknown option {name!r}; {note}the options are {', '.join(sorted(options))}"


def check_options(
    values: Mapping[str, Any],
    options: Mapping[str, Option],
    unknown: Callable[[str, Iterable[str]], str] = unknown_option,
) -> dict[str, Any]:
    """``values`` with every value checked; raises ValueError, naming the first wrong option.

    ``unknown`` returns the sentence for a name that is not among ``options``.
    """
    checked = {}
    for name, value in values.items():
        if name not in options:
            raise ValueError(unknown(name, options))
        try:
            checked[name] = options[name].check(value)
        except RecurrenceError as error:
            raise ValueError(str(error)) from None
        except ValueError as error:
            raise ValueError(f"{name}=: {error}") from None
    return checked


def string_schema(longest: int, **more: Any) -> Schema:
    """A string of 1 to ``longest`` characters."""
    return {"type": "string", "minLength": 1, "maxLength": longest, **more}


def integer_schema(least: int, most: int) -> Schema:
    """A whole number."""
    return {"type": "integer", "minimum": least, "maximum": most}


def object_schema(*required: str, **properties: Schema) -> Schema:
    """An object with the given properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def duration_schema(least: int, *words: int | str) -> Schema:
    """Seconds from ``least``, a string such as ``"5m"``, or one of ``words``."""
    special: list[Schema] = [{"enum": list(words)}] if words else []
    return {"oneOf": [integer_schema(least, LONGEST), string_schema(50), *special]}


def intervals_schema(most: int) -> Schema:
    """A duration of 0 or more, or a list of up to ``most`` of them."""
    alternatives = duration_schema(0)["oneOf"]
    listed = {"type": "array", "items": duration_schema(0), "minItems": 1, "maxItems": most}
    return {"oneOf": [*alternatives, listed]}
