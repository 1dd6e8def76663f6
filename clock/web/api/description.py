"""The description of the API in OpenAPI 3.1, made of the operations themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from clock.web.api.operation import Operation

_PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}
_READING_ERRORS = (400, 401, 405, 421, 503)
_WRITING_ERRORS = (403, 408, 413, 415, 422)
_IN_PATH = {
    "name": {"description": "The name of the event.", "minLength": 1, "maxLength": 500},
    "id": {"description": "The id of the job.", "minLength": 1, "maxLength": 250},
}
_INTRODUCTION = (
    "What the clock does, from its ledger alone. Nothing of a job's arguments is shown unless that "
    "is enabled. GET changes nothing; what changes something must be enabled. Every error has the "
    "shape of RFC 9457."
)


def describe(operations: Iterable[Operation], place: str = "/api/v1") -> dict[str, Any]:
    """The document for ``operations``, which are at ``place`` of this host."""
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rq-clock",
            "version": version("rq-clock"),
            "description": _INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": place}],
        "security": [{"token": []}, {"password": []}, {}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": _identifier(operation),
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [*_in_path(operation), *_in_query(operation), *_in_header(operation)],
        "responses": _responses(operation),
    }
    if operation.is_deprecated:
        said["deprecated"] = True
    if operation.body is not None:
        said["requestBody"] = {
            "required": operation.body_is_required,
            "content": {"application/json": {"schema": operation.body}},
        }
    return said


def _identifier(operation: Operation) -> str:
    words = [word.strip("{}") for word in operation.path.split("/") if word]
    return "_".join([operation.method.lower(), *words])


def _in_path(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", **schema}}
        for name, schema in _IN_PATH.items()
        if f"{{{name}}}" in operation.path
    ]


def _in_query(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": name in operation.required, "schema": schema}
        for name, schema in operation.parameters.items()
    ]


def _in_header(operation: Operation) -> list[dict[str, Any]]:
    if not operation.is_idempotent_by_key:
        return []
    said = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The job has this id, or one made of it: what is asked twice is done once.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"},
    }
    return [said]


def _responses(operation: Operation) -> dict[str, Any]:
    given = {"application/json": {"schema": operation.gives}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    errors = {*_READING_ERRORS, *operation.errors}
    if operation.method != "GET":
        errors |= {*_WRITING_ERRORS}
    responses: dict[str, Any] = {}
    for status in operation.statuses:
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": given}
    for status in sorted(errors):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    retry = {"description": "Seconds.", "schema": {"type": "integer"}}
    responses["503"]["headers"] = {"Retry-After": retry}
    return responses
