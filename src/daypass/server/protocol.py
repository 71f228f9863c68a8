# SPDX-License-Identifier: Apache-2.0
"""
uvicorn's HTTP/1.1 protocol, with bounds on what a connection may hold and for how long.

uvicorn collects the request line, headers and trailers without a limit of size, and waits for a request, and for a body,
without a limit of time: a connection that sends a header without end, or nothing, would be kept for as long as its peer
likes. Bodies are bounded by the doors (``doorway.limits``), in their own words. A door that streams a body on asks for that
here (``doorway.connection``): such a body may take long, but not be silent for long.

What uvicorn's parser lets pass and two servers may read differently ends here too: targets that are no path, fragments,
versions other than HTTP/1.0 and 1.1, trailers that would stand among the headers.
"""

from __future__ import annotations

from asyncio import BaseTransport, TimerHandle
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from daypass.doorway.connection import EXTENSION

OVERHEAD_BYTES: Final = 131_072
"""Bytes of a request that are not body. Twice what the AWS door accepts, which answers in AWS's words."""

REQUEST_SECONDS: Final = 30.0
"""From the connection, or the first byte of a request, to its last byte; nginx and Apache wait 20 to 60."""

LINGER_SECONDS: Final = 30.0
"""A connection that is to end, and whose peer takes none of what was written for so long, ends at once."""

FRAMING_SHARE: Final = 16
"""Of a streamed body in chunks, this part at most may be their framing: chunks of some 128 bytes and more are taken."""


_NOT_IN_HEADERS: Final = bytes([*range(9), *range(10, 32), 127])
"""What no value of a header may have (RFC 9110 section 5.5)."""

Headers = Sequence[tuple[bytes, bytes]]


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request is too long besides its body, or too long in coming."""

    _overhead = 0
    """Bytes of the request under way that were not body."""
    _under_way = False
    """Whether a request has begun and not ended."""
    _due: TimerHandle | None = None
    """Closes the connection; set while something is waited for and no timer of uvicorn's runs."""
    _idle: float | None = None
    """While a body is streamed on: the seconds that it may be silent for."""
    _streamed = 0
    """Bytes of that body so far."""
    _lost: Callable[[], None] | None = None
    """Whom to tell when the connection ends before the answer is complete."""
    _in_body = False
    """Whether the head of a request has come, and its body has not ended."""
    _lingering: TimerHandle | None = None
    """Ends a connection that was closed while its peer takes nothing."""
    _idle_since: float | None = None
    """The loop's time at which the last answer was complete, while nothing has come since."""

    def stream(self, cycle: RequestResponseCycle, idle_seconds: float) -> None:
        """The body of a request may take long (``doorway.connection``), if it is the one that comes."""
        if self._in_body and self.cycle is cycle:
            self._idle = idle_seconds
            self._arrived()
            self._wait()

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Tell of the end of the connection."""
        self._lost = callback

    def abort(self, cycle: RequestResponseCycle) -> None:
        """End the connection where the answer stands; what was written and not sent yet is dropped."""
        cycle.disconnected = True  # what is still sent goes nowhere, and uvicorn does not take it for a mistake
        self.transport.abort()

    def may_wait(self) -> bool:
        """Whether the transport has as much to send as it takes: ``send`` waits for nothing else."""
        return self.flow.write_paused

    def answer(self, cycle: RequestResponseCycle, status: int, headers: Headers, body: bytes) -> bool:
        """
        Write a whole answer (``doorway.connection``), as ``cycle.send`` does in two steps. False where that has more to see to:
        a client that is gone, that takes nothing at the moment or wants no body, a connection that ends, headers that are none.
        """
        if (
            cycle.disconnected
            or cycle.response_started
            or not cycle.keep_alive
            or self.flow.write_paused
            or cycle.scope["method"] == "HEAD"
            or headers[-1] != (b"content-length", b"%d" % len(body))
        ):
            return False
        lines = [b": ".join(pair) for pair in (*cycle.default_headers, *headers)]
        head = b"\r\n".join(lines)
        if len(head.translate(None, _NOT_IN_HEADERS)) != len(head) - 2 * len(lines) + 2:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        self.transport.write(b"%b%b\r\n\r\n%b" % (STATUS_LINE[status], head, body))
        cycle.message_event.set()
        cycle.on_response()
        return True

    def connection_made(self, transport: BaseTransport) -> None:
        """A connection: its first request is due."""
        super().connection_made(cast(Any, transport))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of a connection."""
        self._arrived()
        for timer in (self._lingering, self.timeout_keep_alive_task):
            if timer is not None:
                timer.cancel()
        lost, self._lost = self._lost, None
        if lost is not None:
            lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and look what is still due."""
        self._overhead += len(data)
        super().data_received(data)
        if self._under_way:
            if self._overhead > OVERHEAD_BYTES + self._streamed // FRAMING_SHARE:
                self._close()
            else:
                if self._idle is not None:
                    self._arrived()
                self._wait()
        elif not self._unanswered():
            self._wait()  # what came was no request, and has stopped the timer of idle connections

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._under_way = True
        self._idle, self._streamed = None, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The end of a head. What is raised here is answered 400."""
        if self.parser.get_http_version() not in ("1.0", "1.1"):
            raise ValueError("expected HTTP/1.1")
        if not self.url.startswith(b"/") or self.url.find(b"#") >= 0:
            # Another server would take the host from an absolute target, and end the path elsewhere.
            raise ValueError("expected a path")
        self._in_body = True
        super().on_headers_complete()
        cast(Any, self.scope)["extensions"] = {EXTENSION: _OfRequest(self, self.cycle)}
        # INVARIANT: trailers are no headers, whenever the application comes to read those. uvicorn appends them to this list.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._overhead -= len(body)
        if self._idle is not None:
            self._streamed += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The last byte of a request. What follows it in the same read counts for nothing: that is at most one read."""
        self._under_way = self._in_body = False
        self._overhead = 0
        self._arrived()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The last byte of an answer: whoever made it need not know what becomes of the connection."""
        self._lost = None
        # What uvicorn does here, but for a timer that would be set and taken back with every request.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._linger()
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._expect_more(self.timeout_keep_alive)

    def _expect_more(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        """Something has come. The timer runs on, one for many requests: it sees how long ago that was."""
        self._idle_since = None

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be read; not where that would be taken for the answer to another request, or stand in one."""
        if self._in_body and self.cycle.response_complete:
            self.transport.close()  # its answer has gone already
        elif self._unanswered() and (not self._in_body or self.cycle.response_started):
            self.transport.close()
        else:
            super().send_400_response(msg)
        self._linger()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing more was asked, if that is so: the timer may have begun before the last request."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._expect_more(left)
            return
        super().timeout_keep_alive_handler()
        self._linger()

    def shutdown(self) -> None:
        """The process is being stopped."""
        super().shutdown()
        self._linger()

    def _linger(self) -> None:
        """A transport that is closed still writes what it has: for as long as its peer takes some of it."""
        if self._lingering is None and self.transport.is_closing():
            self._lingering = self.loop.call_later(LINGER_SECONDS, self._lingered, _unwritten(self.transport))

    def _lingered(self, before: int) -> None:
        self._lingering = None
        if _unwritten(self.transport) < before:
            self._linger()
        else:
            self.transport.abort()

    def _unanswered(self) -> bool:
        cycle: Any = self.cycle  # None before the first request, whatever its annotation says
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        if self._due is None:
            seconds = REQUEST_SECONDS if self._idle is None else self._idle
            self._due = self.loop.call_later(seconds, self._close)

    def _arrived(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _close(self) -> None:
        self._arrived()
        if self.transport.is_closing():
            return
        if self._idle is not None and self.flow.read_paused:
            self._wait()  # it is we who do not read: what was read has not gone on yet
            return
        if self._under_way and not self._unanswered():
            self.send_400_response("The request is too large, or did not arrive in time.")
        else:
            self.transport.close()  # an answer here would be taken for that of the request before
            self._linger()


class _OfRequest:
    """What one request may ask of its connection; another may be queued behind it."""

    def __init__(self, protocol: BoundedProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle

    def stream(self, idle_seconds: float) -> None:
        """See ``doorway.connection``."""
        self._protocol.stream(self._cycle, idle_seconds)

    def on_lost(self, callback: Callable[[], None]) -> None:
        """See ``doorway.connection``."""
        self._protocol.on_lost(callback)

    def abort(self) -> None:
        """See ``doorway.connection``."""
        self._protocol.abort(self._cycle)

    def may_wait(self) -> bool:
        """See ``doorway.connection``."""
        return self._protocol.may_wait()

    def answer(self, status: int, headers: Headers, body: bytes) -> bool:
        """See ``doorway.connection``."""
        return self._protocol.answer(self._cycle, status, headers, body)


def _unwritten(transport: Any) -> int:
    size: int = transport.get_write_buffer_size()
    return size
