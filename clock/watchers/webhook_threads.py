"""The threads that deliver to webhooks, one for each, so that none waits for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from clock import log
from clock.errors import ServerError, describe_error
from clock.webhook import Webhook

if TYPE_CHECKING:
    from redis import Redis

    from clock.watchers.webhook_watch import WebhookWatch

FIRST = 2.0
"""Seconds before the first check: the start of the clock comes first."""

AFTER_ERROR = 5.0
"""Seconds to wait after an error."""

OF_THE_WATCH = ("NoPermissionError", "ResponseError")
"""How the kinds of ServerError begin that a server which answers gives to the watch alone."""


def start_webhook_threads(
    webhooks: Sequence[Webhook],
    connection: Redis,
    *,
    app: str,
    token: str,
    tolerance: float,
    now: Callable[[], float],
) -> None:
    """Start the watches of ``webhooks``, each with a connection of its own, in threads that end
    with the process. ``now`` returns the host's time in UTC seconds since 1970, for a server whose
    ACL denies its own; the rest is as for ``WebhookWatch``.
    """

    def watch(webhook: Webhook) -> WebhookWatch:
        # Imported here, so that the first tick does not wait for it.
        from clock.connection.client import copy_client
        from clock.ledger.time_source import server_now
        from clock.watchers.webhook_watch import WebhookWatch

        own = copy_client(connection)
        return WebhookWatch(
            webhook,
            own,
            app=app,
            token=token,
            tolerance=tolerance,
            now=lambda: server_now(own, now()),
        )

    for webhook in webhooks:
        threading.Thread(
            target=_run, args=(webhook, watch), name="clock-webhook", daemon=True
        ).start()


def _run(webhook: Webhook, watch_of: Callable[[Webhook], WebhookWatch]) -> None:
    never = threading.Event()
    never.wait(FIRST)
    watch: WebhookWatch | None = None
    logged: set[str] = set()
    while True:
        try:
            watch = watch or watch_of(webhook)
            wait = watch.check()
            logged.clear()
        except Exception as error:  # whatever happens, the next check may succeed
            wait = AFTER_ERROR
            _log_once(webhook, error, logged)
        never.wait(wait)


def _log_once(webhook: Webhook, error: Exception, logged: set[str]) -> None:
    kind = error.kind if isinstance(error, ServerError) else describe_error(error)
    # The loop logs that the server is away, but not what only the watch is denied.
    is_ours = not isinstance(error, ServerError) or kind.startswith(OF_THE_WATCH)
    if is_ours and kind not in logged:
        logged.add(kind)
        log.warning("webhook not checked", host=webhook.host, reason=describe_error(error))
