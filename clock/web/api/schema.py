"""Checking values against the schemas that the description of the API shows.

A schema is a dictionary as in JSON Schema, of which the words below are understood and no others:
so what is described is what is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}

WORDS = frozenset({
    "type", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern", "items", "minItems",
    "maxItems", "properties", "required", "additionalProperties", "oneOf", "description", "default",
    "examples", "format", "not",
})  # fmt: skip
"""The words of JSON Schema that are understood; the last five say nothing that is checked."""


def limit(most: int, default: int) -> Schema:
    """The schema of a number of things to give, from 1 to ``most``."""
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


def check(value: Any, schema: Schema, place: str) -> None:
    """Raise ValueError, naming the ``place``, where ``value`` is not as ``schema`` says."""
    if "oneOf" in schema:
        _check_one_of(value, schema["oneOf"], place)
        return
    kinds = schema.get("type")
    named = [kinds] if isinstance(kinds, str) else list(kinds or ())
    if named and not any(_TYPES[kind](value) for kind in named):
        raise ValueError(f"{place} is not of the type {' or '.join(named)}")
    if "enum" in schema and value not in schema["enum"]:
        words = ", ".join(map(str, schema["enum"]))
        raise ValueError(f"{place} is none of {words}")
    if isinstance(value, str):
        _check_text(value, schema, place)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_number(value, schema, place)
    elif isinstance(value, list):
        _check_list(value, schema, place)
    elif isinstance(value, dict):
        _check_object(value, schema, place)


def _check_one_of(value: Any, schemas: list[Schema], place: str) -> None:
    said = []
    for each in schemas:
        try:
            check(value, each, place)
        except ValueError as error:
            said.append(str(error))
        else:
            return
    # What is meant is the one that fits in its type.
    fitting = [text for text in said if "is not of the type" not in text]
    raise ValueError((fitting or said)[0])


def _check_text(value: str, schema: Schema, place: str) -> None:
    if len(value) < schema.get("minLength", 0):
        raise ValueError(f"{place} is empty or too short")
    if len(value) > schema.get("maxLength", len(value)):
        raise ValueError(f"{place} is longer than {schema['maxLength']} characters")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        raise ValueError(f"{place} does not match {schema['pattern']}")


def _check_number(value: float, schema: Schema, place: str) -> None:
    if value < schema.get("minimum", value):
        raise ValueError(f"{place} is less than {schema['minimum']}")
    if value > schema.get("maximum", value):
        raise ValueError(f"{place} is more than {schema['maximum']}")


def _check_list(value: list[Any], schema: Schema, place: str) -> None:
    if len(value) < schema.get("minItems", 0):
        raise ValueError(f"{place} has fewer than {schema['minItems']} items")
    if len(value) > schema.get("maxItems", len(value)):
        raise ValueError(f"{place} has more than {schema['maxItems']} items")
    for number, item in enumerate(value):
        check(item, schema.get("items", {}), f"{place}[{number}]")


def _check_object(value: dict[str, Any], schema: Schema, place: str) -> None:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            raise ValueError(f"{place} has no {name!r}")
    for name, each in value.items():
        if name in properties:
            check(each, properties[name], name)
        elif schema.get("additionalProperties") is False:
            known = ", ".join(properties)
            raise ValueError(f"{place} has an unknown {name[:50]!r}; known are {known}")
