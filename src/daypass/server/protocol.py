# SPDX-License-Identifier: Apache-2.0
"""
uvicorn's HTTP/1.1 protocol, with bounds on the part of a request that comes before the application sees it.

uvicorn collects the request line and the headers without a limit of size or time; an open connection that sends a header
without end, or nothing, would be held and grow for as long as its peer likes.
"""

from __future__ import annotations

from asyncio import BaseTransport, TimerHandle
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES: Final = 131_072
"""Twice what the AWS door accepts (``api.limits``), which answers in AWS's words where this one can only hang up."""

HEAD_SECONDS: Final = 20.0
"""From the connection, or the first byte of a request, to the end of its headers; nginx and Apache wait 20 to 60."""


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers are too long, or too long in coming."""

    _head: int | None = 0
    """Bytes of an unfinished head; None between the end of one head and the beginning of the next."""
    _late: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """A connection: its first request is due."""
        super().connection_made(cast(Any, transport))
        self._late = self.loop.call_later(HEAD_SECONDS, self._close)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of a connection."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and look whether the head has come to its end."""
        head = self._head
        super().data_received(data)
        if self._head is None:
            return
        # What came may have ended one request and begun the next; only what an unfinished head has gathered counts.
        self._head = (head or 0) + len(data)
        if self._head > HEAD_BYTES:
            self._close()
        elif self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self._close)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The end of a head."""
        self._head = None
        self._in_time()
        super().on_headers_complete()

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        self._in_time()
        if not self.transport.is_closing():
            self.send_400_response("The request's headers are too large, or did not arrive in time.")
