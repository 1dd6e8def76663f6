"""Feed texts to every reader of notation: each is read, or refused with the one error, in time.

Run by hand, not by pytest; it needs atheris. It ends after the given time, or at the first text
that does neither:

    python tests/fuzz/fuzz_cron.py -max_total_time=60 -max_len=80
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

with atheris.instrument_imports(include=["clock.recurrence"]):
    from clock.errors import RecurrenceError
    from clock.recurrence.at import parse_at
    from clock.recurrence.cron_rule import cron
    from clock.recurrence.on import parse_on
    from clock.recurrence.phrase import parse_phrase
    from clock.recurrence.zone import zone

BERLIN = zone("Europe/Berlin")
START = 1_774_000_000


def fuzz(data: bytes) -> None:
    """Read one text in every notation and follow what it says for ten occurrences."""
    text = data.decode("utf-8", "replace")
    for parse in (parse_at, parse_on):
        try:
            parse(text)
        except RecurrenceError:
            continue
    for rule_of in (parse_phrase, cron, lambda words: cron(words, seconds="first")):
        try:
            rule = rule_of(text)
            recurrence = rule.recurrence(BERLIN, "after", "first")
        except RecurrenceError:
            continue
        if rule_of is parse_phrase and parse_phrase(str(rule)) != rule:
            raise AssertionError(f"{text!r} is printed as {str(rule)!r}, which reads otherwise")
        after = START
        for _ in range(10):
            following = recurrence.next(after)
            if following is None:
                break
            if following <= after:
                raise AssertionError(f"{text!r} goes back from {after} to {following}")
            after = following


if __name__ == "__main__":
    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()
