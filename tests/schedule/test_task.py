from __future__ import annotations

import json
import math

import pytest

from clock.schedule.task import task_name


def test_a_dotted_name_is_kept() -> None:
    assert task_name("tasks.reports.daily") == "tasks.reports.daily"


def test_a_function_gives_its_dotted_name() -> None:
    assert task_name(json.dumps) == "json.dumps"
    assert task_name(math.sqrt) == "math.sqrt"


class Holder:
    @staticmethod
    def function() -> None: ...


def test_a_function_of_a_class_gives_its_qualified_name() -> None:
    assert task_name(Holder.function) == f"{__name__}.Holder.function"


def nested() -> object:
    def inner() -> None: ...

    return inner


def from_module(module: str) -> object:
    def function() -> None: ...

    function.__module__, function.__qualname__ = module, "function"
    return function


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("daily", "'daily' is not a dotted name; write the task as 'package.module.function'"),
        ("tasks.", "'tasks.' is not a dotted name; write the task as 'package.module.function'"),
        (
            "tasks.1st",
            "'tasks.1st' is not a dotted name; write the task as 'package.module.function'",
        ),
        (
            lambda: None,
            "a lambda has no name that a worker can import; write a function in a module",
        ),
        (nested(), "'inner' is defined inside another function; a worker cannot import it"),
        (
            from_module("__main__"),
            "'function' comes from __main__; a worker cannot import it, move it to a module",
        ),
        (
            from_module("__schedule__"),
            "'function' is defined in the schedule file; "
            "a worker cannot import it, move it to a module",
        ),
        (5, "5 is not a function; name the task as 'package.module.function'"),
        (int, "<class 'int'> is not a function; name the task as 'package.module.function'"),
    ],
)
def test_a_task_that_a_worker_could_not_import_is_refused(task: object, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        task_name(task)
    assert str(caught.value) == message
