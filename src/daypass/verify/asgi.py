# SPDX-License-Identifier: Apache-2.0
"""
A guard before an ASGI application (ASGI 3.0, HTTP): no request reaches it that is not signed, compared with its body, and
permitted.

    application = Guard(application, verifier, permissions=lambda scope: [Permission("notes:Read", ...)])

The application finds the caller in ``scope["daypass.caller"]``.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

from daypass.errors import AccessDeniedError, AuthenticationError, DaypassError, Reason, RequestError, UnavailableError
from daypass.sigv4 import UNSIGNED_PAYLOAD, RawRequest, payload_digest
from daypass.verify.known import Permission, Sender
from daypass.verify.verifier import Verifier

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

CALLER: Final = "daypass.caller"
"""Where in the scope the application finds whose request it is."""

MAX_BODY: Final = 1 << 20
"""Bytes of a body, which is read whole before anything of it is believed."""


class Guard:
    """
    The guard. ``permissions`` says what a request needs, at least one; ``max_body``: longer bodies are refused. The sender is
    the socket's peer: where a proxy stands before it, the server (uvicorn: ``--forwarded-allow-ips``) says who that is.
    """

    def __init__(
        self,
        application: Application,
        verifier: Verifier,
        *,
        permissions: Callable[[Scope], Sequence[Permission]],
        max_body: int = MAX_BODY,
    ) -> None:
        self._application = application
        self._verifier = verifier
        self._permissions = permissions
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. What is no HTTP request (a WebSocket) is closed; the lifespan is the application's."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._guard(scope, receive, send)

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = tuple(scope["headers"])  # a copy: servers append the trailers of a body in chunks to theirs
            body = await self._body(receive)
            if body is None:
                return  # the client has gone
            query = scope.get("query_string", b"")
            path = scope["raw_path"].partition(b"?")[0]
            request = RawRequest(scope["method"], path, query, headers)
            peer = scope.get("client")
            sender = Sender(None if peer is None else peer[0], scope.get("scheme") == "https")
            digest = payload_digest(body)
            caller = await self._verifier.authorize(
                request, self._permissions(scope), payload_sha256=digest, sender=sender
            )
            if caller.payload not in (digest, UNSIGNED_PAYLOAD):
                raise RequestError(Reason.PAYLOAD_HASH_UNSUPPORTED, "Bodies in signed chunks are not supported here.")
        except DaypassError as error:
            await _refuse(send, error)
            return
        await self._application({**scope, CALLER: caller}, _replay(body, receive), send)

    async def _body(self, receive: Receive) -> bytes | None:
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > self._max_body:
                raise RequestError(Reason.REQUEST_TOO_LARGE, f"The body is longer than {self._max_body} bytes.")
            if not message.get("more_body", False):
                return b"".join(pieces)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the body that was read, and then what comes after it."""
    given = False

    async def again() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _status(error: DaypassError) -> int:
    if isinstance(error, UnavailableError):
        return 503
    if error.reason is Reason.REQUEST_TOO_LARGE:
        return 413
    return 403 if isinstance(error, AuthenticationError | AccessDeniedError) else 400


async def _refuse(send: Send, error: DaypassError) -> None:
    body = json.dumps({"message": str(error)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode("ascii"))]
    if error.reason is Reason.REQUEST_TOO_LARGE:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": _status(error), "headers": headers})
    await send({"type": "http.response.body", "body": body})
