"""The message to a webhook: JSON that chat services show as it is, signed where there is a secret.

Headers and signature are those of the Standard Webhooks specification. Beside the typed members the
body has ``text``, which Slack, Mattermost and Rocket.Chat post as a message.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clock.observe.formatting import utc_exact
from clock.observe.last_errors import shortened
from clock.observe.objects import filled, run_object
from clock.version import VERSION
from clock.watchers.notices import NOTICE, Notice, NoticeType

NAMED = 20
"""Notices that a message names; of more it has the number."""

TYPE = "events.changed"
"""The type of every message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message. Its ``id`` is the same where it is sent again."""

    id: str
    body: bytes

    def headers(self, now: float, key: bytes | None) -> dict[str, str]:
        """The headers of a request at ``now`` (UTC seconds since 1970), signed with ``key``."""
        timestamp = str(int(now))
        headers = {
            "content-type": "application/json",
            "user-agent": f"rq-clock/{VERSION}",
            "webhook-id": self.id,
            "webhook-timestamp": timestamp,
        }
        if key is not None:
            signed = f"{self.id}.{timestamp}.".encode() + self.body
            digest = hmac.new(key, signed, hashlib.sha256).digest()
            headers["webhook-signature"] = f"v1,{b64encode(digest).decode()}"
        return headers


def message_of(app: str, notices: Sequence[Notice], now: float, number: int) -> Message:
    """The message with all ``notices`` of ``app``, the ``number``-th to its webhook; ``now`` is UTC
    seconds since 1970.
    """
    counted = Counter(notice.type for notice in notices)
    counts = {str(kind): counted[kind] for kind in NoticeType if counted[kind]}
    shown = notices[:NAMED]
    body: dict[str, Any] = {
        "type": TYPE,
        "timestamp": utc_exact(now),
        "text": _text(app, counts, shown, len(notices)),
        "data": {
            "app": app,
            "counts": counts,
            "notices": [notice_object(notice) for notice in shown],
            "more": len(notices) - len(shown),
        },
    }
    # Of a message that is sent again, times and lines may differ; what it is about does not.
    about = json.dumps([app, number, *sorted((notice.type, notice.event) for notice in notices)])
    digest = hashlib.sha256(about.encode()).hexdigest()[:32]
    return Message(id=f"msg_{digest}", body=json.dumps(body).encode())


def notice_object(notice: Notice) -> dict[str, Any]:
    """A notice, for machines."""
    return filled(NOTICE, notice, run=None if notice.run is None else run_object(notice.run))


def _text(app: str, counts: dict[str, int], shown: Sequence[Notice], total: int) -> str:
    head = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    lines = [f"{_code(app)}: {head}"]
    lines += [f"• {notice.type}: {_code(notice.event)}: {_code(notice.line)}" for notice in shown]
    if total > len(shown):
        lines.append(f"and {total - len(shown)} more")
    return "\n".join(lines)


def _code(text: str) -> str:
    """``text`` so that a chat service shows it and obeys nothing in it: no mention, no link."""
    line = shortened(text).replace("`", "'")
    for character, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        line = line.replace(character, escaped)
    return f"`{line}`"
