"""One table of options, and what is derived from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest

from clock.jobs.options import OPTIONS, TABLE, EnqueueOptions
from clock.schedule.option import Option, Use, options_for
from clock.schedule.options import DEFAULTS as DEFAULT_OPTIONS
from clock.schedule.options import OPTIONS as EVERY_OPTIONS
from clock.schedule.options import Defaults, EveryOptions
from clock.web.api.enqueueing import OPERATIONS
from clock.web.api.schema import check

API = options_for(Use.API, TABLE)


def _alternatives(option: Option) -> list[dict[str, Any]]:
    schema = dict(option.schema or {})
    return [dict(one) for one in schema.get("oneOf", [schema])]


def _boundaries(option: Option) -> Iterator[tuple[Any, bool]]:
    """Values at the bounds of an option's schema, and just beyond; whether they are within."""
    alternatives = _alternatives(option)
    listed = [value for schema in alternatives for value in schema.get("enum", ())]
    yield from ((value, True) for value in listed)
    is_duration = len(alternatives) > 1
    for schema in alternatives:
        match schema.get("type"):
            case "integer":
                yield schema["minimum"], True
                yield schema["maximum"], True
                yield schema["maximum"] + 1, False
                if schema["minimum"] - 1 not in listed:
                    yield schema["minimum"] - 1, False
            case "string" if "pattern" in schema:
                yield "a_B-9", True
                yield "x" * 200, True
                yield "x" * 201, False
                yield "a b", False
            case "string" if "format" in schema:
                yield from (("2026-11-21T18:00Z", True), ("", False), (5, False))
            case "string" if is_duration:
                yield "5m", True
            case "string":
                yield "x", True
                yield "x" * schema["maxLength"], True
                yield "x" * (schema["maxLength"] + 1), False
                yield "", False
            case "boolean":
                yield from ((True, True), (False, True), (1, False))
            case "object" if "properties" in schema:
                yield from _boundaries_of_object(schema)
            case "array" if schema.get("items"):
                yield from (([_least(schema["items"])], True), ([None], False), ([], False))
            case "object":
                yield from (({"a": 1}, True), ([], False))
            case "array":
                yield from (([1], True), ({}, False))


def _boundaries_of_object(schema: dict[str, Any]) -> Iterator[tuple[Any, bool]]:
    """Objects with the values of each field, beside what is required."""
    properties = schema["properties"]
    least = {name: _least(properties[name]) for name in schema["required"]}
    yield from ((least, True), ({**least, "other": 1}, False), ({}, False))
    for name, field in properties.items():
        for value, is_within in _boundaries(_of(field)):
            yield {**least, name: value}, is_within


def _least(schema: dict[str, Any]) -> Any:
    return next(value for value, is_within in _boundaries(_of(schema)) if is_within)


def _of(schema: dict[str, Any]) -> Option:
    return Option("", str, "", schema, uses=frozenset())


CASES = [
    (name, value, is_within)
    for name, option in API.items()
    for value, is_within in _boundaries(option)
]


@pytest.mark.parametrize(
    ("name", "value", "is_within"),
    CASES,
    ids=[f"{name} {str(value)[:9]}" for name, value, _ in CASES],
)
def test_schema_and_check_agree_at_every_bound(name: str, value: Any, is_within: bool) -> None:
    option = API[name]
    verdicts = []
    for judge in (option.check, lambda value: check(value, option.schema or {}, name)):
        try:
            judge(value)
            verdicts.append(True)
        except ValueError:
            verdicts.append(False)
    assert verdicts == [is_within, is_within]


def test_every_option_of_the_api_has_a_bound_that_is_tested() -> None:
    assert {name for name, _, _ in CASES} == set(API)


def test_the_typed_options_are_those_of_the_table() -> None:
    assert set(get_type_hints(EnqueueOptions)) == set(OPTIONS)
    assert set(get_type_hints(EveryOptions)) == set(EVERY_OPTIONS)
    assert set(get_type_hints(Defaults)) == set(DEFAULT_OPTIONS)


def test_the_api_takes_the_options_of_the_table() -> None:
    (operation,) = [operation_ for operation_ in OPERATIONS if operation_.method == "POST"]
    assert operation.body is not None
    (one, _) = operation.body["oneOf"]
    assert set(one["properties"]) == {"task", *API}


def test_each_option_has_its_help_and_one_row() -> None:
    names = [option.name for option in TABLE]
    assert len(names) == len(set(names))
    assert all(option.help.endswith(".") for option in (*TABLE, *EVERY_OPTIONS.values()))
