"""Addresses without their passwords, whatever they look like."""

from __future__ import annotations

import re

STARS = "***"

_SCHEME = re.compile(r"[A-Za-z+]{1,12}")
_USER = re.compile(r"[\w.+-]*", re.ASCII)
_OPTION = re.compile(r"([?&](?:ssl_)?password=)(?:.*?(?=&[\w.-]+=)|.*)", re.I | re.S)
_PLACE = re.compile(
    r"(?:[\w.-]*|\[[0-9A-Fa-f:.]+\])"  # a host
    r"(?::\d*)?"
    r"(?:/[\w./-]*)?"  # a database, or the path of a socket
    r"(?:\?[\w.=&*/,%+:-]*)?",
    re.ASCII,
)


def masked(url: str) -> str:
    """``url`` with every password in it replaced by stars.

    A password that is not percent-encoded as it must be can make an address mean something else, or
    nothing. So what is left of the last ``@`` is a user and a password, and where there is no
    ``@``, only what is plainly a host, a port and a database is shown.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    if separator and not _SCHEME.fullmatch(scheme):
        return STARS
    user_and_password, at, place = rest.rpartition("@")
    place = _OPTION.sub(rf"\1{STARS}", place)
    if not at or "password=" in user_and_password:
        is_plain = not at and _PLACE.fullmatch(place)
        return f"{scheme}{separator}{place if is_plain else STARS}"
    user, colon, _ = user_and_password.partition(":")
    # A word alone may be a password whose colon was forgotten.
    shown = user if colon and _USER.fullmatch(user) else STARS
    return f"{scheme}{separator}{shown}{':' + STARS if colon else ''}@{place}"
