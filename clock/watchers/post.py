"""A POST request with a time limit."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

TIMEOUT = 8.0
"""Seconds a receiver has for its answer."""


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> str:
    """POST ``body`` to ``url``; returns an empty string where the answer is a success, else the
    reason, without the URL. Waits ``timeout`` seconds at most.

    Redirects are not followed: only the settings say where messages go.
    """
    reasons: list[str] = []
    too_long = f"no answer within {timeout:g} s"
    # A receiver that answers byte by byte would outlast every timeout of a socket.
    thread = threading.Thread(
        target=lambda: reasons.append(_post(url, body, headers, timeout)),
        name="clock-webhook-post",
        daemon=True,
    )
    thread.start()
    thread.join(timeout)
    # The socket may give up at the same moment.
    return too_long if not reasons or reasons[0] == TimeoutError.__name__ else reasons[0]


def _post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> str:
    # Imported here: most clocks have no webhooks.
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class NoRedirect(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        # Only http and https: the settings allow no other scheme.
        request = Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310
        with build_opener(NoRedirect).open(request, timeout=timeout):
            return ""
    except HTTPError as error:
        return f"status {error.code}"
    except URLError as error:
        return type(error.reason if isinstance(error.reason, Exception) else error).__name__
    except Exception as error:  # a receiver that answers with anything
        return type(error).__name__
