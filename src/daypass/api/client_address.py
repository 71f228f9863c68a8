# SPDX-License-Identifier: Apache-2.0
"""
Where a request came from (invariant 14): the socket's peer, unless that is a trusted proxy.

A trusted proxy appends the address it saw to ``X-Forwarded-For``. The client is the last address in it that is not
itself a trusted proxy; what stands further left was written by the client and is not believed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import msgspec

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Headers = Sequence[tuple[bytes, bytes]]


class Origin(msgspec.Struct, frozen=True):
    """The client's address, or None where it is unknown, and whether it came over TLS."""

    address: str | None
    secure: bool


def origin(peer: str | None, scheme: str, headers: Headers, trusted_proxies: Sequence[Network]) -> Origin:
    """The origin of a request. ``peer`` is the socket's address, None for a Unix socket; ``scheme`` the listener's."""
    if not trusted_proxies or peer is None or not _trusted(peer, trusted_proxies):
        return Origin(peer, scheme == "https")
    forwarded = _values(headers, b"x-forwarded-for")
    address: str | None = peer
    for candidate in reversed(forwarded):
        if not _is_address(candidate):
            address = None  # the proxy we trust wrote something else than an address: better none than a wrong one
            break
        address = candidate
        if not _trusted(candidate, trusted_proxies):
            break
    schemes = _values(headers, b"x-forwarded-proto")
    return Origin(address, (schemes[-1].lower() if schemes else scheme) == "https")


def _values(headers: Headers, name: bytes) -> list[str]:
    joined = b",".join(value for header, value in headers if header == name).decode("latin-1")
    return [value.strip() for value in joined.split(",") if value.strip()]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _trusted(address: str, trusted_proxies: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted_proxies)
