# SPDX-License-Identifier: Apache-2.0
"""
A request as it was received: raw bytes, bounded, and not yet believed.

The path, the query and the headers that are signed are these bytes; nothing here decodes or joins them (invariant 2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from itertools import chain
from typing import Any

import msgspec

from daypass.access import RequestFacts
from daypass.clock import Clock
from daypass.doorway import limits
from daypass.doorway.client_address import Network, origin
from daypass.errors import Reason, RequestError
from daypass.sigv4 import RawRequest

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ReceivedRequest(msgspec.Struct, frozen=True):
    """The raw request, its body, and what is known of where and when it came from."""

    raw: RawRequest
    body: bytes
    facts: RequestFacts

    @property
    def payload_hash(self) -> str:
        """The SHA-256 of the body as received, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()

    def __repr__(self) -> str:
        return "ReceivedRequest(...)"


class ClientGoneError(Exception):
    """The client went away before its request was complete; there is nobody to answer."""


async def receive_request(
    scope: Scope, receive: Receive, *, clock: Clock, trusted_proxies: Sequence[Network]
) -> ReceivedRequest:
    """
    Read a request whole. Raises RequestError when it is larger than the limits, ClientGoneError when it ends early.

    INVARIANT: the clock is read when the last byte has come. Whoever holds a body back holds no instant back with it.
    """
    headers = scope["headers"]
    if len(headers) > limits.HEADERS or len(b"".join(chain.from_iterable(headers))) > limits.HEADER_BYTES:
        raise RequestError(Reason.REQUEST_TOO_LARGE, "The request's headers are too large.")
    if len(scope["query_string"]) > limits.QUERY_BYTES:
        raise RequestError(Reason.REQUEST_TOO_LARGE, "The request's query string is too long.")
    fields = dict(headers)
    if b"transfer-encoding" in fields:
        # NOTE: the server appends the trailers of a chunked body to the headers, behind what a proxy has written there.
        raise RequestError(Reason.LENGTH_REQUIRED, "Expected a body of a stated length, got one in chunks.")
    raw = RawRequest(scope["method"], scope["raw_path"], scope["query_string"], headers)
    body = await _body(receive)
    client = scope.get("client")
    source = origin(client[0] if client else None, scope["scheme"], headers, trusted_proxies)
    user_agent, referer = fields.get(b"user-agent"), fields.get(b"referer")
    facts = RequestFacts(
        clock(),
        source.address,
        source.secure,
        None if user_agent is None else user_agent.decode("latin-1"),
        None if referer is None else referer.decode("latin-1"),
    )
    return ReceivedRequest(raw, body, facts)


async def _body(receive: Receive) -> bytes:
    # How long a body may take is the listener's to bound (server.protocol): it hangs up, and that ends this too.
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        return _bounded(message.get("body", b""))
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] != "http.request":
            raise ClientGoneError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limits.BODY_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()


def _bounded(body: bytes) -> bytes:
    if len(body) > limits.BODY_BYTES:
        raise _too_large()
    return body


def _too_large() -> RequestError:
    return RequestError(Reason.REQUEST_TOO_LARGE, f"The request's body is longer than {limits.BODY_BYTES} bytes.")
