"""The builder of a schedule: it collects the declarations of a file and makes the events.

A builder lives as long as its file is read. It is kept in a context variable, so two builders, in
two threads or one inside the other, do not see each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain, count
from sys import intern
from types import MappingProxyType
from typing import Any, NamedTuple

from clock.errors import RecurrenceError, ScheduleError, SettingsError
from clock.recurrence.rule import Rule
from clock.recurrence.zone import Zone, zone
from clock.schedule.checks import LONGEST_STRING
from clock.schedule.event import Event, JobOptions, Policy
from clock.schedule.option import Part
from clock.schedule.options import part_of
from clock.schedule.schedule import Schedule

_NO_KWARGS: Mapping[str, Any] = MappingProxyType({})


class Declaration(NamedTuple):
    """One call of ``every``, its options checked but its zone and defaults not yet known."""

    name: str
    task: str
    rule: Rule
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    options: Mapping[str, Any]
    path: str
    line: int


@dataclass(slots=True)
class FileSettings:
    """The settings of one file for all its events, and their lines."""

    zone: Zone | None = None
    zone_line: int = 0
    defaults: Mapping[str, Any] = field(default_factory=dict)
    defaults_line: int = 0


@dataclass(slots=True)
class ScheduleBuilder:
    """Collects what a schedule file, and the files it imports, declare while they are read."""

    path: str
    dumps: Callable[[Any], bytes]
    serializer: str
    declarations: dict[str, Declaration] = field(default_factory=dict)
    files: dict[str, FileSettings] = field(default_factory=dict)
    _options: dict[tuple[Any, ...], Mapping[str, Any]] = field(default_factory=dict)
    _interned: dict[JobOptions, JobOptions] = field(default_factory=dict)
    _policies: dict[Policy, Policy] = field(default_factory=dict)

    def settings(self, path: str) -> FileSettings:
        """The settings of the file at ``path``."""
        return self.files.setdefault(path, FileSettings())

    def declare(self, declaration: Declaration) -> None:
        """Keep a declaration; raises ScheduleError where its name is taken.

        Options that many have in common are kept once: a hundred thousand declarations are all
        there before the first becomes an event.
        """
        taken = self.declarations.get(declaration.name)
        if taken is not None:
            raise ScheduleError(
                declaration.path,
                declaration.line,
                f"the name {declaration.name!r} is taken by {taken.path}:{taken.line}; "
                f"names are unique, so write name={self._free_name(declaration, taken)!r} here",
            )
        self.declarations[declaration.name] = declaration._replace(
            options=self._shared(declaration.options)
        )

    def _free_name(self, declaration: Declaration, taken: Declaration) -> str:
        """A name for a declaration whose own is taken: with its times, else with a number."""
        name = declaration.name[: LONGEST_STRING - 10]
        with_times = f"{name} ({declaration.rule})"
        names = chain(
            [with_times] if declaration.rule != taken.rule else [],
            (f"{name} {number}" for number in count(2)),
        )
        return next(
            free for free in names if free not in self.declarations and len(free) <= LONGEST_STRING
        )

    def _shared(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return self._options.setdefault(tuple(options.items()), options)
        except TypeError:  # a meta has no hash
            return options

    def schedule(self, environ: Mapping[str, str]) -> Schedule:
        """The finished schedule. Raises ScheduleError for what is only known at the end."""
        main = self.settings(self.path)
        try:
            default_zone = main.zone or _zone_of(environ)
        except SettingsError as error:
            raise ScheduleError(self.path, None, str(error)) from None
        events = {}
        for name in list(self.declarations):
            # A declaration makes room for its event, so that a hundred thousand need it once.
            events[name] = self._event(self.declarations.pop(name), main, default_zone)
        return Schedule(path=self.path, zone=default_zone, events=events)

    def _event(self, declaration: Declaration, main: FileSettings, default_zone: Zone) -> Event:
        own = self.settings(declaration.path)
        options = {**main.defaults, **own.defaults, **declaration.options}
        where = options.get("tz") or own.zone or default_zone
        gap, fold = options.get("gap", "after"), options.get("fold", "first")
        try:
            rule = _within_options(declaration.rule, declaration.name, options)
            recurrence = rule.recurrence(where, gap, fold)
        except RecurrenceError as error:
            raise ScheduleError(declaration.path, declaration.line, str(error)) from None
        spelling = str(rule)
        if (gap, fold) != ("after", "first"):
            spelling += f" gap={gap} fold={fold}"
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
            path=declaration.path,
            line=declaration.line,
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


BUILDER: ContextVar[ScheduleBuilder | None] = ContextVar("clock_builder", default=None)
"""The builder of the file that is being read, or None."""


def _zone_of(environ: Mapping[str, str]) -> Zone:
    for variable in ("CLOCK_TZ", "TZ"):
        # The C library lets TZ begin with a colon.
        name = environ.get(variable, "").removeprefix(":")
        if name:
            try:
                return zone(name)
            except RecurrenceError as error:
                raise SettingsError(f"{variable}: {error}") from None
    return zone("UTC")
