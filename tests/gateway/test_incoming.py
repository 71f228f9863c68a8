# SPDX-License-Identifier: Apache-2.0
"""The head of a request is read in one way, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from daypass.clock import MovableClock
from daypass.doorway import limits
from daypass.errors import Reason, RequestError
from daypass.gateway.incoming import Head, read_head

HOST = (b"host", b"s3.example.org")


def head(*headers: tuple[bytes, bytes]) -> Head:
    scope: dict[str, Any] = {
        "method": "PUT",
        "raw_path": b"/lake/key",
        "query_string": b"",
        "headers": list(headers),
        "client": ("192.0.2.1", 5000),
        "scheme": "http",
    }
    return read_head(scope, MovableClock(1_800_000_000.0), ())


@pytest.mark.parametrize(
    ("headers", "length", "has_body"),
    [
        ((), 0, False),
        (((b"content-length", b"0"),), 0, False),
        (((b"content-length", b"7"),), 7, True),
        (((b"transfer-encoding", b"chunked"),), None, True),
        (((b"transfer-encoding", b"Chunked"),), None, True),
    ],
)
def test_a_length_is_read(headers: tuple[tuple[bytes, bytes], ...], length: int | None, has_body: bool) -> None:
    found = head(HOST, *headers)
    assert (found.length, found.has_body) == (length, has_body)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (HOST, HOST),
        (HOST, (b"content-length", b"1"), (b"content-length", b"1")),
        (HOST, (b"content-length", b"1"), (b"transfer-encoding", b"chunked")),
        (HOST, (b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")),
        (HOST, (b"transfer-encoding", b"gzip, chunked")),
        (HOST, (b"transfer-encoding", b"identity")),
        (HOST, (b"content-length", b"+1")),
        (HOST, (b"content-length", b"0x1")),
        (HOST, (b"content-length", b"1,1")),
        (HOST, (b"content-length", b"")),
        (HOST, (b"content-length", b"9" * 19)),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    with pytest.raises(RequestError) as refused:
        head(*headers)
    assert refused.value.reason is Reason.MALFORMED_REQUEST


def test_a_head_of_the_most_headers_is_read_and_one_more_is_refused() -> None:
    most = [(b"x-%d" % number, b"") for number in range(limits.HEADERS - 1)]
    assert len(head(HOST, *most).raw.headers) == limits.HEADERS
    with pytest.raises(RequestError) as refused:
        head(HOST, *most, (b"x", b""))
    assert refused.value.reason is Reason.REQUEST_TOO_LARGE


def test_headers_that_come_after_the_body_do_not_change_the_head() -> None:
    headers = [HOST]
    scope: dict[str, Any] = {
        "method": "PUT",
        "raw_path": b"/",
        "query_string": b"",
        "headers": headers,
        "client": None,
        "scheme": "http",
    }
    found = read_head(scope, MovableClock(0.0), ())
    headers.append((b"authorization", b"from a trailer"))
    assert found.raw.headers == (HOST,)
