"""The API against its own description: every response fits it, whatever is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from redis import Redis
from rq import Queue
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from clock.web.api import OPERATIONS
from clock.web.api.description import describe
from tests.loop.heartbeat import Watched
from tests.web.conftest import TOKEN, StartWeb

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]

WORDS = frozenset({
    "type", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern", "items", "minItems",
    "maxItems", "properties", "required", "additionalProperties", "oneOf", "description", "default",
    "examples", "format", "not",
})  # fmt: skip
"""The keywords of JSON Schema that ``check`` knows, and the last five, which it need not know."""

EXAMPLES = 20
"""Requests to each operation that fit its description, and as many that do not."""

WHO = {"Authorization": f"Bearer {TOKEN}"}

LABELS = sorted(f"{operation.method} {operation.path}" for operation in OPERATIONS)

# What schemathesis asks an application in this process with warns of its own successor.
pytestmark = pytest.mark.filterwarnings("ignore:.*testclient.*")


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize("label", LABELS)
def test_every_response_fits_the_description(
    redis: Redis, start_web: StartWeb, clock: Watched, label: str, mode: GenerationMode
) -> None:
    Queue(connection=redis).enqueue("tests.jobs.working.say", job_id="known")
    app: Any = start_web().app
    app.state.clock.feed.close()  # the stream ends at once
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers=WHO)
    operations = map(_described, schema.get_all_operations())
    operation = next(
        operation for operation in operations if operation.label.removeprefix("/api/v1") == label
    )
    if mode is GenerationMode.NEGATIVE and not _takes_anything(operation):
        return

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(headers=WHO, checks=CHECKS)

    ask()


def _described(result: Any) -> Any:
    return result.ok()


def _takes_anything(operation: Any) -> bool:
    # Any text is a valid If-None-Match.
    headers = [header for header in operation.headers if header.name != "If-None-Match"]
    return bool(list(operation.query) or headers or list(operation.body))


def test_the_description_uses_only_supported_keywords() -> None:
    for operation in OPERATIONS:
        for schema in [
            *operation.parameters.values(),
            *([operation.body] if operation.body else []),
        ]:
            assert set(_words(schema)) <= WORDS


def test_the_description_is_served_and_names_every_operation(start_web: StartWeb) -> None:
    description = start_web().get("/api/v1/openapi.json").json()
    assert description == describe(OPERATIONS)
    names = [
        operation["operationId"]
        for path in description["paths"].values()
        for operation in path.values()
    ]
    assert len(names) == len(set(names)) == len(OPERATIONS)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in names)


def test_every_body_has_a_name_in_the_description() -> None:
    description = describe(OPERATIONS)
    schemas = [
        content["schema"]
        for path in description["paths"].values()
        for operation in path.values()
        for part in (operation.get("requestBody", {}), *operation["responses"].values())
        for content in part.get("content", {}).values()
    ]
    references = {schema["$ref"].removeprefix("#/components/schemas/") for schema in schemas}
    assert references <= set(description["components"]["schemas"])
    assert {"Event", "JobDetails", "Problem", "Status"} <= references


def _words(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from schema
    for name, value in schema.items():
        nested = list(value.values()) if name == "properties" else value
        for inner in nested if isinstance(nested, list) else [nested]:
            if isinstance(inner, dict) and name != "default":
                yield from _words(inner)


def test_only_the_paths_of_0_1_0_are_described_as_deprecated() -> None:
    paths = describe(OPERATIONS)["paths"].items()
    marks = {
        (path, "deprecated" in operation)
        for path, operations in paths
        for operation in operations.values()
    }
    assert marks == {
        (operation.path, operation.path.startswith("/schedules")) for operation in OPERATIONS
    }


def test_the_page_of_the_docs_names_every_operation_that_is_not_deprecated() -> None:
    page = (Path(__file__).parents[2] / "docs/api.md").read_text(encoding="utf-8")
    labels = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^` ]*)`", page))
    assert labels == {
        f"{operation.method} {operation.path}"
        for operation in OPERATIONS
        if not operation.is_deprecated
    }
