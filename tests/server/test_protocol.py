# SPDX-License-Identifier: Apache-2.0
"""A head that is too long, or too long in coming, does not hold a connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from uvicorn import Config, Server

from daypass.server import protocol
from daypass.server.protocol import OVERHEAD_BYTES, BoundedProtocol

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def hello(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/wait":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.2)
    config = Config(
        hello, port=0, http=BoundedProtocol, lifespan="off", log_level="critical", ws="none", timeout_keep_alive=60
    )
    server = Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    await server.shutdown()


async def answered(reader: asyncio.StreamReader) -> bytes:
    return (await asyncio.wait_for(reader.read(), 5)).split(b"\r\n")[0]


async def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await answered(reader) == b""  # nothing was asked, so nothing is answered
    writer.close()


async def test_a_head_that_does_not_end_is_not_waited_for(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX: y")
    assert await answered(reader) == b"HTTP/1.1 400 Bad Request"
    writer.close()


async def test_a_second_head_that_does_not_end_is_not_waited_for_either(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    await reader.readuntil(b"ok")
    writer.write(b"GET / HT")
    assert await answered(reader) == b"HTTP/1.1 400 Bad Request"
    writer.close()


@pytest.mark.parametrize("body", [b"", b"x"])
async def test_a_body_that_does_not_end_is_not_waited_for(port: int, body: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + body)
    assert await answered(reader) == b""  # the application is asking for the body, and its answer will not come
    writer.close()


@pytest.mark.parametrize("after", [b"\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\nx"])
async def test_what_follows_a_request_does_not_hold_the_connection(port: int, after: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"ok")
    writer.write(after)
    await asyncio.wait_for(reader.read(), 5)  # it ends
    writer.close()


async def test_trailers_without_end_are_cut_off_soon_after_the_limit(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ")
    assert await until_closed(writer, reader, b"y" * 16_384) < 32 * OVERHEAD_BYTES


async def test_a_body_and_the_beginning_of_the_next_request_in_one_read_are_served(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 140000\r\n\r\n"
    writer.write(head + b"b" * 140_000 + b"GET / HTTP/1.1\r\nHo")
    await reader.readuntil(b"ok")
    writer.write(b"st: x\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"ok"), 5)
    writer.close()


@pytest.mark.parametrize("endless", [b"X: " + b"y" * 16_384, b"X: y\r\n" * 4096])
async def test_a_head_without_end_is_cut_off_soon_after_the_limit(port: int, endless: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
    assert await until_closed(writer, reader, endless) < 32 * OVERHEAD_BYTES


async def until_closed(writer: asyncio.StreamWriter, reader: asyncio.StreamReader, more: bytes) -> int:
    """How much could be sent before the other side hung up; what the kernel's buffers took is in it."""
    sent = 0
    try:
        while sent < 64 * OVERHEAD_BYTES and not reader.at_eof():
            writer.write(more)
            await writer.drain()
            sent += len(more)
            await asyncio.sleep(0)
    except ConnectionError:
        pass
    writer.close()
    return sent


async def test_requests_in_a_row_and_large_bodies_are_served(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(5):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n" + b"b" * 400_000)
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        await reader.readuntil(b"ok")
    writer.close()
