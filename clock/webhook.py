"""Webhooks as the settings name them: a URL, and the secret that signs what is sent there."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from clock.errors import SettingsError

SECRET_PREFIX = "whsec_"  # noqa: S105
"""How a secret begins, by the Standard Webhooks specification; the rest is base64."""

SECRET_BYTES = range(24, 65)
"""How long a secret may be, by the same specification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A URL that is told what happens to events. It may contain a secret, and is never shown.

    ``key`` are the bytes of the secret that signs the messages; None where they are not signed.
    """

    url: str = field(repr=False)
    key: bytes | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """The host of the URL, for log lines."""
        return urlsplit(self.url).hostname or ""

    @property
    def digest(self) -> str:
        """What stands for the URL where the URL must not be: 16 hexadecimal digits."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]


def read_webhooks(namespace: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Webhook, ...]:
    """The webhook of ``CLOCK_WEBHOOK_URL`` and ``CLOCK_WEBHOOK_SECRET`` in ``environ``, else those
    of ``WEBHOOKS`` in the ``namespace`` of a settings module.

    Raises SettingsError, which shows neither a URL nor a secret.
    """
    url = environ.get("CLOCK_WEBHOOK_URL")
    if url:
        secret = environ.get("CLOCK_WEBHOOK_SECRET") or None
        return (_webhook("CLOCK_WEBHOOK_URL", url, "CLOCK_WEBHOOK_SECRET", secret),)
    items = namespace.get("WEBHOOKS", ())
    if not isinstance(items, (list, tuple)) or not all(map(_is_item, items)):
        raise SettingsError(
            "WEBHOOKS in the settings must be a list of dictionaries, each with a 'url' and, to "
            "sign what is sent, a 'secret'"
        )
    webhooks = tuple(
        _webhook(
            f"'url' of WEBHOOKS[{index}]",
            item["url"],
            f"'secret' of WEBHOOKS[{index}]",
            item.get("secret"),
        )
        for index, item in enumerate(items)
    )
    if len({webhook.url for webhook in webhooks}) < len(webhooks):
        raise SettingsError("WEBHOOKS in the settings must not have one URL twice")
    return webhooks


def is_http_url(value: object) -> bool:
    """Whether ``value`` is a URL that can be requested over HTTP or HTTPS."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return False
    try:
        parts = urlsplit(value)
        # The port is parsed when it is read.
        has_host = bool(parts.hostname) and parts.port != 0
        return parts.scheme in {"http", "https"} and has_host and " " not in value
    except ValueError:
        return False


def _is_item(item: object) -> bool:
    return isinstance(item, Mapping) and "url" in item and item.keys() <= {"url", "secret"}


def _webhook(url_name: str, url: object, secret_name: str, secret: object) -> Webhook:
    # The values may contain secrets, so they are not shown.
    if not is_http_url(url) or "@" in urlsplit(str(url)).netloc:
        raise SettingsError(
            f"{url_name} must be a URL that begins with http:// or https://, without a user"
        )
    key = None if secret is None else _key(secret)
    if secret is not None and key is None:
        raise SettingsError(
            f"{secret_name} must be {SECRET_PREFIX} and the base64 of {SECRET_BYTES.start} to "
            f"{SECRET_BYTES.stop - 1} random bytes"
        )
    return Webhook(url=str(url), key=key)


def _key(secret: object) -> bytes | None:
    if not isinstance(secret, str) or not secret.startswith(SECRET_PREFIX):
        return None
    try:
        key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (Error, ValueError):
        return None
    return key if len(key) in SECRET_BYTES else None
