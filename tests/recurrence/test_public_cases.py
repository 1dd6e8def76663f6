"""The facts of public test suites; ``cron_public.json`` names the source and licence of each.

Every portable fact holds, and so does every other but those listed here, each with its reason. A
fact that needs a rule holds under that rule; where the rule is not offered, it does not apply.
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.cron_rule import CronRule, cron
from clock.recurrence.recurrence import between
from clock.recurrence.wall import Fold, Gap
from clock.recurrence.zone import zone

FACTS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("cron_public.json").read_text())

DIFFERENT = {
    "A lone 'n/step' is refused: crontab(5) and OCPS have a step after a range or a star.": (
        "robfig-0001 robfig-0002 robfig-0003 robfig-0004 robfig-0005 robfig-0006 "
        "robfig-0007 robfig-0008 robfig-0030 robfig-0031 robfig-0032 robfig-0036 "
        "robfig-0037 robfig-0038 robfig-0039 robfig-0040 robfig-0041 robfig-0046 "
        "gronx-0129 gronx-0130 gronx-0131 gronx-0132 gronx-0173 gronx-0174 spring-0017 "
        "spring-0018 spring-0019"
    ),
    'A name has three letters: crontab(5), "use the first three letters".': (
        "cronexpr-0042 cronexpr-0043 cronexpr-0044"
    ),
    "Nicknames are those of crontab(5); these are one library's own.": (
        "gronx-0001 gronx-0002 gronx-0005 gronx-0006"
    ),
    "'?' stands for a day of the month or a weekday alone, as in the crontabs it comes from.": (
        "gronx-0159 gronx-0160"
    ),
    "Sunday is 0 and 7: crontab(5).": ("oban-0024 oban-0041"),
    'Names may be written in any case: crontab(5), "case does not matter".': (
        "oban-0027 oban-0028"
    ),
    "A day that never comes is well written; every() refuses it, cron() reads it.": (
        "oban-0029 oban-0030 oban-0031 oban-0032"
    ),
    "A range may wrap, as 'fri-mon' does.": ("ocps-0027"),
    "'@reboot' is refused: nothing ever fires because a process started.": ("ocps-0044"),
    "'+' before a weekday (OCPS 1.4) is not offered; '*' decides how days are joined.": (
        "ocps-0050"
    ),
}
"""Where this project decided otherwise than a source: why, and the facts concerned."""

REASONS = {id_: reason for reason, ids in DIFFERENT.items() for id_ in ids.split()}
GAPS: dict[str, Gap] = {
    "transition": "after", "shift_fwd": "shift", "skip": "skip", "vixie": "after",
}  # fmt: skip
FOLDS: dict[str, Fold] = {"first": "first", "second": "second", "both": "both", "vixie": "first"}
ZONES = {"UTC+05:30": "Asia/Kolkata"}
"""A fixed offset is no zone of the database; this one has had it since 1945."""


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def rules(fact: dict[str, Any]) -> list[tuple[Gap, Fold]]:
    """Under which of this project's rules a fact must hold; none where it does not apply."""
    requires = fact.get("requires", {})
    if "or_vixie" not in requires.get("dom_dow", ["or_vixie"]):
        return []
    gaps = {GAPS[rule] for rule in requires.get("gap", ["transition"]) if rule in GAPS}
    folds = {FOLDS[rule] for rule in requires.get("fold", ["first"]) if rule in FOLDS}
    return list(product(sorted(gaps), sorted(folds)))


def read(fact: dict[str, Any]) -> CronRule | None:
    try:
        return cron(fact["expr"], seconds="first" if fact["dialect"] == "6f-sec-first" else None)
    except RecurrenceError:
        return None


def holds(fact: dict[str, Any], gap: Gap, fold: Fold) -> bool:
    kind, rule = str(fact["kind"]), read(fact)
    if kind in {"valid", "invalid"}:
        return (rule is not None) == (kind == "valid")
    if rule is None:
        return False
    try:
        recurrence = rule.recurrence(zone(ZONES.get(fact["tz"], fact["tz"])), gap, fold)
    except RecurrenceError:
        return kind == "never"
    start = seconds(fact["from"])
    if kind == "next":
        after = start - 1 if fact["inclusive"] else start
        instants = list(islice(between(recurrence, after, None), len(fact["expect"])))
        expected = [seconds(text) for text in fact["expect"]]
        return instants == expected
    fires = recurrence.next(start - 1) == start
    return fires == (kind == "match") and kind != "never"


def test_the_file_is_whole() -> None:
    assert len(FACTS) == 534
    assert sum(fact["portable"] for fact in FACTS) == 233
    assert not [fact["id"] for fact in FACTS if fact["portable"] and fact["id"] in REASONS]


@pytest.mark.parametrize("fact", FACTS, ids=[fact["id"] for fact in FACTS])
def test_a_public_fact_holds(fact: dict[str, Any]) -> None:
    if fact["id"] in REASONS:
        return
    for gap, fold in rules(fact):
        assert holds(fact, gap, fold), f"{fact} with gap={gap} fold={fold}"


def test_facts_without_a_rule_of_this_project_are_few() -> None:
    left_out = [fact["id"] for fact in FACTS if not rules(fact)]
    assert len(left_out) == 9


@pytest.mark.parametrize("id_", sorted(REASONS))
def test_what_is_decided_otherwise_is_otherwise(id_: str) -> None:
    (fact,) = (fact for fact in FACTS if fact["id"] == id_)
    assert not all(holds(fact, gap, fold) for gap, fold in rules(fact))
