"""The address of a server: whether it is valid, and how it is shown without its password."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

STARS = "***"

SCHEMES = ("redis", "rediss", "unix")

ENCODE = (
    "write / # ? [ ] @ and % in its password percent-encoded, as %2F %23 %3F %5B %5D %40 and %25"
)

_MAY_HAVE_AT = {"username", "password", "client_name"}
"""Options of an address whose values may contain an @."""

_SCHEME = re.compile(r"[A-Za-z+]{1,12}")
_USER = re.compile(r"[\w.+-]*", re.ASCII)
_PASSWORD_OPTION = re.compile(r"([?&](?:ssl_)?password=)(?:.*?(?=&[\w.-]+=)|.*)", re.I | re.S)
_LOCATION = re.compile(
    r"(?:[\w.-]*|\[[0-9A-Fa-f:.]+\])"  # a host
    r"(?::\d*)?"
    r"(?:/[\w./-]*)?"  # a database, or the path of a socket
    r"(?:\?[\w.=&*/,%+:-]*)?",
    re.ASCII,
)


def masked(url: str) -> str:
    """``url`` with every password in it replaced by stars.

    A password that is not percent-encoded as it must be can change the meaning of an address, or
    make it invalid. So whatever precedes the last ``@`` is taken for a user and a password, and
    where there is no ``@``, only what is plainly a host, a port and a database is shown.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    if separator and not _SCHEME.fullmatch(scheme):
        return STARS
    credentials, at, location = rest.rpartition("@")
    location = _PASSWORD_OPTION.sub(rf"\1{STARS}", location)
    if not at or "password=" in credentials:
        is_plain = not at and _LOCATION.fullmatch(location)
        return f"{scheme}{separator}{location if is_plain else STARS}"
    user, colon, _ = credentials.partition(":")
    # A word alone may be a password whose colon was forgotten.
    shown = user if colon and _USER.fullmatch(user) else STARS
    return f"{scheme}{separator}{shown}{':' + STARS if colon else ''}@{location}"


def mistake_in(url: str) -> str | None:
    """Why ``url`` is not a valid address, in words that quote nothing of it; None if it is valid.

    What redis-py makes of the options of an address is left to redis-py.
    """
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES:
        return f"it must begin with {', '.join(f'{scheme}://' for scheme in SCHEMES)}"
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
    except ValueError:
        return ENCODE
    # One of these characters in a password ends the host part for every parser: the rest of the
    # password, and the @ before the host, are then read as a path, an option or a fragment.
    query = [part for part in parts.query.split("&") if part.partition("=")[0] not in _MAY_HAVE_AT]
    if scheme == "unix":
        is_torn = bool(parts.netloc) and ("@" not in parts.netloc or "@" in parts.path)
    else:
        is_torn = "@" in parts.path
    return ENCODE if is_torn or any("@" in part for part in (parts.fragment, *query)) else None
