"""The description of the API in OpenAPI 3.1, derived from its operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from clock.web.api.components import PROBLEM, Components
from clock.web.api.operation import KEY, Operation

_READING_ERRORS = (400, 401, 405, 421, 429, 503)
_WRITING_ERRORS = (403, 408, 413, 415, 422)
_IN_PATH = {
    "name": {"description": "The name of the event.", "minLength": 1, "maxLength": 500},
    "id": {"description": "The id of the job.", "minLength": 1, "maxLength": 250},
}
_TAGS = {
    "events": "Status, events and what became of their occurrences.",
    "jobs": "Queues, workers and jobs.",
    "enqueueing": "Enqueue jobs of the tasks that are allowed.",
    "audit": "Who did what.",
    "trends": "What was counted over time.",
}
_INTRODUCTION = (
    "Status, events and jobs. The arguments of jobs are shown only where that is enabled. GET "
    "changes nothing; other methods must be enabled. Every error has the shape of RFC 9457."
)


def describe(operations: Iterable[Operation], url: str = "/api/v1") -> dict[str, Any]:
    """The document for ``operations``, served at the path ``url`` of this host."""
    components = Components()
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        method = operation.method.lower()
        paths.setdefault(operation.path, {})[method] = _describe(operation, components)
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
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.schemas.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _describe(operation: Operation, components: Components) -> dict[str, Any]:
    description: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [*_parameters(operation)],
        "responses": _responses(operation, components),
    }
    if operation.is_deprecated:
        description["deprecated"] = True
    if operation.body is not None:
        body = components.reference(operation.body, f"{_class(operation.id)}Request")
        description["requestBody"] = {
            "required": operation.body_is_required,
            "content": {"application/json": {"schema": body}},
        }
    return description


def _class(identifier: str) -> str:
    return "".join(word.capitalize() for word in identifier.split("_"))


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name, schema in _IN_PATH.items():
        if f"{{{name}}}" in operation.path:
            own = {"type": "string", **schema}
            yield {"name": name, "in": "path", "required": True, "schema": own}
    for name, parameter in operation.parameters.items():
        yield {"name": name, "in": "query", "required": False, "schema": parameter}
    for name, header in operation.headers.items():
        yield {"name": name, "in": "header", "required": False, "schema": header}
    if operation.method == "GET" and operation.streams is None:
        known = "The ETag of the response that the client has."
        header = {"name": "If-None-Match", "in": "header", "required": False}
        yield {**header, "description": known, "schema": {"type": "string"}}
    if operation.is_idempotent_by_key:
        does = "Becomes the id of the job, or part of it: a repeated request does nothing."
        header = {"name": "Idempotency-Key", "in": "header", "required": False}
        yield {**header, "description": does, "schema": KEY}


def _responses(operation: Operation, components: Components) -> dict[str, Any]:
    gives = components.reference(operation.gives, f"{_class(operation.id)}Response")
    given: dict[str, Any] = {"content": {operation.media_type: {"schema": gives}}}
    problem = {"application/problem+json": {"schema": components.reference(PROBLEM, "Problem")}}
    errors = {*_READING_ERRORS, *operation.errors}
    responses: dict[str, Any] = {}
    if operation.method != "GET":
        errors |= {*_WRITING_ERRORS}
    elif operation.streams is None:
        given["headers"] = {"ETag": {"schema": {"type": "string"}}}
        responses["304"] = {"description": "It is the response that the client has."}
    for status in operation.statuses:
        responses[str(status)] = {"description": HTTPStatus(status).phrase, **given}
    for status in sorted(errors):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    retry = {"description": "Seconds.", "schema": {"type": "integer"}}
    for busy in ("429", "503"):
        responses[busy]["headers"] = {"Retry-After": retry}
    return dict(sorted(responses.items()))
