"""What was delivered to a webhook, so that it is delivered once, whatever the number of clocks.

One clock at a time delivers: the one with the lease. A delivery is recorded after the webhook
answered. Where the clock is killed in between, the lease expires, and the next clock delivers it
again: at least once, and twice only after such a kill or a lost answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.ledger.unreadable import readable, skip
from clock.ledger.values import instant, second, whole

LEASE = 20.0
"""Seconds for which a clock may deliver without taking the lease again."""

LONGEST_WAIT = 3600.0
"""Seconds to the next check, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What was delivered to a webhook: ``items`` are instants (UTC seconds since 1970) by type and
    event, of what has not ended since.

    ``began`` is when the first check was, ``failures`` the number of failed deliveries in a row,
    ``messages`` that of delivered messages.
    """

    began: float
    failures: int
    messages: int
    items: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The end of a check: when the next one is due, and what changes in what was delivered."""

    next: float
    failures: int = 0
    messages: int = 0
    noted: Mapping[tuple[str, str], int] = field(default_factory=dict)
    removed: Collection[tuple[str, str]] = ()


class DeliveryLedger:
    """What the clock ``token`` reads and records of the webhook that ``digest`` stands for.

    Every method raises ServerError. ``now`` is UTC seconds since 1970.
    """

    def __init__(self, connection: Redis, app: str, digest: str, token: str) -> None:
        self._key = keys.deliveries(app, digest)
        self._token = token
        self._connection = connection

    def take(self, now: float) -> Delivered | None:
        """Take the lease for ``LEASE`` seconds and return what was delivered; None where no check
        is due, or another clock has the lease.
        """
        reply = self._call("take", now, f"{LEASE:g}", f"{LONGEST_WAIT:g}")
        return None if reply is None else self._read(reply, now)

    def settle(self, now: float, settlement: Settlement) -> bool:
        """Record what was delivered and give the lease back; returns whether this clock still had
        it. Nothing is recorded otherwise.
        """
        removed = [":".join(item) for item in settlement.removed]
        noted = {":".join(item): str(at) for item, at in settlement.noted.items()}
        return bool(
            self._call(
                "settle",
                now,
                f"{settlement.next:.3f}",
                str(settlement.failures),
                str(settlement.messages),
                str(len(removed)),
                *removed,
                *(part for pair in noted.items() for part in pair),
            )
        )

    def _call(self, action: str, now: float, *arguments: str) -> Any:
        own = (action, self._token, f"{now:.3f}", str(keys.DELIVERIES_TTL))
        # With its source: the ACL need not allow SCRIPT LOAD.
        source = script("clock.ledger", "deliveries.lua")
        with server_errors():
            return self._connection.eval(source, 1, self._key, *own, *arguments)

    def _read(self, reply: Iterable[Any], now: float) -> Delivered:
        parts = iter(reply)
        fields = dict(zip(parts, parts, strict=True))
        own = {name: fields.pop(name, None) for name in _OWN}
        try:
            began, failures = instant(own[b"began"]), whole(own[b"failures"] or 0, 0)
            messages = whole(own[b"messages"] or 0, 0)
        except ValueError as error:
            skip(self._key, error)
            began, failures, messages = now, 0, 0
        noted = readable(self._key, fields, lambda _name, value: second(value))
        items = {(kind, event): at for name, at in noted.items() for kind, event in [_item(name)]}
        return Delivered(began=began, failures=failures, messages=messages, items=items)


_OWN = (b"lease", b"until", b"next", b"began", b"failures", b"messages")


def _item(name: str) -> tuple[str, str]:
    kind, _, event = name.partition(":")
    return kind, event
