"""Assembling an event from its declaration, once zone and defaults are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from sys import intern
from types import MappingProxyType
from typing import Any, NamedTuple

from clock.errors import RecurrenceError, ScheduleError
from clock.recurrence.elapsed import spell_seconds
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.rule import Rule
from clock.recurrence.zone import Zone
from clock.schedule.event import Event, JobOptions, Policy
from clock.schedule.option import Part
from clock.schedule.options import part_of

_NO_KWARGS: Mapping[str, Any] = MappingProxyType({})


class Declaration(NamedTuple):
    """One call of ``every``, or one row, its options checked but its zone and defaults not yet
    known.
    """

    name: str
    task: str
    rule: Rule
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    options: Mapping[str, Any]
    path: str
    line: int


@dataclass(slots=True)
class Assembly:
    """Assembles events whose arguments are written with ``serializer``, whose ``dumps`` is given.

    Options that many events have in common are kept once.
    """

    dumps: Callable[[Any], bytes]
    serializer: str
    _interned: dict[JobOptions, JobOptions] = field(default_factory=dict)
    _policies: dict[Policy, Policy] = field(default_factory=dict)

    def event(
        self,
        declaration: Declaration,
        defaults: Mapping[str, Any],
        default_zone: Zone,
        source: str = "",
    ) -> Event:
        """The event of ``declaration``, with ``defaults`` for what it does not say; ``source`` is
        the one that gave it. Raises ScheduleError.
        """
        options = {**defaults, **declaration.options}
        where = options.get("tz") or default_zone
        gap, fold = options.get("gap", "after"), options.get("fold", "first")
        try:
            rule = _within_options(declaration.rule, declaration.name, options)
            recurrence = rule.recurrence(where, gap, fold)
            jitter = options.get("jitter", 0)
            if jitter:
                _check_jitter(recurrence, jitter)
        except RecurrenceError as error:
            raise ScheduleError(declaration.path, declaration.line, str(error)) from None
        spelling = str(rule)
        if (gap, fold) != ("after", "first"):
            spelling += f" gap={gap} fold={fold}"
        if jitter:
            spelling += f" jitter {spell_seconds(jitter)}"
        job = JobOptions(**part_of(Part.JOB, options))
        policy = Policy(**part_of(Part.POLICY, options), condition=options.get("if_"))
        args, kwargs = declaration.args, declaration.kwargs or _NO_KWARGS
        self._check_serialisable(declaration, args, kwargs, job.meta)
        return Event(
            name=declaration.name,
            task=declaration.task,
            rule=intern(spelling),
            recurrence=recurrence,
            zone=where,
            args=args,
            kwargs=kwargs,
            job=job if job.meta else self._interned.setdefault(job, job),
            policy=self._policies.setdefault(policy, policy),
            enabled=options.get("enabled", True),
            jitter=jitter,
            path=declaration.path,
            line=declaration.line,
            source=source,
        )

    def _check_serialisable(
        self,
        declaration: Declaration,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        meta: Mapping[str, Any],
    ) -> None:
        for option, value in (("args", args), ("kwargs", kwargs), ("meta", meta)):
            if not value:
                continue
            try:
                self.dumps(value)
            except Exception as error:  # serialisers may raise anything
                raise ScheduleError(
                    declaration.path,
                    declaration.line,
                    f"{option}= cannot be serialised with {self.serializer}: "
                    f"{type(error).__name__}: {error}",
                ) from None


def _check_jitter(recurrence: Recurrence, jitter: int) -> None:
    """Raises RecurrenceError for a jitter that is too long, as far as that can be known."""
    from clock.recurrence.jitter import check_jitter
    from clock.recurrence.user_code import runs_user_code

    if not runs_user_code(recurrence):
        check_jitter(recurrence, jitter)


def _within_options(rule: Rule, name: str, options: Mapping[str, Any]) -> Rule:
    """The rule of an event with what narrows or moves it; their modules are imported on use."""
    if "except_" in options:
        from clock.recurrence.difference import without_dates

        rule = without_dates(rule, options["except_"])
    if "days" in options or "between" in options:
        from clock.recurrence.local_times import BetweenRule, OnDaysRule

        if "days" in options:
            rule = OnDaysRule(rule, *options["days"])
        if "between" in options:
            rule = BetweenRule(rule, *options["between"])
    if "spread" in options:
        from clock.recurrence.spread import SpreadRule, stable_offset

        over = options["spread"]
        rule = SpreadRule(inner=rule, over=over, by=stable_offset(name, over))
    if "start" in options or "until" in options:
        from clock.recurrence.bounds import BoundedRule

        rule = BoundedRule(inner=rule, start=options.get("start"), until=options.get("until"))
    return rule
