# SPDX-License-Identifier: Apache-2.0
"""
What the gateway refuses on the wire never reaches its backend as a complete request, and does no harm to who comes next.

The requests are in ``journeys.gateway_attacks``; here is what becomes of them, and of those that only look odd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from fakes.backend import OK, answers_once, endless, stall, then
from journeys.gateway import Gateway, Sent, presigned
from journeys.gateway_attacks import BODY, FRAMING, HEADS, HIDDEN, PATHS, Attack, get, hidden, put
from journeys.gateway_forgeries import BODIES, CREDENTIALS, CUT
from real.s3_wire import HASHED, PAYLOADS, UNSIGNED_TRAILER

MISREAD: Mapping[str, Attack] = {**FRAMING, **HEADS, **PATHS}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_the_attacks_are_made_of_is_in_order(gateway: Gateway, payload: str) -> None:
    assert gateway.ask(put(gateway, payload=payload)).status == 200
    assert gateway.ask(get(gateway)).status == 200
    assert gateway.ask(presigned(gateway.keys, "GET", "/bucket/key")).status == 200
    assert len(gateway.backend.complete) == 3


@pytest.mark.parametrize("attack", MISREAD)
def test_what_two_servers_may_read_differently_is_refused_and_goes_no_further(gateway: Gateway, attack: str) -> None:
    assert 400 <= gateway.ask(MISREAD[attack](gateway)).status < 500
    assert gateway.backend.complete == []
    gateway.check_still_served()


MISMATCH = (403, "SignatureDoesNotMatch")
MALFORMED = (400, "AuthorizationHeaderMalformed")
DENIED = (403, "AccessDenied")
SKEWED = (403, "RequestTimeTooSkewed")
DIGEST = (400, "XAmzContentSHA256Mismatch")
INCOMPLETE = (400, "IncompleteBody")
TRAILER = (400, "MalformedTrailerError")

REFUSALS: Mapping[str, tuple[int, str]] = {
    "no signature": DENIED,
    "another secret": MISMATCH,
    "two Authorization headers": MALFORMED,
    "Authorization and Proxy-Authorization of nobody": DENIED,
    "a header and a query": MALFORMED,
    "a header and a parameter of a presigned query": MALFORMED,
    "a form beside a header": MALFORMED,
    "Signature Version 2": MALFORMED,
    "another service": MALFORMED,
    "the service s3express": MALFORMED,
    "another region": MALFORMED,
    "the region aws-global": MALFORMED,
    "a date in the scope that is not the date": MALFORMED,
    "signed sixteen minutes ago": SKEWED,
    "signed in sixteen minutes": SKEWED,
    "a presigned request that has expired": DENIED,
    "a presigned request for longer than a week": MALFORMED,
    "a presigned request with one more parameter": MISMATCH,
    "a presigned request with one parameter twice": MALFORMED,
    "a presigned GET as PUT": MISMATCH,
    "a presigned request with an x-amz header": DENIED,
    "a header that was signed, twice": MISMATCH,
    "an x-amz header that was not signed": DENIED,
    "an x-amz header that was not signed, in other case": DENIED,
    "an x-amz header by an underscore": (400, "InvalidArgument"),
    "the date twice": MISMATCH,
    "two payload hashes": MISMATCH,
    "no payload hash": MISMATCH,
    "a header for the backend's own use": DENIED,
}


@pytest.mark.parametrize("attack", CREDENTIALS)
def test_a_credential_that_is_not_for_this_request_is_refused(gateway: Gateway, attack: str) -> None:
    reply = gateway.ask(CREDENTIALS[attack](gateway))
    assert (reply.status, reply.code) == REFUSALS[attack]
    assert gateway.backend.opened == 0 or gateway.backend.received == 0
    gateway.check_still_served()


@pytest.mark.parametrize("attack", BODIES)
def test_a_body_that_is_not_the_one_that_was_signed_is_never_complete_for_the_backend(
    gateway: Gateway, attack: str
) -> None:
    reply = gateway.ask(BODIES[attack](gateway))
    assert reply.status in (400, 403)
    assert reply.code in {"BadDigest", "InvalidRequest", DIGEST[1], INCOMPLETE[1], TRAILER[1], MISMATCH[1]}
    assert gateway.backend.complete == []
    gateway.check_still_served()


@pytest.mark.parametrize("attack", CUT)
def test_a_body_that_does_not_come_whole_is_never_complete_for_the_backend(gateway: Gateway, attack: str) -> None:
    with gateway.line() as line:
        line.send(CUT[attack](gateway))
        line.socket.shutdown(1)
        assert line.ends() == b""
    gateway.backend.wait_until(lambda: gateway.backend.open == 0)
    assert gateway.backend.complete == []
    gateway.check_still_served()


def in_http_chunks(sent: Sent, *trailers: str, extension: str = "", coding: str = "chunked") -> Sent:
    """The same request, with its body in HTTP's chunks and more headers behind it."""
    body, end = sent.body, "".join(f"{line}\r\n" for line in trailers)
    chunks = f"{len(body):x}{extension}\r\n".encode() + body + f"\r\n0{extension}\r\n{end}\r\n".encode()
    return replace(sent.without("content-length").plus(("transfer-encoding", coding)), body=chunks)


def _trailing(gateway: Gateway) -> Sent:
    return put(gateway, payload=UNSIGNED_TRAILER)


ODD: Mapping[str, Callable[[Gateway], bytes]] = {
    "spaces in the first line": lambda g: get(g).octets.replace(b" /", b"   /", 1),
    "HTTP/1.0": lambda g: replace(get(g), version="HTTP/1.0").octets,
    "names of headers in capitals": lambda g: get(g).octets.replace(b"\r\nx-amz-date", b"\r\nX-AMZ-DATE"),
    "spaces around a length": lambda g: put(g).octets.replace(b"content-length: 39", b"content-length: \t 39 \t"),
    "empty lines before": lambda g: b"\r\n\r\n" + get(g).octets,
    "a question mark and nothing behind it": lambda g: get(g).octets.replace(b"key ", b"key? ", 1),
    "chunks": lambda g: in_http_chunks(_trailing(g)).octets,
    "chunks behind a tab": lambda g: in_http_chunks(_trailing(g), coding="\tchunked").octets,
    "chunks in capitals": lambda g: in_http_chunks(_trailing(g), coding="CHUNKED").octets,
    "chunks with an extension": lambda g: in_http_chunks(_trailing(g), extension=';a="b"').octets,
    "trailers that would be headers": lambda g: (
        in_http_chunks(
            _trailing(g),
            "authorization: AWS4-HMAC-SHA256 Credential=x",
            "x-amz-acl: public-read",
            "x-amz-copy-source: /bucket/other",
            "x-forwarded-for: 192.0.2.7",
            "x-daypass-principal: arn:aws:iam::123456789012:root",
            "range: bytes=0-1",
            "host: other.example",
        ).octets
    ),
    "headers of one hop": lambda g: (
        get(g)
        .plus(
            ("connection", "keep-alive"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "close"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic eDp5"),
        )
        .octets
    ),
    "headers that the gateway sets itself": lambda g: (
        get(g)
        .plus(
            ("x-forwarded-for", "192.0.2.7"),
            ("x-real-ip", "192.0.2.7"),
            ("forwarded", "for=192.0.2.7"),
            ("x-daypass-principal", "arn:aws:iam::123456789012:root"),
            ("x-daypass-account", "999999999999"),
        )
        .octets
    ),
    "a request as the body": lambda g: put(g, body=hidden(g), payload=HASHED).octets,
}
"""Requests that are in order, though they may not look it."""

OF_THE_CALLER = (
    b"192.0.2.7",
    b"x-amz-acl",
    b"x-amz-copy-source",
    b"range",
    b"other.example",
    b":root",
    b"999999999999",
)
OF_ONE_HOP = (b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade", b"proxy-authorization", b"trailer")


@pytest.mark.parametrize("request_", ODD)
def test_what_only_looks_odd_goes_on_as_one_request_with_nothing_that_was_not_verified(
    gateway: Gateway, request_: str
) -> None:
    assert gateway.ask(ODD[request_](gateway)).status == 200
    (complete,) = gateway.backend.complete
    assert complete.target == b"/bucket/key"
    assert [word for word in OF_THE_CALLER if word in complete.head.lower()] == []
    assert [name for name in OF_ONE_HOP if complete.all(name)] == []
    assert len(complete.all(b"authorization")) == len(complete.all(b"host")) == 1
    assert b"Credential=backend/" in complete.all(b"authorization")[0]
    assert complete.all(b"x-forwarded-for") == [b"127.0.0.1"]
    assert complete.length == 0 or BODY in complete.body or HIDDEN in complete.body
    gateway.check_still_served()


def test_the_escapes_of_a_path_go_on_as_they_are(gateway: Gateway) -> None:
    """S3 signs the path decoded and escaped once; what was sent means the same, and is sent on."""
    for path in ("/bucket/a%20b%2Bc", "/bucket/%F0%9F%98%80", "/bucket/a%2Fb", "/bucket/a=b&c", "/bucket/%252e%252e/x"):
        sent = get(gateway, path.replace("=", "%3D").replace("&", "%26"))
        assert gateway.ask(sent.octets.replace(b"%3D", b"=", 1).replace(b"%26", b"&", 1)).status == 200
        assert gateway.backend.complete[-1].target == path.encode()


def test_requests_in_a_row_are_answered_in_their_order(gateway: Gateway) -> None:
    with gateway.line() as line:
        line.send(b"".join(get(gateway, f"/bucket/{number}").octets for number in range(20)))
        assert [line.reply().status for _ in range(20)] == [200] * 20
    assert [one.target for one in gateway.backend.complete] == [b"/bucket/%d" % number for number in range(20)]


@pytest.mark.parametrize(
    "behind", [b"garbage\r\n\r\n", b"\x00\x00", b"GET http://x/ HTTP/1.1\r\n\r\n", b"GET / HTTP/3\r\n"]
)
def test_what_follows_a_request_is_not_answered_in_its_place(gateway: Gateway, behind: bytes) -> None:
    gateway.backend.behave = then(end=stall)
    with gateway.line() as line:
        line.send(get(gateway).octets)
        gateway.backend.wait_until(lambda: len(gateway.backend.complete) == 1)
        line.send(behind)
        assert line.ends() == b""
    gateway.backend.wait_until(lambda: gateway.backend.open == 0)


def test_what_follows_a_request_does_not_get_into_its_answer(gateway: Gateway) -> None:
    gateway.backend.behave = endless(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", b"x" * 65_536)
    with gateway.line() as line:
        line.send(get(gateway).octets)
        assert line.head().startswith(b"HTTP/1.1 200 ")
        line.send(b"garbage\r\n\r\n")
        assert set(line.ends()) <= set(b"x")


def test_a_client_that_leaves_with_requests_in_the_queue_leaves_nothing_behind(gateway: Gateway) -> None:
    gateway.backend.behave = then(end=stall)
    with gateway.line() as line:
        line.send(get(gateway, "/bucket/first").octets + get(gateway, "/bucket/second").octets)
        gateway.backend.wait_until(lambda: len(gateway.backend.complete) == 1)
    gateway.backend.behave = answers_once(OK)
    gateway.backend.run(gateway.backend.hang_up())  # nobody reads from such a client, so it is not seen to leave before
    gateway.backend.wait_until(lambda: gateway.backend.open == 0)
    assert gateway.ask(get(gateway)).status == 200
