# SPDX-License-Identifier: Apache-2.0
"""
Where a request came from (invariant 14): the socket's peer, unless that is a trusted proxy.

A trusted proxy appends the address it saw to ``X-Forwarded-For``. The client is the last address in it that is not
itself a trusted proxy; what stands further left was written by the client and is not believed.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence
from typing import Final

import msgspec

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Headers = Sequence[tuple[bytes, bytes]]

ORIGIN_HEADERS: Final = (b"x-forwarded-for", b"x-forwarded-proto")
"""The headers that say where a request came from, and all that are read here."""


class Origin(msgspec.Struct, frozen=True):
    """The client's address, or None where it is unknown, and whether it came over TLS."""

    address: str | None
    secure: bool


def origin(peer: str | None, scheme: str, headers: Headers, trusted_proxies: Sequence[Network]) -> Origin:
    """The origin of a request. ``peer`` is the socket's address, None for a Unix socket; ``scheme`` the listener's."""
    peer = None if peer is None else normal_address(peer)
    if not trusted_proxies or peer is None or not _trusted(peer, trusted_proxies):
        return Origin(peer, scheme == "https")
    return _told(peer, scheme, headers, trusted_proxies)


def origin_behind(peer: str | None, scheme: str, headers: Headers, trusted_proxies: Sequence[Network]) -> Origin:
    """The origin of a request that a proxy brings which has shown who it is: it is believed, whatever its address."""
    peer = None if peer is None else normal_address(peer)
    return Origin(None, scheme == "https") if peer is None else _told(peer, scheme, headers, trusted_proxies)


def _told(peer: str, scheme: str, headers: Headers, trusted_proxies: Sequence[Network]) -> Origin:
    """What a peer says that is believed."""
    forwarded = _values(headers, b"x-forwarded-for")
    address: str | None = peer
    for candidate in reversed(forwarded):
        address = normal_address(candidate)  # None: what we trust wrote no address, and none is better than a wrong one
        if address is None or (address != peer and not _trusted(address, trusted_proxies)):
            break
    schemes = _values(headers, b"x-forwarded-proto")
    return Origin(address, (schemes[-1].lower() if schemes else scheme) == "https")


def _values(headers: Headers, name: bytes) -> list[str]:
    found = [value for header, value in headers if header == name]
    if not found:
        return []
    if len(found) == 1 and found[0].find(b",") < 0:
        only = found[0].decode("latin-1").strip()
        return [only] if only else []
    joined = b",".join(found).decode("latin-1")
    return [value.strip() for value in joined.split(",") if value.strip()]


def normal_address(text: str) -> str | None:
    """
    An address as policies compare it: IPv4 behind a dual-stack listener as IPv4, IPv6 without a zone. None if it is none.
    """
    return _normal_address(text) if len(text) <= _LONGEST_ADDRESS else None


_LONGEST_ADDRESS: Final = 64
"""Characters of an IPv6 address with a zone. Longer texts are a client's, and are not worth the memory."""


@functools.lru_cache(maxsize=4096)
def _normal_address(text: str) -> str | None:
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _trusted(address: str, trusted_proxies: Sequence[Network]) -> bool:
    if not trusted_proxies:
        return False
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in trusted_proxies)
