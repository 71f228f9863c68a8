# SPDX-License-Identifier: Apache-2.0
"""Which addresses an outbound connection may go to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.federation.addresses import Address, is_permitted

REFUSED = [
    "0.0.0.0", "0.255.255.255", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.255", "168.63.129.16",
    "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::1.2.3.4", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "3fff::1",
    "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "2606:4700::1%eth0", "fec0::1", "ff02::1",
    "::ffff:0:127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_of_the_public_internet_is_refused(address: str) -> None:  # J13
    assert not is_permitted(ipaddress.ip_address(address), ())


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
     "223.255.255.255",
     "168.63.129.15", "2606:4700::1", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)  # fmt: skip
def test_an_address_of_the_public_internet_is_permitted(address: str) -> None:
    assert is_permitted(ipaddress.ip_address(address), ())


def test_allowed_networks_are_permitted_to_their_very_edges() -> None:
    allowed = [ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("fd00:1::/32")]
    for address in ("10.20.0.0", "10.20.255.255", "::ffff:10.20.0.1", "fd00:1::1"):
        assert is_permitted(ipaddress.ip_address(address), allowed)
    for address in ("10.19.255.255", "10.21.0.0", "::ffff:10.21.0.0", "fd00:2::1", "fd00:1::1%eth0", "127.0.0.1"):
        assert not is_permitted(ipaddress.ip_address(address), allowed)


def test_loopback_is_permitted_only_to_who_asks_for_it() -> None:
    for address in ("127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"):
        assert is_permitted(ipaddress.ip_address(address), (), loopback=True)
        assert not is_permitted(ipaddress.ip_address(address), ())
    for address in ("0.0.0.0", "10.0.0.1", "::", "169.254.169.254"):
        assert not is_permitted(ipaddress.ip_address(address), (), loopback=True)


@given(st.ip_addresses())
def test_whatever_the_standard_library_calls_private_is_refused(address: Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        carriers = [ipaddress.ip_network(network) for network in ("::ffff:0:0/96", "64:ff9b::/96")]
        assert any(address in network for network in carriers) or not is_permitted(address, ())
