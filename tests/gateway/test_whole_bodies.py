# SPDX-License-Identifier: Apache-2.0
"""Bodies that must be read before it is known who sent them: verified all the same, and bounded together."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from msgspec.structs import replace

from daypass.errors import Reason, RequestError, UnavailableError
from daypass.gateway.actions.execute_api import ExecuteApiActions
from daypass.gateway.backends import Backend, Upstream
from daypass.gateway.bodies import ClientBody
from daypass.gateway.denials import HTTP_FORM
from daypass.gateway.whole_bodies import MOST_BYTES, MOST_TOGETHER, WholeBodies, says_no_digest
from daypass.sigv4 import RawRequest

BACKEND = Backend(
    "api",
    "execute-api",
    ExecuteApiActions("prod", "api"),
    lambda _raw: HTTP_FORM,
    Upstream("http", "127.0.0.1", 9000),
    "us-east-1",
    "123456789012",
)


def source(*pieces: bytes) -> ClientBody:
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    return ClientBody(receive)


@pytest.mark.parametrize(
    ("service", "headers", "query", "silent"),
    [
        ("execute-api", (), b"", True),
        ("execute-api", ((b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD"),), b"", False),
        ("execute-api", (), b"X-Amz-Content-Sha256=abc", False),
        ("execute-api", (), b"q=x-amz-content-sha256", True),
        ("s3", (), b"", False),
    ],
)
def test_a_request_says_a_digest_or_does_not(
    service: str, headers: tuple[tuple[bytes, bytes], ...], query: bytes, silent: bool
) -> None:
    raw = RawRequest("POST", b"/", query, headers)
    assert says_no_digest(raw, replace(BACKEND, service=service)) is silent


async def test_a_body_is_read_with_its_digest() -> None:
    data, digest = await WholeBodies().read(source(b"ab", b"", b"c"), 3, BACKEND)
    assert (data, digest) == (b"abc", hashlib.sha256(b"abc").hexdigest())


async def test_a_body_without_a_length_is_refused() -> None:
    with pytest.raises(RequestError) as refused:
        await WholeBodies().read(source(b"abc"), None, BACKEND)
    assert refused.value.reason is Reason.LENGTH_REQUIRED


@pytest.mark.parametrize(("most", "length"), [(MOST_BYTES * 2, MOST_BYTES + 1), (10, 11)])
async def test_a_body_that_is_too_long_is_refused_before_it_is_read(most: int, length: int) -> None:
    body = source(b"")
    with pytest.raises(RequestError) as refused:
        await WholeBodies().read(body, length, replace(BACKEND, max_body_bytes=most))
    assert refused.value.reason is Reason.ENTITY_TOO_LARGE
    assert body.received == 0


async def test_what_all_bodies_together_may_take_is_bounded_and_given_back() -> None:
    bodies, go_on = WholeBodies(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        await go_on.wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    under_way = [
        asyncio.create_task(bodies.read(ClientBody(receive), MOST_BYTES, BACKEND))
        for _ in range(MOST_TOGETHER // MOST_BYTES)
    ]
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError) as refused:
        await bodies.read(source(b"x"), 1, BACKEND)
    assert refused.value.reason is Reason.BACKEND_UNAVAILABLE
    go_on.set()
    await asyncio.gather(*under_way)
    assert (await bodies.read(source(b"x"), 1, BACKEND))[0] == b"x"
