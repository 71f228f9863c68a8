# SPDX-License-Identifier: Apache-2.0
"""The client's address comes from the socket, unless the peer is a trusted proxy (invariant 14)."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.doorway.client_address import Headers, Origin, normal_address, origin, origin_behind

PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


def forwarded(*values: str) -> Headers:
    return [(b"x-forwarded-for", value.encode("latin-1")) for value in values]


@pytest.mark.parametrize(
    ("why", "peer", "headers", "address"),
    [
        ("no proxy is trusted by being near", "192.0.2.1", forwarded("203.0.113.9"), "192.0.2.1"),
        ("a trusted proxy is believed", "10.0.0.1", forwarded("203.0.113.9"), "203.0.113.9"),
        ("what the client wrote itself is not", "10.0.0.1", forwarded("1.1.1.1, 203.0.113.9"), "203.0.113.9"),
        ("proxies in a row are walked through", "10.0.0.1", forwarded("203.0.113.9, 10.0.0.2"), "203.0.113.9"),
        ("several headers are one list", "10.0.0.1", forwarded("1.1.1.1", "203.0.113.9"), "203.0.113.9"),
        ("a proxy that says nothing is the client", "10.0.0.1", forwarded(), "10.0.0.1"),
        ("only proxies: the one furthest away", "10.0.0.1", forwarded("10.0.0.3, 10.0.0.2"), "10.0.0.3"),
        ("what is no address is no address", "10.0.0.1", forwarded("unknown"), None),
        ("nor is one behind which an address stands", "10.0.0.1", forwarded("203.0.113.9, x"), None),
        ("a dual-stack listener", "::ffff:10.0.0.1", forwarded("203.0.113.9"), "203.0.113.9"),
        ("a mapped client", "10.0.0.1", forwarded("::ffff:203.0.113.9"), "203.0.113.9"),
        ("a zone is no part of it", "fd00::1%eth0", forwarded("fe80::9%eth0"), "fe80::9"),
        ("a zone without proxies", "fe80::7%eth0", forwarded(), "fe80::7"),
        ("version 6", "fd00::1", forwarded("2001:db8::9"), "2001:db8::9"),
        ("a Unix socket has no address", None, forwarded("203.0.113.9"), None),
    ],
)
def test_the_address_is_the_last_one_that_somebody_trusted_saw(
    why: str, peer: str | None, headers: Headers, address: str | None
) -> None:
    assert origin(peer, "http", headers, PROXIES).address == address, why


def test_without_trusted_proxies_no_header_is_looked_at() -> None:
    headers = [*forwarded("203.0.113.9"), (b"x-forwarded-proto", b"https")]
    assert origin("10.0.0.1", "http", headers, ()) == Origin("10.0.0.1", False)


@pytest.mark.parametrize(
    ("peer", "scheme", "proto", "secure"),
    [
        ("10.0.0.1", "http", b"https", True),
        ("10.0.0.1", "https", b"http", False),
        ("10.0.0.1", "http", b"https, http", False),
        ("192.0.2.1", "http", b"https", False),
        ("192.0.2.1", "https", b"http", True),
    ],
)
def test_tls_is_believed_of_a_trusted_proxy_only(peer: str, scheme: str, proto: bytes, secure: bool) -> None:
    assert origin(peer, scheme, [(b"x-forwarded-proto", proto)], PROXIES).secure is secure


@given(value=st.binary(max_size=60))
def test_no_header_raises(value: bytes) -> None:
    origin("10.0.0.1", "http", [(b"x-forwarded-for", value)], PROXIES)


@pytest.mark.parametrize(
    ("why", "peer", "headers", "address"),
    [
        ("it is believed, wherever it is", "192.0.2.1", forwarded("203.0.113.9"), "203.0.113.9"),
        ("what the client wrote itself is not", "192.0.2.1", forwarded("1.1.1.1, 203.0.113.9"), "203.0.113.9"),
        (
            "its own address stands for another of its hops",
            "192.0.2.1",
            forwarded("203.0.113.9, 192.0.2.1"),
            "203.0.113.9",
        ),
        (
            "and is walked through in another form",
            "192.0.2.1",
            forwarded("203.0.113.9, ::ffff:192.0.2.1"),
            "203.0.113.9",
        ),
        (
            "trusted proxies before it are walked through",
            "192.0.2.1",
            forwarded("203.0.113.9, 10.0.0.2"),
            "203.0.113.9",
        ),
        ("a neighbour is not trusted for that", "192.0.2.1", forwarded("203.0.113.9, 192.0.2.2"), "192.0.2.2"),
        ("it says nothing", "192.0.2.1", forwarded(), "192.0.2.1"),
        ("what is no address is no address", "192.0.2.1", forwarded("unknown"), None),
        ("a Unix socket has no address", None, forwarded("203.0.113.9"), None),
    ],
)
def test_behind_a_proxy_that_has_shown_who_it_is_the_address_is_what_it_saw(
    why: str, peer: str | None, headers: Headers, address: str | None
) -> None:
    assert origin_behind(peer, "http", headers, PROXIES).address == address, why


def test_behind_a_proxy_that_has_shown_who_it_is_its_word_on_tls_counts() -> None:
    headers = [(b"x-forwarded-proto", b"https")]
    assert origin_behind("192.0.2.1", "http", headers, ()).secure
    assert not origin("192.0.2.1", "http", headers, ()).secure


@pytest.mark.parametrize(
    ("text", "address"), [("2001:db8::1%" + "z" * 52, "2001:db8::1"), ("2001:db8::1%" + "z" * 53, None)]
)
def test_a_text_that_is_longer_than_any_address_is_none(text: str, address: str | None) -> None:
    assert normal_address(text) == address
