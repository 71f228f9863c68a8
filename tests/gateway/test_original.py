# SPDX-License-Identifier: Apache-2.0
"""The client's request as a proxy tells it: in the one way that is the proxy's, and whole."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.execute_api import ExecuteApiActions
from daypass.gateway.backends import Backend, Proxy, Upstream
from daypass.gateway.denials import HTTP_FORM
from daypass.gateway.incoming import Head
from daypass.gateway.original import original_request

ACTIONS = ExecuteApiActions("prod", "api")
UPSTREAM = Upstream("http", "127.0.0.1", 9000)
PLAIN = Backend("lake", "s3", ACTIONS, lambda _raw: HTTP_FORM, UPSTREAM, "us-east-1", "1" * 12)
TOLD: dict[Proxy, tuple[str, list[tuple[bytes, bytes]]]] = {
    "nginx": ("/authz/lake", [(b"x-original-method", b"PUT"), (b"x-original-uri", b"/b/k?x=1")]),
    "caddy": ("/authz/lake", [(b"x-forwarded-method", b"PUT"), (b"x-forwarded-uri", b"/b/k?x=1")]),
    "traefik": ("/authz/lake", [(b"x-forwarded-method", b"PUT"), (b"x-forwarded-uri", b"/b/k?x=1")]),
    "envoy": ("/authz/lake/b/k", [(b"x-original-address", b"198.51.100.7")]),
    "envoy-grpc": ("/authz/lake/b/k", [(b"x-original-address", b"198.51.100.7")]),
}
"""How each proxy tells of the same request."""
ENVOY = ("envoy", "envoy-grpc")


def told(
    proxy: Proxy, *more: tuple[bytes, bytes], without: bytes = b"", method: str = "PUT", path: str = "/b/k"
) -> Head:
    asked, headers = TOLD[proxy]
    headers = [(name, method.encode() if name.endswith(b"-method") else value) for name, value in headers]
    headers = [(name, value.replace(b"/b/k", path.encode())) for name, value in headers]
    scope: dict[str, Any] = {
        "method": method if proxy in ENVOY else "GET",
        "raw_path": asked.replace("/b/k", path).encode(),
        "query_string": b"x=1" if proxy in ENVOY else b"",
        "headers": [pair for pair in [(b"host", b"s3.example"), *headers, *more] if pair[0] != without],
        "client": ("192.0.2.2", 1234),
        "scheme": "http",
    }
    return original_request(scope, replace(PLAIN, proxy=proxy), lambda: 0.0, ())


def refusal(proxy: Proxy, *more: tuple[bytes, bytes], without: bytes = b"") -> Reason:
    with pytest.raises(RequestError) as refused:
        told(proxy, *more, without=without)
    return refused.value.reason


@pytest.mark.parametrize("proxy", TOLD)
def test_a_request_is_told_in_the_way_of_the_proxy(proxy: Proxy) -> None:
    head = told(proxy, (b"x-amz-date", b"20300101T000000Z"))
    assert (head.raw.method, head.raw.path, head.raw.query, head.host) == ("PUT", b"/b/k", b"x=1", b"s3.example")
    assert sorted(name for name, _ in head.raw.headers) == [b"host", b"x-amz-date"]


OTHERWISE = [(proxy, other) for proxy in TOLD for other in ("nginx", "caddy") if TOLD[proxy][1] != TOLD[other][1]]


@pytest.mark.parametrize(("proxy", "other"), OTHERWISE)
def test_a_request_that_is_told_in_another_way_too_is_refused(proxy: Proxy, other: Proxy) -> None:
    assert refusal(proxy, *TOLD[other][1]) is Reason.PROXY_QUESTION_AMBIGUOUS


@pytest.mark.parametrize("name", [b"x-original-method", b"x-original-uri", b"host", b"x-original-content-length"])
def test_what_is_told_twice_is_refused(name: bytes) -> None:
    assert refusal("nginx", (name, b"1"), (name, b"1")) is Reason.PROXY_QUESTION_AMBIGUOUS


@pytest.mark.parametrize(("said", "length"), [(b"0", 0), (b"5", 5), (b"999999999999999999", 10**18 - 1)])
def test_the_clients_length_is_a_header_of_its_request(said: bytes, length: int) -> None:
    head = told("nginx", (b"x-original-content-length", said), (b"content-length", b"0"))
    assert head.length == length
    assert [value for name, value in head.raw.headers if name == b"content-length"] == [said]


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_body_in_chunks_has_no_length(method: str) -> None:
    head = told("nginx", (b"x-original-content-length", b"chunked"), method=method)
    assert head.length is None
    assert b"content-length" not in dict(head.raw.headers)


@pytest.mark.parametrize(
    ("method", "length"), [("PUT", None), ("POST", None), ("PATCH", None), ("GET", 0), ("DELETE", 0)]
)
def test_a_body_of_which_nothing_is_said_may_be_there_where_one_is_usual(method: str, length: int | None) -> None:
    assert told("envoy", method=method).length == length
    assert told("caddy", (b"x-original-content-length", b""), method=method).length == 0


@pytest.mark.parametrize("said", [b"-1", b"5,5", b"0x5", b"5 ", b"\xb2", b"1" * 19, b"Chunked"])
def test_a_length_that_is_none_is_refused(said: bytes) -> None:
    assert refusal("nginx", (b"x-original-content-length", said)) is Reason.PROXY_QUESTION_AMBIGUOUS


def test_envoy_tells_the_clients_address_itself() -> None:
    head = told("envoy", (b"x-forwarded-for", b"203.0.113.9, 192.0.2.2"))
    assert head.facts.source_ip == "198.51.100.7"
    assert refusal("envoy", without=b"x-original-address") is Reason.PROXY_QUESTION_AMBIGUOUS


@pytest.mark.parametrize("path", ["/b/..;/k", "/b/.;x=1/k", "/b/%2E%2e%3B/k", "/..;"])
@pytest.mark.parametrize("proxy", TOLD)
def test_dots_with_a_parameter_are_refused_whoever_asks(proxy: Proxy, path: str) -> None:
    with pytest.raises(RequestError) as refused:
        told(proxy, path=path)
    assert refused.value.reason is Reason.MALFORMED_REQUEST
    assert told(proxy, path="/b/a;b/..c;d").raw.path == b"/b/a;b/..c;d"


@pytest.mark.parametrize("proxy", ["nginx", "caddy", "traefik"])
def test_the_others_tell_the_clients_address_as_ever(proxy: Proxy) -> None:
    more = (b"x-forwarded-for", b"203.0.113.9, 203.0.113.10"), (b"x-original-address", b"198.51.100.7")
    assert told(proxy, *more).facts.source_ip == "203.0.113.10"
