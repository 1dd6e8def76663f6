"""The arguments of a call as JSON that people edit, and which tasks may be given others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clock.web.context import Context
from clock.web.json_text import TooDeepError, parse_json

_PLAIN = (str, bool, int, type(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCall:
    """The positional and the keyword arguments of a call as JSON: a list and an object."""

    args: str = "[]"
    kwargs: str = "{}"


def why_not_allowed(context: Context, task: str) -> str:
    """Why ``task`` must not be given other arguments, empty where it may.

    The rule is that of ``POST /jobs``: whoever chooses the arguments of a task can make it do
    other things.
    """
    if task in context.allowed:
        return ""
    return f"the task {task!r} takes no other arguments here; ALLOWED names the tasks that do"


def write_call(args: Sequence[Any], kwargs: Mapping[str, Any]) -> WrittenCall:
    """The arguments as JSON from which ``read_call`` reads equal ones.

    Raises ValueError, naming the first value that JSON cannot express: a tuple would come back as a
    list, the key 1 as "1".
    """
    for number, value in enumerate(args):
        _check(value, f"args[{number}]")
    _check(dict(kwargs), "kwargs")
    return WrittenCall(args=_written(list(args)), kwargs=_written(dict(kwargs)))


def read_call(written: WrittenCall) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of ``written``. Raises ValueError, with a sentence for the reader."""
    args = _parsed(written.args, "the positional arguments")
    if not isinstance(args, list):
        raise ValueError("the positional arguments must be a list, such as [1, 2]")
    kwargs = _parsed(written.kwargs, "the keyword arguments")
    if not isinstance(kwargs, dict):
        raise ValueError('the keyword arguments must be an object, such as {"day": 1}')
    return args, kwargs


def _parsed(text: str, what: str) -> Any:
    try:
        return parse_json(text)
    except TooDeepError as error:
        raise ValueError(f"{what} are {error}") from None
    except ValueError as error:
        raise ValueError(f"{what} are not JSON: {error}") from None


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)


def _check(value: Any, at: str) -> None:
    if type(value) in _PLAIN or (type(value) is float and value - value == 0):
        return
    if type(value) is list:
        for number, item in enumerate(value):
            _check(item, f"{at}[{number}]")
    elif type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise ValueError(f"a key of {at} is not a string")
            _check(item, f"{at}[{key[:40]!r}]")
    else:
        raise ValueError(f"{at} is a {type(value).__name__}")
