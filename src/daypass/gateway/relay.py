# SPDX-License-Identifier: Apache-2.0
"""
The answer on its way back: what a backend says, streamed to the client with back pressure, or an answer of our own.

An answer that breaks off at the backend breaks off at the client: its connection is ended, lest a part be taken for the whole.
"""

from __future__ import annotations

import asyncio
from typing import Final

from daypass.doorway.connection import Connection
from daypass.doorway.received import ClientGoneError, Message, Send
from daypass.errors import RequestError
from daypass.gateway.backends import IDLE_SECONDS
from daypass.gateway.bodies import ClientBody
from daypass.gateway.exchange import Exchange
from daypass.gateway.names import AFTER_PREFIX, PREFIX, REQUEST_ID_HEADER
from daypass.gateway.upstream import UpstreamAnswer, UpstreamError

_HOP_BY_HOP: Final = frozenset(
    [b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-connection", b"te", b"trailer", b"transfer-encoding",
     b"upgrade", b"date"]
)  # fmt: skip


DRAINED_BYTES: Final = 16 * 1024 * 1024
DRAINED_SECONDS: Final = 5.0
"""How much of a request that was refused is still read, and for how long. Clients send parts of 5 to 16 MB."""


class Answering:
    """One answer to one request: begun or not, and how much of it has gone out."""

    def __init__(self, send: Send, connection: Connection, exchange: Exchange) -> None:
        self._send_message = send
        self._connection = connection
        self._exchange = exchange
        self.idle_seconds = IDLE_SECONDS
        self.begun = False

    async def whole(
        self, status: int, headers: tuple[tuple[bytes, bytes], ...], body: bytes, *, unread: ClientBody | None = None
    ) -> None:
        """
        An answer that is all here. ``unread``: the rest of the request, which is of no use any more; the connection ends then.

        Some of it is read and thrown away before that, for a client that is still sending would be cut off, and lose an answer
        that it has not read yet.
        """
        await self._start(status, [*headers], close=unread is not None)
        self._exchange.sent = len(body)
        if unread is not None:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
            body = b""
            await _drain(unread)
        await self._send({"type": "http.response.body", "body": body})

    async def relay(self, answer: UpstreamAnswer, *, unread: ClientBody | None = None) -> None:
        """
        A backend's answer, as it comes. ``unread`` as in ``whole``: the backend has answered before it had all of the request,
        and gets no more of it once its answer is complete.

        Raises UpstreamError when it breaks off, ClientGoneError when the client does not take it; the connection has been ended
        then.
        """
        headers = _answer_headers(answer, self._exchange.method)
        whole = answer.whole_now() if unread is None else None
        if whole is not None and self._at_once(answer.status, headers, whole):
            return
        await self._start(answer.status, headers, close=unread is not None)
        try:
            while True:
                piece = await answer.piece() if whole is None else whole
                ended = not piece or answer.at_end
                self._exchange.sent += len(piece)
                more = not ended or unread is not None
                await self._send({"type": "http.response.body", "body": piece, "more_body": more})
                if ended:
                    break
            if unread is not None:
                if not unread.at_end:
                    answer.cut()
                await _drain(unread)
                await self._send({"type": "http.response.body", "body": b""})
        except (UpstreamError, ClientGoneError):
            self._connection.abort()
            raise

    def _at_once(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """A backend's answer in one step. False, and nothing is done, where the connection does not take it so."""
        length = (b"content-length", b"%d" % len(body))
        if length not in headers:
            return False
        told = [pair for pair in headers if pair != length]
        told.append((REQUEST_ID_HEADER, self._exchange.request_id.encode("ascii")))
        told.append(length)
        if not self._connection.answer(status, told, body):
            return False
        self.begun, self._exchange.status, self._exchange.sent = True, status, len(body)
        return True

    def abort(self) -> None:
        """End the connection where the answer stands."""
        self._connection.abort()

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]], *, close: bool) -> None:
        headers.append((REQUEST_ID_HEADER, self._exchange.request_id.encode("ascii")))
        if close:
            headers.append((b"connection", b"close"))
        self.begun, self._exchange.status = True, status
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _send(self, message: Message) -> None:
        if not self._connection.may_wait():  # as for most: a timer would cost more than the sending
            await self._send_message(message)
            return
        try:
            async with asyncio.timeout(self.idle_seconds):
                await self._send_message(message)
        except TimeoutError:
            raise ClientGoneError from None


async def _drain(unread: ClientBody) -> None:
    try:
        async with asyncio.timeout(DRAINED_SECONDS):
            until = unread.received + DRAINED_BYTES
            while not unread.at_end and unread.received < until:
                await unread.piece()
    except (TimeoutError, ClientGoneError, RequestError):
        pass  # it has gone on for long enough, or is gone


def _answer_headers(answer: UpstreamAnswer, method: str) -> list[tuple[bytes, bytes]]:
    """
    The headers that go on. A length is left out where it is not the body's: beside chunks it does not count (RFC 9112 section
    6.3), in a 304 it is that of another answer (RFC 9110 section 8.6).
    """
    found = [(name.lower(), value) for name, value in answer.headers]
    kept = [pair for pair in found if not (pair[0] in _HOP_BY_HOP or PREFIX <= pair[0] < AFTER_PREFIX)]
    in_chunks = method != "HEAD" and any(name == b"transfer-encoding" for name, _ in found)
    if in_chunks or answer.status in (204, 304):
        return [(name, value) for name, value in kept if name != b"content-length"]
    return kept
