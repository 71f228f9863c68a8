# SPDX-License-Identifier: Apache-2.0
"""
The connections to backends: the one place from which the gateway opens any.

Only to the address that the configuration gives; no redirects, no cookies, no proxies from the environment, nothing
decompressed. The raw path and query go out as they are given: what was verified is what is sent (invariant 2).

A connection is used again only when nothing came on it since its last answer, which would be taken for the next one; and it is
cut, not closed, when something went wrong: a backend that does not read would keep it, and what was to be written, for ever.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Final, Protocol

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from daypass.doorway.metrics import UpstreamFailure
from daypass.errors import Reason, UnavailableError
from daypass.gateway.backends import Backend, Upstream
from daypass.sigv4 import Piece

Headers = Sequence[tuple[bytes, bytes]]

CONNECT_SECONDS: Final = 5.0
"""To open a connection to a backend. They are near."""

_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
"""The library's own time for reading would run while a body is still being sent, once a backend has said 100 (Continue)."""

READ_BUFFER: Final = 1 << 18
"""Bytes of an answer that are read ahead; twice as many are held at most."""

_KEPT_SECONDS: Final = 15.0
"""How long a connection that is not used is kept; servers close theirs after 20 and more."""

_NO_NAME: Final = re.compile(rb"[^!#$%&'*+.^_`|~0-9A-Za-z-]")
_NO_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What cannot stand in the name of a header (RFC 9110 section 5.6.2), and in a value (section 5.5)."""

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for no time (socket(7))."""

_AUTOMATIC: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
"""Headers that the library would add."""


class UpstreamError(UnavailableError):
    """A backend cannot be asked, or answers nonsense."""

    def __init__(self, failure: UpstreamFailure) -> None:
        super().__init__(Reason.BACKEND_UNAVAILABLE, "The service behind this one does not answer as expected.")
        self.failure = failure


class Body(Protocol):
    """A body to be sent on: pieces of bytes, once. Whatever it raises ends the connection to the backend."""

    def __aiter__(self) -> AsyncIterator[Piece]:
        """The pieces."""


class UpstreamAnswer:
    """An answer of a backend: its head is here, its body still comes. Leave the block, and the connection is free or closed."""

    def __init__(
        self, response: aiohttp.ClientResponse, transports: Sequence[asyncio.Transport], idle_seconds: float
    ) -> None:
        self._response = response
        self._transports = transports
        self._idle_seconds = idle_seconds
        self.status = response.status
        self.headers: Headers = response.raw_headers
        protocol = None if response.connection is None else response.connection.protocol
        self._closed = None if protocol is None else protocol.closed
        if self._closed is not None:
            self._closed.add_done_callback(self._lost)

    async def __aenter__(self) -> UpstreamAnswer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._closed is not None:
            # Or a connection that is kept would keep every answer that it has brought.
            self._closed.remove_done_callback(self._lost)
        if self._response.content.is_eof():
            self._response.release()
        else:
            self.cut()

    def cut(self) -> None:
        """
        End the connection. Only while the answer has not all come, or the request has not all been sent: else another request
        may have been given the connection.
        """
        _cut(self._transports)
        self._response.close()

    def _lost(self, _: object) -> None:
        """The library does not tell the reader of a body that the connection ended because it could not be parsed."""
        content = self._response.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError())

    async def piece(self) -> bytes:
        """What has come of the body; empty at its end. Raises UpstreamError when it breaks off."""
        content = self._response.content
        try:
            ready = content.read_nowait()
            if ready or content.at_eof():  # most small answers are here with their heads, and need no timer
                return ready
            # The reader itself is told, for no answer goes on after it: that costs less than asyncio.timeout().
            timer = asyncio.get_running_loop().call_later(self._idle_seconds, content.set_exception, TimeoutError())
            try:
                return await content.readany()
            finally:
                timer.cancel()
        except TimeoutError:  # the library's own is one too
            raise UpstreamError("timeout") from None
        except (aiohttp.ClientError, OSError):
            raise UpstreamError("broken") from None

    def whole_now(self) -> bytes | None:
        """The whole body, if all of it is here and nothing was read of it, as of most small answers; else None."""
        content = self._response.content
        return content.read_nowait() if content.is_eof() and content.exception() is None else None

    @property
    def at_end(self) -> bool:
        """Whether the whole body has been read."""
        return self._response.content.at_eof()

    async def whole(self, most: int) -> bytes:
        """The whole body, of at most so many bytes. Raises UpstreamError."""
        pieces: list[bytes] = []
        size = 0
        while piece := await self.piece():
            size += len(piece)
            if size > most:
                raise UpstreamError("broken")
            pieces.append(piece)
        return b"".join(pieces)


_taken: ContextVar[list[asyncio.Transport]] = ContextVar("the connections of the request that is being sent")


class _Connector(aiohttp.TCPConnector):
    """Gives out no connection that has something to read already, and notes those that it gives out."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[aiohttp.tracing.Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is the base class's
    ) -> aiohttp.connector.Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol, transport = connection.protocol, connection.transport
            if protocol is not None and transport is not None and not protocol.should_close:
                _taken.get().append(transport)
                return connection
            connection.close()


class Upstreams:
    """Requests to backends. Belongs to one event loop."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        backend: Backend,
        method: str,
        path: bytes,
        query: bytes,
        headers: Headers,
        body: Body | bytes | None = None,
    ) -> UpstreamAnswer:
        """
        Send a request and wait for the head of its answer: for ``idle_seconds``, but for as long as it takes where the body
        comes in pieces, which see to it themselves. ``headers`` are all but Host, and say the body's length where there is one.

        Raises UpstreamError; and what ``body`` raises, when that is what ended the request.
        """
        transports: list[asyncio.Transport] = []
        _taken.set(transports)
        try:
            async with asyncio.timeout(backend.idle_seconds if body is None or isinstance(body, bytes) else None):
                response = await self._open().request(
                    method,
                    _url(backend.upstream, path, query),
                    headers=CIMultiDict([(name.decode("latin-1"), value.decode("utf-8")) for name, value in headers]),
                    data=body,
                    allow_redirects=False,
                )
        except BaseException as error:
            _cut(transports)
            failure = _failure(error)
            if failure is None:
                raise
            raise UpstreamError(failure) from None
        answer = UpstreamAnswer(response, transports, backend.idle_seconds)
        if not _is_answer(response):
            answer.cut()
            raise UpstreamError("malformed")
        return answer

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_Connector(limit=0, keepalive_timeout=_KEPT_SECONDS, use_dns_cache=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                read_bufsize=READ_BUFFER,
                requote_redirect_url=False,
                timeout=_TIMEOUT,
                skip_auto_headers=_AUTOMATIC,
            )
        return self._session


def _cut(transports: Sequence[asyncio.Transport]) -> None:
    """End connections with a reset: what waits in the kernel is dropped too, and no backend takes a part for the whole."""
    for transport in transports:
        connection = transport.get_extra_info("socket")
        if connection.fileno() >= 0:  # it is -1 once the connection has ended
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()


def _failure(error: BaseException) -> UpstreamFailure | None:
    """What became of a request, by what the library raises; None for what is none of its errors."""
    if isinstance(error, TimeoutError):  # aiohttp's are such
        return "timeout"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "certificate"
    if isinstance(error, aiohttp.ClientResponseError):
        return "malformed"
    return "unreachable" if isinstance(error, (aiohttp.ClientError, OSError)) else None


def _is_answer(response: aiohttp.ClientResponse) -> bool:
    """Whether it is a final answer that can be handed on; the library lets control characters pass."""
    names, values = zip(*response.raw_headers, strict=True) if response.raw_headers else ((), ())
    return (
        200 <= response.status <= 599
        and _NO_NAME.search(b"".join(names)) is None
        and _NO_VALUE.search(b"".join(values)) is None
    )


def _url(upstream: Upstream, path: bytes, query: bytes) -> URL:
    return URL.build(
        scheme=upstream.scheme,
        host=upstream.host,
        port=upstream.port,
        path=path.decode("ascii"),
        query_string=query.decode("ascii"),
        encoded=True,
    )
