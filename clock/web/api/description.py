"""The description of the API in OpenAPI 3.1, derived from its operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from clock.web.api.operation import KEY, Operation

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
_READING_ERRORS = (400, 401, 405, 421, 429, 503)
_WRITING_ERRORS = (403, 408, 413, 415, 422)
_IN_PATH = {
    "name": {"description": "The name of the event.", "minLength": 1, "maxLength": 500},
    "id": {"description": "The id of the job.", "minLength": 1, "maxLength": 250},
}
_INTRODUCTION = (
    "Status, events and jobs. The arguments of jobs are shown only where that is enabled. GET "
    "changes nothing; other methods must be enabled. Every error has the shape of RFC 9457."
)


def describe(operations: Iterable[Operation], url: str = "/api/v1") -> dict[str, Any]:
    """The document for ``operations``, served at the path ``url`` of this host."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rq-clock",
            "version": version("rq-clock"),
            "description": _INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": url}],
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


def _describe(operation: Operation) -> dict[str, Any]:
    description: dict[str, Any] = {
        "operationId": _identifier(operation),
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [*_parameters(operation)],
        "responses": _responses(operation),
    }
    if operation.is_deprecated:
        description["deprecated"] = True
    if operation.body is not None:
        description["requestBody"] = {
            "required": operation.body_is_required,
            "content": {"application/json": {"schema": operation.body}},
        }
    return description


def _identifier(operation: Operation) -> str:
    words = [word.strip("{}") for word in operation.path.split("/") if word]
    return "_".join([operation.method.lower(), *words])


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name, schema in _IN_PATH.items():
        if f"{{{name}}}" in operation.path:
            own = {"type": "string", **schema}
            yield {"name": name, "in": "path", "required": True, "schema": own}
    for name, parameter in operation.parameters.items():
        yield {"name": name, "in": "query", "required": False, "schema": parameter}
    for name, header in operation.headers.items():
        yield {"name": name, "in": "header", "required": False, "schema": header}
    if operation.is_idempotent_by_key:
        does = "Becomes the id of the job, or part of it: a repeated request does nothing."
        header = {"name": "Idempotency-Key", "in": "header", "required": False}
        yield {**header, "description": does, "schema": KEY}


def _responses(operation: Operation) -> dict[str, Any]:
    given = {operation.media_type: {"schema": operation.gives}}
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
    for busy in ("429", "503"):
        responses[busy]["headers"] = {"Retry-After": retry}
    return responses
