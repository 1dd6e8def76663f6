"""The description of the API as a page for people, without a script and without another host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from clock.web.problems import PROBLEMS
from clock.web.static_files import version


def reference(description: Mapping[str, Any], root: str) -> str:
    """The HTML of the page about ``description``, in an application that is mounted at ``root``."""
    operations = [
        (method.upper(), path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        _environment()
        .get_template("reference.html")
        .render(
            description=description,
            groups=[
                (tag["name"], tag["description"], _of_tag(operations, tag["name"]))
                for tag in description["tags"]
            ],
            problems=PROBLEMS.values(),
            root=root,
            static=f"{root}/static/{version()}",
        )
    )


def _of_tag(operations: Iterable[tuple[str, str, Any]], tag: str) -> list[tuple[str, str, Any]]:
    """Those of a tag, the deprecated ones last."""
    chosen = [operation for operation in operations if tag in operation[2]["tags"]]
    return sorted(chosen, key=lambda operation: operation[2].get("deprecated", False))


def limits(schema: Mapping[str, Any]) -> str:
    """The limits that a schema sets to a value, in words."""
    words = [f"{name} {schema[key]}" for key, name in _LIMITS.items() if key in schema]
    if "enum" in schema:
        words.append("one of " + ", ".join(str(value) for value in schema["enum"]))
    return "; ".join(words)


_LIMITS = {
    "format": "format",
    "pattern": "pattern",
    "minimum": "from",
    "maximum": "to",
    "minLength": "at least this long:",
    "maxLength": "at most this long:",
    "minItems": "at least this many:",
    "maxItems": "at most this many:",
    "default": "default",
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("clock.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["limits"] = limits
    return environment
