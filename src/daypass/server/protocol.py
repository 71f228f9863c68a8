# SPDX-License-Identifier: Apache-2.0
"""
uvicorn's HTTP/1.1 protocol, with bounds on what a connection may hold and for how long.

uvicorn collects the request line, headers and trailers without a limit of size, and waits for a request, and for a body,
without a limit of time: a connection that sends a header without end, or nothing, would be kept for as long as its peer
likes. Bodies are bounded by the doors (``doorway.limits``), in their own words.
"""

from __future__ import annotations

from asyncio import BaseTransport, TimerHandle
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

OVERHEAD_BYTES: Final = 131_072
"""Bytes of a request that are not body. Twice what the AWS door accepts, which answers in AWS's words."""

REQUEST_SECONDS: Final = 30.0
"""From the connection, or the first byte of a request, to its last byte; nginx and Apache wait 20 to 60."""


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request is too long besides its body, or too long in coming."""

    _overhead = 0
    """Bytes of the request under way that were not body."""
    _under_way = False
    """Whether a request has begun and not ended."""
    _due: TimerHandle | None = None
    """Closes the connection; set while something is waited for and no timer of uvicorn's runs."""

    def connection_made(self, transport: BaseTransport) -> None:
        """A connection: its first request is due."""
        super().connection_made(cast(Any, transport))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of a connection."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and look what is still due."""
        self._overhead += len(data)
        super().data_received(data)
        if self._under_way:
            if self._overhead > OVERHEAD_BYTES:
                self._close()
            else:
                self._wait()
        elif not self._unanswered():
            self._wait()  # what came was no request, and has stopped the timer of idle connections

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._under_way = True
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._overhead -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The last byte of a request. What follows it in the same read counts for nothing: that is at most one read."""
        self._under_way = False
        self._overhead = 0
        self._arrived()
        super().on_message_complete()

    def _unanswered(self) -> bool:
        cycle: Any = self.cycle  # None before the first request, whatever its annotation says
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        if self._due is None:
            self._due = self.loop.call_later(REQUEST_SECONDS, self._close)

    def _arrived(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _close(self) -> None:
        self._arrived()
        if self.transport.is_closing():
            return
        if self._under_way and not self._unanswered():
            self.send_400_response("The request is too large, or did not arrive in time.")
        else:
            self.transport.close()  # an answer here would be taken for that of the request before
