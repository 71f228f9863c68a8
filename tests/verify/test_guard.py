# SPDX-License-Identifier: Apache-2.0
"""The guard before an ASGI application: nothing reaches it that is not signed, compared with its body and permitted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from daypass.sigv4 import RawRequest
from daypass.verify import Permission, Verifier
from daypass.verify.asgi import CALLER, Guard
from verify.bridge import Bridge, bridge


class Notes:
    """An application that says what it was asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            self.seen.append((scope["type"], b""))
            return
        message = await receive()
        self.seen.append((scope[CALLER].arn, message["body"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def to(tmp_path: Path) -> AsyncIterator[Bridge]:
    async with bridge(tmp_path) as made:
        yield made


@pytest.fixture
async def verifier(to: Bridge) -> AsyncIterator[Verifier]:
    async with Verifier(to.url, to.credentials, **to.settings) as made:
        yield made


def needs(scope: Any) -> Sequence[Permission]:
    """What a request for a note needs."""
    action = "notes:Read" if scope["method"] == "GET" else "notes:Write"
    return [Permission(action, "arn:aws:notes:::" + scope["raw_path"].decode().removeprefix("/notes/"))]


async def status_of(application: Any, request: RawRequest, *pieces: bytes, gone: bool = False) -> int | None:
    scope: dict[str, Any] = {
        "type": "http",
        "method": request.method,
        "raw_path": request.path,
        "query_string": request.query,
        "headers": list(request.headers),
        "client": ("10.0.0.1", 1),
        "scheme": "http",
    }
    left = [
        {"type": "http.request", "body": piece, "more_body": place < len(pieces) - 1 or gone}
        for place, piece in enumerate(pieces or (b"",))
    ]
    left.append({"type": "http.disconnect"})
    sent: list[Any] = []

    async def receive() -> Any:
        message = left.pop(0)
        scope["headers"].append((b"x-amz-trailer-of-the-server", b"1"))  # as uvicorn appends those of a body in chunks
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    return sent[0]["status"] if sent else None


async def test_what_is_signed_and_permitted_reaches_the_application(to: Bridge, verifier: Verifier) -> None:
    notes = Notes()
    guarded = Guard(notes, verifier, permissions=needs)
    assert await status_of(guarded, to.request(body=b"abc"), b"a", b"bc") == 200
    [(arn, body)] = notes.seen
    assert (arn.endswith("user/ann"), body) == (True, b"abc")


async def test_nothing_else_does(to: Bridge, verifier: Verifier) -> None:
    notes = Notes()
    guarded = Guard(notes, verifier, permissions=needs)
    good = to.request(body=b"abc")
    assert await status_of(guarded, good, b"abd") == 403
    assert await status_of(guarded, good) == 403
    assert await status_of(guarded, RawRequest("GET", b"/notes/1", b"", good.headers[:1])) == 403
    assert await status_of(guarded, to.request(method="PUT")) == 403
    assert await status_of(guarded, to.request(target="/notes/2")) == 403
    assert await status_of(Guard(notes, verifier, permissions=lambda _scope: []), to.request()) == 400
    assert await status_of(Guard(notes, verifier, permissions=needs, max_body=2), good, b"ab", b"c") == 413
    assert await status_of(guarded, good, b"abc", gone=True) is None
    to.away = True
    assert await status_of(Guard(notes, verifier, permissions=needs), to.request(to.asks.role)) == 503
    assert notes.seen == []


async def test_a_websocket_is_closed_and_the_lifespan_is_the_applications(to: Bridge, verifier: Verifier) -> None:
    notes = Notes()
    guarded = Guard(notes, verifier, permissions=needs)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await guarded({"type": "websocket"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
    await guarded({"type": "lifespan"}, receive, send)
    assert notes.seen == [("lifespan", b"")]
