"""Checking values against the schemas that the description of the API shows.

A schema is a dictionary as in JSON Schema, of which only some keywords are supported: what is
described is what is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from clock.schedule.option import Schema

_WRONG_TYPE = "must be of the type"

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def limit(most: int, default: int) -> Schema:
    """The schema of a number of items to return, from 1 to ``most``."""
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


def check(value: Any, schema: Schema, name: str) -> None:
    """Raise ValueError, whose message begins with ``name``, unless ``value`` fits ``schema``."""
    if "oneOf" in schema:
        _check_one_of(value, schema["oneOf"], name)
        return
    kinds = schema.get("type")
    named = [kinds] if isinstance(kinds, str) else list(kinds or ())
    if named and not any(_TYPES[kind](value) for kind in named):
        raise ValueError(f"{name} {_WRONG_TYPE} {' or '.join(named)}")
    if "enum" in schema and value not in schema["enum"]:
        words = ", ".join(map(str, schema["enum"]))
        raise ValueError(f"{name} must be one of {words}")
    if isinstance(value, str):
        _check_text(value, schema, name)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_number(value, schema, name)
    elif isinstance(value, list):
        _check_list(value, schema, name)
    elif isinstance(value, dict):
        _check_object(value, schema, name)


def _check_one_of(value: Any, schemas: list[Schema], name: str) -> None:
    errors = []
    for schema in schemas:
        try:
            check(value, schema, name)
        except ValueError as error:
            errors.append(str(error))
        else:
            return
    # The schema whose type fits is the one that was meant.
    fitting = [error for error in errors if _WRONG_TYPE not in error]
    raise ValueError((fitting or errors)[0])


def _check_text(value: str, schema: Schema, name: str) -> None:
    if len(value) < schema.get("minLength", 0):
        raise ValueError(f"{name} is empty or too short")
    if len(value) > schema.get("maxLength", len(value)):
        raise ValueError(f"{name} must not be longer than {schema['maxLength']} characters")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        raise ValueError(f"{name} must match {schema['pattern']}")


def _check_number(value: float, schema: Schema, name: str) -> None:
    if value < schema.get("minimum", value):
        raise ValueError(f"{name} must not be less than {schema['minimum']}")
    if value > schema.get("maximum", value):
        raise ValueError(f"{name} must not be more than {schema['maximum']}")


def _check_list(value: list[Any], schema: Schema, name: str) -> None:
    if len(value) < schema.get("minItems", 0):
        raise ValueError(f"{name} must have at least {schema['minItems']} items")
    if len(value) > schema.get("maxItems", len(value)):
        raise ValueError(f"{name} must have at most {schema['maxItems']} items")
    for number, item in enumerate(value):
        check(item, schema.get("items", {}), f"{name}[{number}]")


def _check_object(value: dict[str, Any], schema: Schema, name: str) -> None:
    properties = schema.get("properties", {})
    for field in schema.get("required", ()):
        if field not in value:
            raise ValueError(f"{name} needs a field {field!r}")
    for field, item in value.items():
        if field in properties:
            check(item, properties[field], field)
        elif schema.get("additionalProperties") is False:
            known = ", ".join(properties)
            raise ValueError(f"{name} has an unknown field {field[:50]!r}; known: {known}")
