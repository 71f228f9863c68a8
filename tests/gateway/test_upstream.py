# SPDX-License-Identifier: Apache-2.0
"""The connections to backends: what is kept of an answer once it has been read."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator

import pytest

from daypass.gateway.actions.s3 import S3Actions
from daypass.gateway.backends import Backend, Upstream
from daypass.gateway.denials import HTTP_FORM
from daypass.gateway.upstream import UpstreamAnswer, Upstreams

SMALL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Kept:
    """A server that answers every request on the connection that it came on, and counts the connections."""

    connections = 0

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                late = len(b"ok") if b"/late" in head else 0
                writer.write(SMALL[: len(SMALL) - late])
                if late:
                    await self.go_on.wait()
                    writer.write(b"ok")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@pytest.fixture
async def kept() -> AsyncIterator[tuple[Kept, Backend]]:
    served = Kept()
    server = await asyncio.start_server(served, "127.0.0.1", 0)
    upstream = Upstream("http", "127.0.0.1", server.sockets[0].getsockname()[1])
    yield served, Backend("lake", "s3", S3Actions(), lambda _: HTTP_FORM, upstream, "us-east-1", "123456789012")
    server.close()
    await server.wait_closed()


@pytest.fixture
async def upstreams() -> AsyncIterator[Upstreams]:
    made = Upstreams()
    yield made
    await made.close()


async def test_a_connection_that_is_kept_keeps_no_answer_that_it_has_brought(
    kept: tuple[Kept, Backend], upstreams: Upstreams
) -> None:
    served, backend = kept
    alive: list[weakref.ref[UpstreamAnswer]] = []
    for _ in range(3):
        served.go_on.clear()
        async with await upstreams.request(backend, "GET", b"/late", b"", []) as answer:
            served.go_on.set()
            assert await answer.whole(10) == b"ok"
            alive.append(weakref.ref(answer))
        del answer
    gc.collect()
    assert (served.connections, [one() for one in alive]) == (1, [None, None, None])


async def test_a_body_that_is_all_here_can_be_had_at_once_and_one_that_is_not_cannot(
    kept: tuple[Kept, Backend], upstreams: Upstreams
) -> None:
    served, backend = kept
    async with await upstreams.request(backend, "GET", b"/key", b"", []) as answer:
        assert (answer.whole_now(), answer.at_end) == (b"ok", True)
    async with await upstreams.request(backend, "GET", b"/late", b"", []) as answer:
        assert (answer.whole_now(), answer.at_end) == (None, False)
        served.go_on.set()
        assert await answer.whole(10) == b"ok"
