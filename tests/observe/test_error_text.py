"""The error of a job from the text that RQ keeps of it."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job

from clock.observe.error_text import (
    LONGEST_LINE,
    LONGEST_MESSAGE,
    MOST_ERRORS,
    MOST_FRAMES,
    read_error,
)
from clock.observe.frame_origin import Origin, origin_of
from tests.jobs.working import work_off


def text_of(function: Callable[[], Any]) -> str:
    """The traceback of the error that ``function`` raises, as RQ formats it."""
    try:
        function()
    except BaseException as error:
        return "".join(traceback.format_exception(error))
    raise AssertionError("nothing was raised")


def _divide() -> float:
    return 1 / 0


def test_an_error_has_its_class_message_and_frames_the_latest_call_first() -> None:
    error = read_error(text_of(_divide))

    assert error.line == "ZeroDivisionError: division by zero"
    assert (error.last.kind, error.last.message) == ("ZeroDivisionError", "division by zero")
    latest, earlier = error.last.frames
    assert (latest.path, latest.function, latest.code) == (__file__, "_divide", "return 1 / 0")
    assert latest.line == _divide.__code__.co_firstlineno + 1
    assert (earlier.function, earlier.code) == ("text_of", "function()")


def test_frames_of_libraries_are_told_from_the_applications() -> None:
    error = read_error(text_of(lambda: json.loads("{")))

    assert [frame.function for frame in error.last.own] == ["<lambda>", "text_of"]
    assert {frame.origin for frame in error.last.others} == {Origin.LIBRARY}
    assert error.last.kind == "json.decoder.JSONDecodeError"


def test_a_job_that_failed_has_own_frames_before_those_of_rq(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    job = queue.enqueue("tests.jobs.working.fail")
    work_off(redis, "default")
    result = Job.fetch(job.id, connection=redis).latest_result()
    assert result is not None
    assert result.exc_string is not None

    error = read_error(result.exc_string)

    assert [frame.function for frame in error.last.own] == ["fail"]
    assert Origin.RQ in {frame.origin for frame in error.last.others}


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/app/shop/orders.py", Origin.OWN),
        ("shop/orders.py", Origin.OWN),
        ("/app/rq/tasks.py", Origin.OWN),
        ("/srv/clock/tasks.py", Origin.OWN),
        ("/app/library/python3/tasks.py", Origin.OWN),
        ("C:\\shop\\orders.py", Origin.OWN),
        ("/usr/lib/python3.12/json/decoder.py", Origin.LIBRARY),
        ("/opt/python/lib/python3.13t/asyncio/tasks.py", Origin.LIBRARY),
        ("C:\\Program Files\\Python312\\Lib\\json\\decoder.py", Origin.LIBRARY),
        ("/app/.venv/lib/python3.12/site-packages/requests/api.py", Origin.LIBRARY),
        ("C:\\env\\Lib\\site-packages\\requests\\api.py", Origin.LIBRARY),
        ("<frozen importlib._bootstrap>", Origin.LIBRARY),
        ("/app/.venv/lib/python3.12/site-packages/rq/job.py", Origin.RQ),
        ("/usr/lib/python3/dist-packages/rq/job.py", Origin.RQ),
        ("/app/.venv/lib/python3.12/site-packages/rq_mantis/app.py", Origin.LIBRARY),
        ("/app/.venv/lib/python3.12/site-packages/clock/worker/child.py", Origin.CLOCK),
        (str(Path(sys.modules["clock"].__file__ or "").parent / "jobs" / "new.py"), Origin.CLOCK),
    ],
)
def test_the_path_says_whose_a_frame_is(path: str, origin: Origin) -> None:
    assert origin_of(path) is origin


def test_an_error_that_led_to_another_comes_after_it() -> None:
    def fail() -> None:
        try:
            _divide()
        except ZeroDivisionError as error:
            raise RuntimeError("no price") from error

    error = read_error(text_of(fail))

    assert [each.line for each in error.errors] == [
        "RuntimeError: no price",
        "ZeroDivisionError: division by zero",
    ]
    assert error.errors[1].frames[0].function == "_divide"


def test_the_errors_of_a_group_come_behind_it() -> None:
    def members() -> None:
        errors: list[Exception] = []
        for number in (1, 2):
            try:
                raise ValueError(f"order {number}")
            except ValueError as error:
                errors.append(error)
        raise ExceptionGroup("some orders", errors)

    def fail() -> None:
        try:
            _divide()
        except ZeroDivisionError:
            members()

    error = read_error(text_of(fail))

    assert [each.line for each in error.errors] == [
        "ExceptionGroup: some orders (2 sub-exceptions)",
        "ValueError: order 1",
        "ValueError: order 2",
        "ZeroDivisionError: division by zero",
    ]
    assert [each.frames[0].function for each in error.errors] == [*["members"] * 3, "_divide"]


def test_an_error_after_a_group_is_the_last_one() -> None:
    def fail() -> None:
        try:
            raise ExceptionGroup("some", [ValueError("one")])
        except ExceptionGroup:
            _divide()

    assert [each.line for each in read_error(text_of(fail)).errors] == [
        "ZeroDivisionError: division by zero",
        "ExceptionGroup: some (1 sub-exception)",
        "ValueError: one",
    ]


def test_a_message_of_several_lines_is_whole_and_its_first_line_names_the_error() -> None:
    def fail() -> None:
        error = ValueError(
            'lines:\n  File "x.py", line 3, in y\nTraceback (most recent call last):'
        )
        error.add_note("a note")
        raise error

    last = read_error(text_of(fail)).last

    assert last.line == "ValueError: lines:"
    assert last.message.splitlines()[1:] == [
        '  File "x.py", line 3, in y',
        "Traceback (most recent call last):",
        "a note",
    ]
    assert [frame.function for frame in last.frames] == ["fail", "text_of"]


def test_a_function_that_called_itself_is_one_frame() -> None:
    def again() -> None:
        again()

    last = read_error(text_of(again)).last

    assert last.kind == "RecursionError"
    assert max(frame.repeated for frame in last.frames) > 500


def test_an_error_of_syntax_names_the_file() -> None:
    last = read_error(text_of(lambda: compile("x = (", "tasks.py", "exec"))).last

    assert last.kind == "SyntaxError"
    assert (last.frames[0].path, last.frames[0].code) == ("tasks.py", "x = (")


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("", None, ""),
        ("Job stopped by user, work-horse terminated.", None, None),
        ("Work-horse terminated unexpectedly; waitpid returned 9 (signal 9); ", None, None),
        ("ValueError: bad", "ValueError", "ValueError: bad"),
        ("KeyboardInterrupt\n", "KeyboardInterrupt", "KeyboardInterrupt"),
        ("error: no space left", None, None),
        ("Segmentation fault\nat line 3\n", None, "at line 3"),
        ("lost\nOSError: no space\nat line 3\n", "OSError", "OSError: no space"),
        ("Retry: soon\nx.Timeout: late\nDetails\n", "x.Timeout", "x.Timeout: late"),
        ("Traceback (most recent call last):\n", None, ""),
        ('  File "x.py", line 3, in y\n    z()\nKeyError: 3', "KeyError", "KeyError: 3"),
        ("Traceback (most recent call last):\nno class here: x", None, "no class here: x"),
        ("\x1b[31mValueError: \x1b[0mred\x07", "ValueError", "ValueError: red\\x07"),
    ],
)
def test_a_text_that_is_no_whole_traceback(text: str, kind: str | None, line: str | None) -> None:
    error = read_error(text)

    assert error.last.kind == kind
    assert error.line == (text.strip() if line is None else line)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 2_000_000,
        "\n" * 500_000,
        ' File "' * 100_000,
        'Traceback (most recent call last):\n  File "' + '", line 1' * 100_000,
        '  File "x.py", line 3, in y\n' * 20_000 + "E: " + "m\n" * 200_000,
        ("  +-+---------------- 1 ----------------\n    | E: x\n" * 9_000)
        + "  + Exception Group Traceback (most recent call last):\n",
        "During handling of the above exception, another exception occurred:\nE: x\n" * 5_000,
        "\x1b[" * 200_000,
        "\x1b]" * 200_000,
        "\ud800\u2028\x00" * 100_000,
        "A." * 200_000,
        'Traceback (most recent call last):\n  File "x", line 999999999999, in y\nE',
        "  " * 200_000 + "|",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_whatever_the_text_is_what_is_read_of_it_is_bounded(text: str) -> None:
    error = read_error(text)

    assert 1 <= len(error.errors) <= MOST_ERRORS
    for each in error.errors:
        assert len(each.frames) <= MOST_FRAMES
        assert len(each.message) <= LONGEST_MESSAGE
        assert len(each.line) <= LONGEST_LINE
        assert "\x1b" not in each.message
        each.message.encode()


def test_the_traceback_of_another_python_is_read() -> None:
    """As a process prints it, marks below the code and all."""
    code = textwrap.dedent(
        """
        import json
        def load(text):
            return json.loads(
                text
            )
        load('')
        """
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=30
    )
    last = read_error(printed.stderr).last

    assert last.kind == "json.decoder.JSONDecodeError"
    assert last.message == "Expecting value: line 1 column 1 (char 0)"
    assert last.frames[0].function == "raw_decode"
    assert last.frames[-1].function == "<module>"
