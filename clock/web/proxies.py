"""Proxies in front of the web UI: whose headers are believed, and the address of a client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from starlette.requests import HTTPConnection

from clock.errors import SettingsError

Network = IPv4Network | IPv6Network

UNKNOWN = "unknown"
"""The address of a client whose server gives none, as on a Unix socket."""

HOPS = 20
"""Forwarded addresses that are looked at, from the last one."""


def read_proxies(environ: Mapping[str, str], settings: Mapping[str, Any]) -> Sequence[Network]:
    """The networks of ``CLOCK_WEB_PROXIES``, separated by commas, else of the list
    ``WEB_PROXIES``. Raises SettingsError.
    """
    value: Any = environ.get("CLOCK_WEB_PROXIES") or settings.get("WEB_PROXIES") or ()
    words = value.split(",") if isinstance(value, str) else value
    try:
        return tuple(ip_network(word.strip()) for word in words)
    except (ValueError, TypeError, AttributeError):
        shape = "must be a list of addresses and networks, such as 10.0.0.0/8"
        raise SettingsError(f"WEB_PROXIES {shape}") from None


def is_of_proxy(request: HTTPConnection, proxies: Sequence[Network]) -> bool:
    """Whether one of ``proxies`` sent the request."""
    return request.client is not None and _is_within(request.client.host, proxies)


def address_of(request: HTTPConnection, proxies: Sequence[Network]) -> str:
    """The address of the client: that of the connection, or the last one before ``proxies`` in
    ``X-Forwarded-For``. Others can write whatever they like into that header.
    """
    if request.client is None:
        return UNKNOWN
    address = request.client.host
    headers = request.headers.getlist("x-forwarded-for")
    hops = [hop.strip() for header in headers for hop in header.split(",")]
    for hop in reversed(hops[-HOPS:]):
        if not _is_within(address, proxies) or not _is_address(hop):
            break
        address = hop
    return address[:50]


def network_of(address: str) -> str:
    """What one client can choose its address from: an IPv6 network of 64 bits, else ``address``."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed) >> 64 << 64, 64)))


def _is_within(address: str, proxies: Sequence[Network]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return any((mapped or parsed) in network for network in proxies)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
