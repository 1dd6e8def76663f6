"""The watch of a webhook: it checks the events of an application and delivers what changed.

It runs in a thread beside the loop of a clock and reads the server itself. So it notices a loop
that hangs, and the runs that workers record.
"""

from __future__ import annotations

from collections.abc import Callable

from redis import Redis

from clock import log
from clock.errors import ServerError
from clock.ledger.deliveries import Delivered, DeliveryLedger, Settlement
from clock.observe.last_errors import read_last_errors
from clock.observe.reading import read_status
from clock.observe.status import AppStatus
from clock.watchers.message import message_of
from clock.watchers.notices import DECISIONS, News, NoticeType, news
from clock.watchers.post import TIMEOUT, post
from clock.webhook import Webhook

EVERY = 5.0
"""Seconds between two checks."""

SHARE = 0.02
"""The share of its time that a watch spends on checks: with many events it checks less often."""

QUIET = 60.0
"""Seconds between two messages to a webhook. What happens in between is in one message."""

BACK_OFF = (5.0, 10.0, 30.0, 60.0, 120.0)
"""Seconds after the first failures of a webhook; from then on, ``LONGEST``."""

LONGEST = 300.0
"""Seconds between two tries, however long a webhook fails."""


class WebhookWatch:
    """Delivers to one webhook what changes about the events of ``app``, for the clock ``token``."""

    def __init__(
        self,
        webhook: Webhook,
        connection: Redis,
        *,
        app: str,
        token: str,
        tolerance: float,
        now: Callable[[], float],
    ) -> None:
        """An event is overdue from ``tolerance`` seconds on. ``now`` returns the time in UTC
        seconds since 1970.
        """
        self._webhook = webhook
        self._connection = connection
        self._app = app
        self._tolerance = tolerance
        self._now = now
        self._ledger = DeliveryLedger(connection, app, webhook.digest, token)
        self._began: float | None = None
        self._unsettled: Settlement | None = None
        self._is_failing = False

    def check(self) -> float:
        """Check, and deliver what changed; returns the seconds to wait before the next check.

        Raises ServerError: nothing is lost, and the next check delivers it.
        """
        begin = self._now()
        self._began = begin if self._began is None else self._began
        if self._unsettled is not None:
            # The server went away after the delivery.
            self._settle(self._unsettled)
        delivered = self._ledger.take(begin)
        if delivered is None:
            return EVERY
        changes = self._changes(delivered)
        wait = max(EVERY, (self._now() - begin) / SHARE)
        if not changes.notices:
            self._settle(
                Settlement(
                    next=self._now() + wait, failures=delivered.failures, removed=changes.removed
                )
            )
            return wait
        # Another clock may have delivered it, where this one was suspended meanwhile.
        again = self._ledger.take(self._now())
        if again is not None and again.items == delivered.items:
            self._settle(self._deliver(changes, delivered))
        return wait

    def _changes(self, delivered: Delivered) -> News:
        status = read_status(
            self._connection,
            self._app,
            self._now(),
            tolerance=self._tolerance,
            decisions=DECISIONS,
        )
        known = status.now - (self._began or status.now) > self._tolerance
        changes = news(status, delivered, is_overdue_known=known)
        failing = {notice.event for notice in changes.notices if notice.type is NoticeType.FAILING}
        if failing:
            errors = self._errors(status, failing)
            changes = news(status, delivered, is_overdue_known=known, errors=errors)
        return changes

    def _errors(self, status: AppStatus, events: set[str]) -> dict[str, str]:
        try:
            return read_last_errors(self._connection, status, events)
        except ServerError:  # the ACL may deny the results of jobs
            return {}

    def _deliver(self, changes: News, delivered: Delivered) -> Settlement:
        now = self._now()
        message = message_of(self._app, changes.notices, now, delivered.messages + 1)
        headers = message.headers(now, self._webhook.key)
        reason = post(self._webhook.url, message.body, headers, TIMEOUT)
        if reason:
            self._log_failure(reason)
            waits = (*BACK_OFF, LONGEST)
            wait = waits[min(delivered.failures, len(waits) - 1)]
            return Settlement(next=self._now() + wait, failures=delivered.failures + 1)
        self._is_failing = False
        log.info("webhook sent", host=self._webhook.host, notices=len(changes.notices))
        return Settlement(
            next=self._now() + QUIET, messages=1, noted=changes.noted, removed=changes.removed
        )

    def _log_failure(self, reason: str) -> None:
        if not self._is_failing:
            self._is_failing = True
            log.warning("webhook failed", host=self._webhook.host, reason=reason)

    def _settle(self, settlement: Settlement) -> None:
        self._unsettled = settlement
        self._ledger.settle(self._now(), settlement)
        self._unsettled = None
