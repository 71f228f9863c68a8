# SPDX-License-Identifier: Apache-2.0
"""What is too long, or too long in coming or in being taken, does not hold a connection; what is read is read in one way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from uvicorn import Config, Server

from daypass.server import protocol
from daypass.server.protocol import OVERHEAD_BYTES, BoundedProtocol

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


LARGE = b"x" * (16 << 20)
"""More than the kernel takes for a peer that does not read."""


async def hello(scope: Any, receive: Any, send: Any) -> None:
    body = {"/large": LARGE, "/names": b",".join(name for name, _ in scope["headers"])}.get(scope["path"], b"ok")
    if scope["path"] == "/wait":
        while (await receive()).get("more_body"):
            pass
    length = (b"content-length", str(len(body)).encode())
    headers = [length, (b"connection", b"close")] if body is LARGE else [length]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Watched(BoundedProtocol):
    """Tells when a connection has ended."""

    ended: asyncio.Event

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of one."""
        super().connection_lost(exc)
        self.ended.set()


@pytest.fixture
async def port(server: Server) -> int:
    return int(server.servers[0].sockets[0].getsockname()[1])


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 0.2)
    monkeypatch.setattr(Watched, "ended", asyncio.Event(), raising=False)
    config = Config(hello, port=0, http=Watched, lifespan="off", log_level="critical", ws="none", timeout_keep_alive=60)
    server = Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server
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


@pytest.mark.parametrize(
    "line",
    [
        b"GET http://x/ HTTP/1.1",
        b"GET http://other/ HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT x:80 HTTP/1.1",
        b"GET /#a HTTP/1.1",
        b"GET /?a#b HTTP/1.1",
        b"GET /",
        b"GET / HTTP/0.9",
        b"GET / HTTP/2.0",
    ],
)
async def test_a_target_that_is_no_path_and_another_version_are_refused(port: int, line: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(line + b"\r\nHost: x\r\n\r\n")
    assert await answered(reader) == b"HTTP/1.1 400 Bad Request"
    writer.close()


async def test_trailers_do_not_stand_among_the_headers(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = b"POST /names HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head + b"1\r\na\r\n0\r\nX-Forwarded-For: 192.0.2.7\r\nAuthorization: x\r\n\r\n")  # all in one read
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert await reader.readexactly(22) == b"host,transfer-encoding"
    writer.close()


async def test_an_answer_that_nobody_takes_does_not_hold_the_connection(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    transport: Any = writer.transport
    transport.pause_reading()
    writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(Watched.ended.wait(), 5)
    transport.resume_reading()
    assert len(await asyncio.wait_for(reader.read(), 5)) < len(LARGE)
    writer.close()


class Closed:
    """A transport that was closed, and whose peer takes some of what is left: so much is left each time that one looks."""

    def __init__(self, left: list[int]) -> None:
        self.left = left
        self.aborted = False
        self.waiting: list[tuple[Any, ...]] = []

    def is_closing(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return self.left[0]

    def abort(self) -> None:
        self.aborted = True

    def call_later(self, _seconds: float, *call: Any) -> None:
        self.waiting.append(call)


@pytest.mark.parametrize(("left", "waits"), [([9, 9], 1), ([9, 8, 7, 7], 3), ([9, 8, 0, 0], 3)])
def test_an_answer_is_waited_for_while_some_of_it_is_taken(left: list[int], waits: int) -> None:
    connection: Any = object.__new__(BoundedProtocol)
    transport = connection.transport = connection.loop = Closed(left)
    connection._linger()
    while not transport.aborted:
        transport.left = transport.left[1:]
        call, *arguments = transport.waiting[-1]
        call(*arguments)
    assert len(transport.waiting) == waits


async def test_requests_in_a_row_and_large_bodies_are_served(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(5):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n" + b"b" * 400_000)
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        await reader.readuntil(b"ok")
    writer.close()
