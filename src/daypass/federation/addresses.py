# SPDX-License-Identifier: Apache-2.0
"""
Which addresses an outbound connection may go to (RFC 6890 and the IANA special-purpose address registries).

The tables are written out rather than taken from ``ipaddress.is_global``, whose answers have changed between versions of
Python; a test proves that whatever the standard library calls private is refused here as well.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_REFUSED_V4: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; 0.0.0.0 is this machine
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a public address that is Azure's host agent inside its virtual machines
        "169.254.0.0/16",  # link-local; the metadata services of AWS, Google, Azure, ...
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocol assignments; Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Everything outside global unicast is refused: loopback, unspecified, link-local, unique local, multicast, ...
_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments; Teredo, which carries an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052; where it is in use, DNS64 answers with it


def is_permitted(address: Address, allowed_networks: Collection[Network], *, loopback: bool = False) -> bool:
    """
    Whether a connection may go to this address.

    1. An address with a zone belongs to one link: never.
    2. IPv6 forms that carry an IPv4 address (mapped, NAT64) are judged by the address that will be reached.
    3. The networks that the operator allowed, by DAYPASS_ALLOWED_ISSUER_NETWORKS.
    4. Loopback, when the caller says that it is what was asked for.
    5. Else it must be globally reachable.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:  # 1
            return False
        address = _carried(address)  # 2
    if any(address in network for network in allowed_networks):  # 3; never true across the two versions
        return True
    if loopback and address.is_loopback:  # 4
        return True
    if isinstance(address, ipaddress.IPv4Address):  # 5
        return not any(address in network for network in _REFUSED_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _REFUSED_V6)


def _carried(address: ipaddress.IPv6Address) -> Address:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
