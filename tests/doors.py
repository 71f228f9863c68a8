# SPDX-License-Identifier: Apache-2.0
"""Requests to any path of the service in this process, routed as the server routes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daypass.server.asgi import Application
from daypass.server.settings import Settings
from in_process import Header, Service


@dataclass(frozen=True)
class Fetched:
    """What came back."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which is JSON and says so."""
        assert self.headers[b"content-type"] == b"application/json"
        assert self.headers[b"content-length"] == str(len(self.body)).encode()
        return json.loads(self.body)


async def fetch(
    running: Service,
    path: str,
    *,
    method: str = "GET",
    query: bytes = b"",
    headers: Sequence[Header] = (),
    body: bytes = b"",
) -> Fetched:
    """One raw request."""
    application = Application(Settings())
    application._app = running.app
    scope = {
        "type": "http",
        "method": method,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": list(headers),
        "client": ("127.0.0.1", 5000),
        "scheme": "http",
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    return Fetched(sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"])
