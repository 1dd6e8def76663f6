"""Every mistake a declaration can hold, with the line and the sentence it is refused with."""

from __future__ import annotations

from pathlib import Path

import pytest

from clock.schedule.event import Callback, JobOptions, RetryPolicy
from tests.schedule.writing import event, refusal

OPTIONS = (
    "anchor, args, at, at_front, between, catch_up, days, description, enabled, except_, expires, "
    "failure_ttl, fold, gap, if_, jitter, kwargs, max_running, meta, name, on, on_failure, "
    "on_success, overlap, queue, result_ttl, retry, spread, start, stuck_after, timeout, tz, "
    "until, within"
)


ALWAYS_TRUE = (
    "is an async function or a generator, so its return value is always true; "
    "write a plain function"
)


def day(option: str) -> str:
    return f"every('day', 'tasks.a', {option})"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (day("qeue='x'"), "unknown option 'qeue'; did you mean 'queue'?"),
        (day("time_out=5"), "unknown option 'time_out'; did you mean 'timeout'?"),
        (day("zzz=1"), f"unknown option 'zzz'; the options are {OPTIONS}"),
        ("defaults(qeue='x')", "unknown option 'qeue'; did you mean 'queue'?"),
        (
            "defaults(at='09:30')",
            "at= belongs to a single event, in every(...), not to a whole file",
        ),
        ("defaults(tz='UTC')", "unknown option 'tz'; write timezone('...') for the whole file"),
        (day("queue=5"), "queue=: 5 must be a string of printable characters"),
        (day("queue=''"), "queue=: '' must be a string of printable characters"),
        (day("name='a\\nb'"), "name=: 'a\\nb' must be a string of printable characters"),
        (day("name='x' * 201"), "name=: 201 characters are too many; at most 200"),
        (
            day("timeout='5 x'"),
            "timeout=: '5 x' is not a duration: the unit 'x' is unknown; use s, m, h, d or w",
        ),
        (day("timeout=0"), "timeout=: 0 is too short; the minimum is one second"),
        (day("expires=0"), "expires=: 0 is too short; the minimum is one second"),
        (
            day("expires=-1"),
            "expires=: -1 must not be negative",
        ),
        (
            day("retry=0"),
            "retry=: 0 must be a number of retries from 1 to 1000; leave the option out for none",
        ),
        (day("retry='x'"), "retry=: 'x' must be a number of retries or rq.Retry(...)"),
        (day("at_front=1"), "at_front=: 1 must be True or False"),
        (day("enabled='no'"), "enabled=: 'no' must be True or False"),
        (day("meta=[1]"), "meta=: [1] must be a dict with string keys"),
        (
            day("meta={'clock': 1}"),
            "meta=: the key 'clock' is reserved; choose another",
        ),
        (day("kwargs={1: 2}"), "kwargs=: {1: 2} must be a dict with string keys"),
        (day("args='ab'"), "args=: 'ab' must be a list or tuple of arguments"),
        (
            day("on_success='x'"),
            "on_success=: 'x' is not a dotted name; write the task as 'package.module.function'",
        ),
        (day("if_=5"), "if_=: 5 cannot be called; write a function of the occurrence"),
        ("async def f(at): return True\n" + day("if_=f"), f"if_=: f {ALWAYS_TRUE}"),
        ("async def f(at): yield True\n" + day("if_=f"), f"if_=: f {ALWAYS_TRUE}"),
        ("def f(at): yield True\n" + day("if_=f"), f"if_=: f {ALWAYS_TRUE}"),
        (
            "class C:\n"
            "    __name__ = 'c'\n"
            "    async def __call__(self, at): return False\n" + day("if_=C()"),
            f"if_=: c {ALWAYS_TRUE}",
        ),
        (day("gap='later'"), "gap=: 'later' must be one of 'after', 'shift', 'skip'"),
        (day("fold='third'"), "fold=: 'third' must be one of 'first', 'second', 'both'"),
        (day("tz='Berlin'"), "unknown zone 'Berlin'; did you mean 'Europe/Berlin'?"),
        (day("tz=5"), "tz=: 5 is not a zone; write its name, as 'Europe/Berlin'"),
        ("timezone('Berlin')", "unknown zone 'Berlin'; did you mean 'Europe/Berlin'?"),
        (day("anchor='soon'"), "anchor=: 'soon' is not a date like '2026-01-31'"),
        (
            "import datetime\n" + day("anchor=datetime.datetime(2026, 1, 1)"),
            "anchor=: 2026-01-01T00:00:00 has no zone; "
            "write a date, or an aware datetime like '2026-01-01T00:00:00+00:00'",
        ),
        (
            day("anchor=5"),
            "anchor=: 5 is not a date; write date(2026, 1, 31) or '2026-01-31'",
        ),
        (
            "every('day', lambda: 0)",
            "a lambda has no name that a worker can import; write a function in a module",
        ),
        (
            "def work(): ...\nevery('day', work)",
            "'work' is defined in the schedule file; "
            "a worker cannot import it, move it to a module",
        ),
    ],
)
def test_a_wrong_option_is_refused(tmp_path: Path, source: str, message: str) -> None:
    error = refusal(tmp_path, source)
    assert (error.message, error.line) == (message, 2 + source.count("\n"))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "every('10 minutes', 'tasks.a', at='09:30')",
            "at= does not go with '10 minutes', which is elapsed time and has no fixed hour; "
            "write at= with 'hour', 'day', a weekday or 'month', or use cron(...)",
        ),
        (
            "every('24 hours', 'tasks.a', on='last')",
            "on= does not go with '24 hours', which is elapsed time and has no fixed hour; "
            "write on= with 'hour', 'day', a weekday or 'month', or use cron(...)",
        ),
        (
            "every('week', 'tasks.a')",
            "'week' without a weekday; write every('week', at='Monday 09:00')",
        ),
        (
            "every('2 weeks', 'tasks.a', at='08:00')",
            "'2 weeks' without a weekday; write every('2 weeks', at='Monday 08:00')",
        ),
        (
            "every('week', 'tasks.a', at='Monday')",
            "at='Monday' names no time; write one behind it, as in 'Monday 12:00'",
        ),
        (
            day("at='**:00'"),
            "at='**:00' is more than once in a day; write every('hour', at='**:00') "
            "or give the times of 'day' without a star",
        ),
        (
            day("at='1*:30'"),
            "at='1*:30' is more than once in a day; write every('hour', at='1*:30') "
            "or give the times of 'day' without a star",
        ),
        (
            "every('hour', 'tasks.a', at='09:30')",
            "at='09:30' is not once in an hour; write every('day', at='09:30')",
        ),
        (
            "every('minute', 'tasks.a', at='**:30')",
            "at='**:30' does not come every minute; write every('hour', at='**:30')",
        ),
        (
            day("at='Monday 09:30'"),
            "at='Monday 09:30' names a weekday; write every('monday', at='09:30')",
        ),
        (
            "every('friday', 'tasks.a', at='Monday 09:30')",
            "at='Monday 09:30' names a weekday, and so does 'friday'; write at='09:30'",
        ),
        (day("at=[]"), "at= is empty; leave it out or write at least one"),
        (day("at='25:00'"), "at='25:00': an hour is from 00 to 23, not '25'"),
        (day("on='last'"), "on='last' goes with 'month', 'quarter' and 'year', not with 'day'"),
        (
            "every('month', 'tasks.a', on='24 december')",
            "on='24 december' names a month; write every('year', on='24 december')",
        ),
        (
            day("anchor='2026-01-01'"),
            "anchor= has no meaning with 'day'; it goes with counted units, as '3 days'",
        ),
        (
            "every(cron('* * * * *'), 'tasks.a', at='09:30')",
            "at= does not go with cron(...), which has its own times",
        ),
        (
            "every(cron('0 0 31 2 *'), 'tasks.a')",
            "cron('0 0 31 2 *') never fires: no year has such a day",
        ),
        (
            "every('0 seconds', 'tasks.a')",
            "'0 seconds' must be a whole number of seconds, from 1 to a hundred years",
        ),
        (
            "every(times([]), 'tasks.a')",
            "times 0 listed 1271cf25 has no times, so it never fires",
        ),
        (
            "every(times([__import__('datetime').datetime(2026, 1, 1)]), 'tasks.a')",
            "times 1 listed f427abd2: item 1, 2026-01-01 00:00:00, has no zone; "
            "write aware datetimes, as datetime(2026, 1, 31, tzinfo=UTC)",
        ),
        (
            "every('day' - {1}, 'tasks.a')",
            "TypeError: unsupported operand type(s) for -: 'str' and 'set'; "
            "write the words as period('...'), which knows '|' and '-'",
        ),
        (
            "every('day' | 'hour', 'tasks.a')",
            "TypeError: unsupported operand type(s) for |: 'str' and 'str'; "
            "write the words as period('...'), which knows '|' and '-'",
        ),
        (
            "every(period('day') - (lambda day: True), 'tasks.a')",
            "'day - <lambda>()' never fires: nothing is left: "
            "14640 days in a row are excluded by '-'",
        ),
        (
            "every('month', 'tasks.a', start='2026-02-01', until='2026-01-01')",
            "until=2026-01-01 is before start=2026-02-01, so it never fires",
        ),
        (
            "every('day', 'tasks.a', start='2026-01-01T09:00')",
            "start=: 2026-01-01T09:00:00 has no zone; "
            "write a date, or an aware datetime like '2026-01-01T09:00:00+00:00'",
        ),
        (
            "every('day', 'tasks.a', spread='0s')",
            "spread=: '0s' is too short; the minimum is one second",
        ),
        (
            "every(cron('0 30 9 * * 1'), 'tasks.a')",
            "cron('0 30 9 * * 1') has six fields: write seconds='first' if '0' "
            "are the seconds, seconds='last' if '1' are",
        ),
        (
            "every(cron('5-3 * * * *'), 'tasks.a')",
            "cron('5-3 * * * *'): '5-3' wraps round to 59 of 60; "
            "write '3-5' if that is meant, or '*'",
        ),
        (
            "every(None, 'tasks.a')",
            "None is not a period; write a string like '10 minutes' or 'day'",
        ),
    ],
)
def test_a_period_that_does_not_fit_is_refused(tmp_path: Path, source: str, message: str) -> None:
    error = refusal(tmp_path, source)
    assert (error.message, error.line) == (message, 2)


@pytest.mark.parametrize("word", ["timezone('UTC')", "defaults(queue='x')"])
def test_timezone_and_defaults_are_called_once_per_file(tmp_path: Path, word: str) -> None:
    error = refusal(tmp_path, f"{word}\n{word}")
    name = word.partition("(")[0]
    assert (error.line, error.message) == (3, f"{name}(...) was already called on line 2")


def test_a_missing_task_is_refused_with_its_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, "every('day')")
    assert error.line == 2
    assert "task" in error.message


def test_the_options_of_a_job_are_kept_as_rq_needs_them(tmp_path: Path) -> None:
    source = (
        "import rq\n"
        "every('day', 'tasks.a', queue='io', timeout='5m', expires='1h', result_ttl=0,\n"
        "      failure_ttl='2 days', at_front=True, meta={'a': 1}, description='d',\n"
        "      retry=rq.Retry(max=2, interval=[1, 2]), on_success='tasks.ok',\n"
        "      on_failure=rq.Callback('tasks.failed', timeout='10s'))"
    )
    assert event(tmp_path, source).job == JobOptions(
        queue="io",
        timeout=300,
        expires=3600,
        retry=RetryPolicy(max=2, intervals=(1, 2)),
        result_ttl=0,
        failure_ttl=172_800,
        at_front=True,
        meta={"a": 1},
        description="d",
        on_success=Callback(name="tasks.ok"),
        on_failure=Callback(name="tasks.failed", timeout=10),
    )


def test_without_limit_and_for_ever_are_minus_one(tmp_path: Path) -> None:
    job = event(tmp_path, day("timeout=-1, result_ttl=-1, failure_ttl=-1")).job
    assert (job.timeout, job.result_ttl, job.failure_ttl) == (-1, -1, -1)
