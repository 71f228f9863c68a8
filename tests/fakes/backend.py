# SPDX-License-Identifier: Apache-2.0
"""
A backend of the gateway to edit, on raw sockets: it does to its peer what no HTTP library would, and keeps what it was sent.

    with Backend() as backend:
        backend.behave = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

``behave`` is what becomes of one connection, from its beginning to its end; ``keep_answering`` makes one of what becomes of one
request. A request counts as complete only when every byte that its head promised has come.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

KEPT_BYTES = 1 << 20
"""Of each connection and each body: what is recorded of it. The rest is counted."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Complete:
    """A request that came whole. ``head``: its bytes, with the empty line; ``length``: of the body."""

    head: bytes
    body: bytes = field(repr=False)
    length: int

    @property
    def target(self) -> bytes:
        """Path and query as they stood in the first line."""
        return self.head.split(b" ", 2)[1]

    def all(self, name: bytes) -> list[bytes]:
        """The values of every header of this name."""
        lines = [line.partition(b":") for line in self.head.split(b"\r\n")[1:]]
        return [value.strip() for key, _, value in lines if key.lower() == name.lower()]


class Peer:
    """One connection to the backend, as its ``behave`` sees it."""

    def __init__(self, backend: Backend, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.backend = backend
        self.reader = reader
        self.writer = writer
        self.raw = bytearray()

    async def head(self) -> bytes:
        """The head of the next request; empty when the connection ends instead."""
        try:
            return self._note(await self.reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError as error:
            self._note(error.partial)
            return b""

    async def body(self, head: bytes, pause: Callable[[int], Awaitable[None]] | None = None) -> Complete | None:
        """The body that a head announces; None when it does not come whole. ``pause`` is awaited after each piece."""
        kept, length = bytearray(), announced(head)
        left = length
        while left:
            piece = self._note(await self.reader.read(min(left, 65_536)))
            if not piece:
                return None
            left -= len(piece)
            kept += piece[: KEPT_BYTES - len(kept)]
            if pause is not None:
                await pause(length - left)
        complete = Complete(head, bytes(kept), length)
        self.backend.complete.append(complete)
        self.backend.tell()
        return complete

    def _note(self, data: bytes) -> bytes:
        self.raw += data[: max(0, KEPT_BYTES - len(self.raw))]
        self.backend.received += len(data)
        return data

    async def send(self, data: bytes) -> None:
        """Write, with back pressure."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """End the connection with a reset."""
        connection: socket.socket = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until_gone(self) -> None:
        """Read and drop whatever comes, until the other side ends the connection."""
        while self._note(await self.reader.read(65_536)):
            pass


Behaviour = Callable[[Peer], Coroutine[Any, Any, None]]


class Backend:
    """
    See the module. ``complete``: the requests that came whole, oldest first; ``connections``: every one that was opened, with
    the bytes that came over it; ``opened``, ``open``: how many there were, and are; ``received``: all bytes.
    """

    def __init__(self) -> None:
        self.behave: Behaviour = answers(OK)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = threading.Condition()
        self.forget()

    def forget(self) -> None:
        """Record anew, and answer as at first."""
        self.behave = answers(OK)
        self.complete: list[Complete] = []
        self.connections: list[Peer] = []
        self.opened = self.received = 0

    @property
    def open(self) -> int:
        """Connections that have not ended."""
        return len(self._tasks)

    def wait_until(self, found: Callable[[], bool], seconds: float = 15.0) -> None:
        """Wait for something that is seen when a connection begins or ends, or a request is complete."""
        with self._ended:
            assert self._ended.wait_for(found, seconds), f"{self.open} connections are open, {len(self.complete)} came"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something on the backend's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def call(self, function: Callable[[], object]) -> None:
        """Call something there, and do not wait."""
        self._loop.call_soon_threadsafe(function)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self.listen())
        return self

    async def listen(self, port: int = 0) -> None:
        """Take connections: at first, and again after ``close``."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=65_536, backlog=512)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections, and end those that there are."""
        self._server.close()
        await self.hang_up()

    async def hang_up(self) -> None:
        """End the connections that there are."""
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.run(self.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer, task = Peer(self, reader, writer), asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.opened += 1
        self.connections.append(peer)
        self.tell()
        try:
            await self.behave(peer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the gateway hung up, or the test is at its end
        finally:
            writer.close()
            await asyncio.sleep(
                0
            )  # the socket is closed by what the loop does next, and only then is the connection not open
            await asyncio.sleep(0)
            self._tasks.discard(task)
            self.tell()

    def tell(self) -> None:
        """Something has happened that a test may wait for."""
        with self._ended:
            self._ended.notify_all()


def announced(head: bytes) -> int:
    """The length of the body that a head announces. The gateway never sends chunks, nor says two lengths."""
    assert b"\r\ntransfer-encoding:" not in head.lower(), head
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    assert len(lengths) <= 1, head
    return int(lengths[0]) if lengths else 0


def keep_answering(one: Callable[[Peer, Complete], Awaitable[None]]) -> Behaviour:
    """Read requests whole, one after the other, and do this with each."""

    async def behave(peer: Peer) -> None:
        while head := await peer.head():
            complete = await peer.body(head)
            if complete is None:
                return
            await one(peer, complete)

    return behave


def answers(*parts: bytes) -> Behaviour:
    """Answer every request with these bytes, and keep the connection."""

    async def one(peer: Peer, complete: Complete) -> None:
        for part in parts:
            await peer.send(part)

    return keep_answering(one)


def answers_once(*parts: bytes) -> Behaviour:
    """Read one request whole, answer it with these bytes, and end the connection in an orderly way."""

    async def behave(peer: Peer) -> None:
        if (head := await peer.head()) and await peer.body(head) is not None:
            for part in parts:
                await peer.send(part)

    return behave


def then(*parts: bytes, end: Callable[[Peer], Coroutine[Any, Any, None]]) -> Behaviour:
    """Read one request whole, send these bytes, and end as ``end`` does: ``stall`` or ``reset``."""

    async def behave(peer: Peer) -> None:
        if (head := await peer.head()) and await peer.body(head) is not None:
            for part in parts:
                await peer.send(part)
            await end(peer)

    return behave


async def stall(peer: Peer) -> None:
    """Say nothing more, until the other side hangs up."""
    await peer.until_gone()


async def reset(peer: Peer) -> None:
    """End with a reset."""
    peer.reset()


def before_the_body(*parts: bytes, end: Callable[[Peer], Coroutine[Any, Any, None]]) -> Behaviour:
    """Answer when the head has come, whatever becomes of the body."""

    async def behave(peer: Peer) -> None:
        if await peer.head():
            for part in parts:
                await peer.send(part)
            await end(peer)

    return behave


async def never_read(peer: Peer) -> None:
    """Take nothing more from the socket; end when the other side has gone."""
    connection: socket.socket = peer.writer.get_extra_info("socket")
    while not closed_by_peer(connection):  # noqa: ASYNC110 - nothing else tells of it
        await asyncio.sleep(0.05)


def closed_by_peer(connection: socket.socket) -> bool:
    """Whether the other side has ended a connection that nobody reads from (TCP_INFO; its first byte is the state)."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0] != 1


def endless(begin: bytes, more: bytes) -> Behaviour:
    """Begin an answer and never come to its end, as fast as the other side takes it."""

    async def behave(peer: Peer) -> None:
        if await peer.head():
            await peer.send(begin)
            while not peer.writer.transport.is_closing():
                await peer.send(more)

    return behave
