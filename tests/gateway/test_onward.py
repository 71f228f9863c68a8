# SPDX-License-Identifier: Apache-2.0
"""What goes on to a backend, and what does not: headers, queries, lengths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from daypass.errors import Reason, RequestError
from daypass.gateway.bodies import CHUNK_BYTES, framed_length, trailer_lines
from daypass.gateway.onward import _length, onward_headers, without_credential
from daypass.sigv4 import RawRequest
from gateway.test_whole_bodies import BACKEND

CREDENTIAL = (
    b"X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Date=c&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature=d"
)


def kept(*headers: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    return onward_headers(RawRequest("GET", b"/", b"", headers))


@pytest.mark.parametrize(
    "name",
    [
        b"authorization",
        b"x-amz-date",
        b"x-amz-content-sha256",
        b"x-amz-security-token",
        b"x-daypass-principal",
        b"x-daypass-anything",
        b"x-forwarded-for",
        b"forwarded",
        b"te",
        b"transfer-encoding",
        b"upgrade",
        b"proxy-authorization",
        b"keep-alive",
        b"expect",
        b"host",
        b"content-length",
        b"x-amz-expected-bucket-owner",
    ],
)
def test_what_is_the_callers_or_of_the_way_does_not_go_on(name: bytes) -> None:
    assert kept((name, b"x"), (b"range", b"bytes=0-1")) == [(b"range", b"bytes=0-1")]


def test_every_other_header_goes_on_as_it_is_and_in_its_order() -> None:
    headers = (
        (b"x-amz-meta-b", b"2"),
        (b"x-amz-meta-a", "é".encode()),
        (b"cookie", b"a=b"),
        (b"x-amz-acl", b"private"),
    )
    assert kept(*headers) == [*headers]


@pytest.mark.parametrize("value", [b"x-amz-copy-source", b"close, X-Amz-Acl", b"upgrade", b"keep-alive,te"])
def test_a_connection_header_that_takes_others_away_is_refused(value: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        kept((b"connection", value))
    assert refused.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize("value", [b"close", b"Keep-Alive", b"", b"close, keep-alive"])
def test_a_connection_header_that_is_of_this_hop_is_taken_and_stays_here(value: bytes) -> None:
    assert kept((b"connection", value)) == []


def test_a_value_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(RequestError) as refused:
        kept((b"x-amz-meta-a", b"\xe9"))
    assert refused.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize(
    ("query", "left"),
    [
        (CREDENTIAL, b""),
        (CREDENTIAL + b"&versionId=1", b"versionId=1"),
        (b"versionId=%31&" + CREDENTIAL + b"&x-id=GetObject&a", b"versionId=%31&x-id=GetObject&a"),
        (CREDENTIAL + b"&X-Amz-Security-Token=t&X-Amz-Content-Sha256=u", b""),
        (b"X-Amz-Signatures=1", b"X-Amz-Signatures=1"),
    ],
)
def test_a_query_goes_on_without_its_credential_and_otherwise_untouched(query: bytes, left: bytes) -> None:
    assert without_credential(query) == left


@dataclass(frozen=True)
class Decoded:
    """A body in chunks of which the length is known."""

    length: int | None = 5
    trailers: Mapping[str, str] = field(default_factory=dict)
    checked: frozenset[str] = frozenset()

    def feed(self, data: bytes) -> list[bytes]:
        return [data]

    def finish(self) -> list[bytes]:
        return []


@pytest.mark.parametrize(
    ("name", "taken", "taken_without_trailers"),
    [
        ("crc32", True, True),
        ("sha256", True, True),
        ("crc32c", True, False),
        ("crc64nvme", True, False),
        ("sha512", False, False),
        ("xxhash64", False, False),
    ],
)
@pytest.mark.parametrize("trailers", [True, False])
def test_a_checksum_behind_the_body_that_cannot_go_on_is_refused(
    name: str, taken: bool, taken_without_trailers: bool, trailers: bool
) -> None:
    raw = RawRequest("PUT", b"/lake/key", b"", ((b"x-amz-trailer", f"x-amz-checksum-{name}".encode()),))
    backend = replace(BACKEND, service="s3", trailers=trailers)
    if taken if trailers else taken_without_trailers:
        assert _length(raw, backend, Decoded())[1] is trailers
        return
    with pytest.raises(RequestError) as refused:
        _length(raw, backend, Decoded())
    assert refused.value.reason is Reason.UNSUPPORTED_OPERATION


@given(decoded=st.integers(0, 5 * CHUNK_BYTES), value=st.text("abc=", min_size=8, max_size=8))
def test_the_length_of_a_framed_body_is_known_before_it_is_written(decoded: int, value: str) -> None:
    trailer = trailer_lines({"x-amz-checksum-crc32": value})
    written, left = 0, decoded
    while left > 0:
        size = min(left, CHUNK_BYTES)
        written += len(b"%x\r\n" % size) + size + 2
        left -= size
    assert framed_length(decoded, len(trailer)) == written + len(b"0\r\n") + len(trailer) + len(b"\r\n")
