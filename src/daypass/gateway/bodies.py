# SPDX-License-Identifier: Apache-2.0
"""
Bodies on their way from the client to a backend: verified as they pass, with back pressure, and never held whole.

    ASGI messages -- ClientBody --> raw pieces -- sigv4.Body --> what was signed --> the backend

The last piece of a body that promises something is held back until all of it has been verified (``sigv4.open_body``), and
the backend is told the length of the whole: so no body that is not what was signed is ever complete for a backend.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final

from daypass.doorway.received import ClientGoneError, Receive
from daypass.errors import Reason, RequestError
from daypass.gateway.backends import MAX_BODY_BYTES
from daypass.gateway.upstream import UpstreamError
from daypass.sigv4 import Body, Piece

CHUNK_BYTES: Final = 65_536
"""Of a body that is sent on in chunks with a checksum behind it: how long each of them is but the last."""


class ClientBody:
    """
    The body of a request as it comes, raw, once. Reading it is what lets the client send (``Expect: 100-continue``).

    Raises ClientGoneError when the client goes away, RequestError when it sends more than ``most`` bytes.
    """

    def __init__(self, receive: Receive, most: int = MAX_BODY_BYTES) -> None:
        self._receive = receive
        self.most = most
        self.received = 0
        self.at_end = False

    async def piece(self) -> bytes:
        """The next bytes, which may be none; all of them are here when ``at_end`` is true."""
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        data: bytes = message.get("body", b"")
        self.received += len(data)
        if self.received > self.most:
            raise RequestError(Reason.ENTITY_TOO_LARGE, f"The body is longer than {self.most} bytes.")
        self.at_end = not message.get("more_body", False)
        return data

    async def whole(self, most: int) -> bytes:
        """All of it, raw. Raises RequestError when it is longer than ``most``."""
        pieces: list[bytes] = []
        while not self.at_end:
            pieces.append(await self.piece())
            if self.received > most:
                raise RequestError(Reason.ENTITY_TOO_LARGE, f"The body is longer than {most} bytes.")
        return b"".join(pieces)


class VerifiedPieces:
    """
    The verified pieces of a body, for the client library that sends them on; they can be had once.

    ``error`` is what ended them early. The library reports that in words of its own, so it is kept here. When the backend takes
    no piece for ``idle_seconds``, or does not begin to answer for so long after the last, the task that made this is cancelled:
    ``stalled``. That task says when it has ``waited`` for the answer.
    """

    def __init__(self, source: ClientBody, body: Body, *, framed: bool, idle_seconds: float) -> None:
        self._source = source
        self._body = body
        self._framed = framed
        self._idle_seconds = idle_seconds
        self._sender = asyncio.current_task()
        self._begun = False
        self._last: asyncio.TimerHandle | None = None
        self.error: Exception | None = None
        self.stalled = False

    async def __aiter__(self) -> AsyncIterator[Piece]:
        if self._begun:
            raise RuntimeError("a body can be sent once")
        self._begun = True
        loop = asyncio.get_running_loop()
        try:
            async for piece in self._chunks() if self._framed else self._plain():
                timer = loop.call_later(self._idle_seconds, self._stall)
                try:
                    yield piece
                finally:
                    timer.cancel()
            self._last = loop.call_later(self._idle_seconds, self._stall)
        except Exception as error:
            self.error = error
            raise

    def waited(self) -> None:
        """The backend has begun to answer, or will not. Whoever reads the answer sees to it that it comes."""
        self._sender = None
        if self._last is not None:
            self._last.cancel()

    def _stall(self) -> None:
        if self._sender is not None:
            self.error, self.stalled = UpstreamError("timeout"), True
            self._sender.cancel()

    async def _plain(self) -> AsyncIterator[Piece]:
        source, body = self._source, self._body
        while not source.at_end:
            for piece in body.feed(await source.piece()):
                yield piece
        for piece in body.finish():
            yield piece

    async def _chunks(self) -> AsyncIterator[bytes]:
        """As aws-chunked with a checksum behind it and no signatures (S3 API, STREAMING-UNSIGNED-PAYLOAD-TRAILER)."""
        waiting = bytearray()
        async for piece in self._plain():
            waiting += piece
            while len(waiting) > CHUNK_BYTES:
                yield _chunk(bytes(waiting[:CHUNK_BYTES]))
                del waiting[:CHUNK_BYTES]
        if waiting:
            yield _chunk(bytes(waiting))
        yield b"0\r\n" + trailer_lines(self._body.trailers) + b"\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def trailer_lines(trailers: Mapping[str, str]) -> bytes:
    """The trailer as it stands behind the last chunk."""
    return b"".join([f"{name}:{value}\r\n".encode("ascii") for name, value in trailers.items()])


def framed_length(decoded: int, trailer: int) -> int:
    """How long a body of so many bytes is in chunks, with the lines of a trailer of so many bytes behind it."""
    full, rest = divmod(decoded, CHUNK_BYTES)
    length = full * (len(f"{CHUNK_BYTES:x}") + CHUNK_BYTES + 4)
    if rest:
        length += len(f"{rest:x}") + rest + 4
    return length + len(b"0\r\n") + trailer + len(b"\r\n")
