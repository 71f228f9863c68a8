# SPDX-License-Identifier: Apache-2.0
"""Which backend a request is for: by what it says, compared whole, and never by half."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from daypass.errors import ConfigurationError, Reason, RequestError
from daypass.gateway.actions.execute_api import ExecuteApiActions
from daypass.gateway.backends import Backend, Backends, Upstream, bucket_in_host, host_name
from daypass.gateway.denials import HTTP_FORM

ACTIONS = ExecuteApiActions("prod", "api")
PLAIN = Backend(
    "rest", "execute-api", ACTIONS, lambda _raw: HTTP_FORM, Upstream("http", "127.0.0.1", 9000), "us-east-1", "1" * 12
)


def backend(name: str, *, host: str | None = None, path: str | None = None, service: str = "execute-api") -> Backend:
    return replace(PLAIN, name=name, host=host, path=path, service=service)


BACKENDS = Backends(
    [
        backend("store", host="s3.example.org", service="s3"),
        backend("api", host="api.example.org"),
        backend("api-v2", host="api.example.org", path="/v2"),
        backend("files", path="/files"),
        backend("deep", path="/files/deep"),
        PLAIN,
    ]
)


@pytest.mark.parametrize(
    ("host", "path", "name", "bucket"),
    [
        (b"s3.example.org", b"/lake/key", "store", None),
        (b"S3.Example.ORG:8443", b"/lake/key", "store", None),
        (b"s3.example.org.", b"/", "store", None),
        (b"lake.s3.example.org", b"/key", "store", "lake"),
        (b"my.lake.s3.example.org", b"/key", "store", "my.lake"),
        (b"xs3.example.org", b"/key", "rest", None),
        (b"s3.example.org.evil.org", b"/key", "rest", None),
        (b"sub.api.example.org", b"/", "rest", None),  # buckets are S3's
        (b"api.example.org", b"/v2", "api-v2", None),
        (b"api.example.org", b"/v2/", "api-v2", None),
        (b"api.example.org", b"/v2x", "api", None),
        (b"api.example.org", b"/v%32", "api", None),  # raw bytes: nothing is decoded to choose
        (b"localhost", b"/files", "files", None),
        (b"localhost", b"/files/deep/x", "deep", None),
        (b"localhost", b"/files/deeper", "files", None),
        (b"[::1]:8451", b"/", "rest", None),
        (b"", b"/", "rest", None),
    ],
)
def test_a_backend_is_chosen_by_host_and_raw_path(host: bytes, path: bytes, name: str, bucket: str | None) -> None:
    chosen = BACKENDS.choose(host, path)
    assert chosen is not None
    assert (chosen.backend.name, chosen.bucket) == (name, bucket)


def test_without_one_that_takes_the_rest_what_none_takes_is_nobodys() -> None:
    some = Backends([backend("store", host="s3.example.org", service="s3"), backend("files", path="/files")])
    assert some.choose(b"other.example.org", b"/") is None
    assert some.choose(b"other.example.org", b"/filesystem") is None


@pytest.mark.parametrize(
    "pair",
    [
        (backend("same", path="/a"), backend("same", path="/b")),
        (backend("a", host="h"), backend("b", host="h")),
        (backend("a", host="h", path="/x"), backend("b", host="h", path="/x")),
        (backend("a", path="/x"), backend("b", path="/x")),
        (backend("a"), backend("b")),
    ],
)
def test_two_backends_for_the_same_requests_are_refused(pair: tuple[Backend, Backend]) -> None:
    with pytest.raises(ConfigurationError):
        Backends(pair)


def test_one_store_with_two_accounts_is_refused() -> None:
    first, second = backend("a", host="a", service="s3"), backend("b", host="b", service="s3")
    Backends([first, second])
    Backends([first, replace(second, account="2" * 12, upstream=Upstream("http", "127.0.0.1", 9001))])
    with pytest.raises(ConfigurationError):
        Backends([first, replace(second, account="2" * 12)])


def test_a_host_that_is_a_buckets_at_the_same_store_is_refused() -> None:
    store = replace(backend("a", host="s3.example", service="s3"), virtual_hosted=True)
    pond = backend("b", host="pond.s3.example", service="s3")
    with pytest.raises(ConfigurationError, match="that of a bucket"):
        Backends([store, pond])
    Backends([store, replace(pond, upstream=Upstream("http", "127.0.0.1", 9001))])
    Backends([replace(store, virtual_hosted=False), pond])
    Backends([store, replace(pond, host="ponds3.example")])


def test_a_request_to_s3_is_not_decided_about_where_its_host_is_not_known() -> None:
    with pytest.raises(RequestError, match="by which host"):
        bucket_in_host(backend("a", service="s3"), b"b.s3.example")
    assert bucket_in_host(backend("a", service="sqs"), b"anything") is None


def test_backends_for_proxies_to_ask_about_need_no_match() -> None:
    asked = [replace(backend(name), proxy="nginx") for name in ("by-nginx", "by-nginx-too")]
    both = Backends([*asked, PLAIN]).choose(b"localhost", b"/")
    alone = Backends(asked[:1]).choose(b"localhost", b"/")
    assert both is not None
    assert both.backend.name == PLAIN.name
    assert alone is not None
    assert alone.backend.name == "by-nginx"
    assert Backends(asked).choose(b"localhost", b"/") is None


def test_a_backend_is_found_by_its_whole_name_only() -> None:
    assert BACKENDS.named("store") is not None
    assert BACKENDS.named("stor") is None
    assert BACKENDS.named("") is None


@pytest.mark.parametrize(
    ("header", "name"),
    [(b"[2001:db8::1]:80", "2001:db8::1"), (b"h:80", "h"), (b"h", "h"), (b"H.", "h"), (b"[broken", "broken")],
)
def test_the_name_of_a_host_header_has_no_port(header: bytes, name: str) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        (b"s3.example", None),
        (b"s3.example:9000", None),
        (b"b.s3.example", "b"),
        (b"b.s3.example:80", "b"),
        (b"a.b.s3.example", "a.b"),
    ],
)
def test_a_bucket_in_the_host_counts_where_the_backend_takes_it(host: bytes, bucket: str | None) -> None:
    virtual_hosted = replace(backend("s3", host="s3.example", service="s3"), virtual_hosted=True)
    assert bucket_in_host(virtual_hosted, host) == bucket
    by_path = replace(virtual_hosted, virtual_hosted=False)
    if bucket is None:
        assert bucket_in_host(by_path, host) is None
    else:
        with pytest.raises(RequestError, match="into the path"):
            bucket_in_host(by_path, host)


@pytest.mark.parametrize(
    "host",
    [
        *(b"S3.example", b"s3.example.", b"[s3.example]", b"s3.example:", b"s3.example:8o", b"s3.example:80:80", b""),
        *(
            b".s3.example",
            b"b.s3.example.",
            b"b.S3.example",
            b"b.s3.example:x",
            b"bs3.example",
            b"s3.example.b",
            b"b.s3.example.s3.example",
            b"s3.example.s3.example",
            b"b.s3.example.com.s3.example",
            b"\xff",
        ),
    ],
)
def test_a_host_that_the_backend_may_read_otherwise_is_refused(host: bytes) -> None:
    virtual_hosted = replace(backend("s3", host="s3.example", service="s3"), virtual_hosted=True)
    with pytest.raises(RequestError) as refused:
        bucket_in_host(virtual_hosted, host)
    assert refused.value.reason is Reason.NO_SUCH_BACKEND


@pytest.mark.parametrize(
    ("upstream", "authority"),
    [
        (Upstream("http", "127.0.0.1", 9000), "127.0.0.1:9000"),
        (Upstream("http", "store", 80), "store"),
        (Upstream("https", "store", 443), "store"),
        (Upstream("https", "store", 80), "store:80"),
        (Upstream("http", "::1", 9000), "[::1]:9000"),
    ],
)
def test_the_authority_of_an_upstream_is_what_clients_write(upstream: Upstream, authority: str) -> None:
    assert upstream.authority == authority
