# SPDX-License-Identifier: Apache-2.0
"""
The ASGI application of one worker: it wires the service when it starts, and sends each request to its door.

Routing looks at the raw path only; no decoding happens before a signature has been verified over the same bytes.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from daypass.api.container_credentials import CONTAINER_CREDENTIALS
from daypass.api.issuer_documents import ISSUERS
from daypass.doorway.received import Receive, Scope, Send
from daypass.gateway.ask import PREFIX as ASK
from daypass.gateway.forward_auth import PREFIX as AUTHZ
from daypass.gateway.s3tokens import PATH as S3TOKENS
from daypass.server.app import App, open_app
from daypass.server.log import RequestLog, configure_log
from daypass.server.metrics import Recorder
from daypass.server.settings import Settings
from daypass.signin import CONSUMER, PREFIXES

Door = Callable[[Scope, Receive, Send], Awaitable[None]]

_NOT_FOUND = b'{"error": "not found"}\n'


class Application:
    """
    The application that uvicorn serves. Pickles to its settings, so that worker processes can be spawned.

    ``metrics``: where it counts; a directory is that of one worker among several.
    """

    def __init__(self, settings: Settings, metrics: Recorder | Path | None = None) -> None:
        self._settings = settings
        self._metrics = metrics
        self._app: App | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # NOTE: this is the one place where settings travel with their secrets in clear: down the pipe to a child.
        metrics = self._metrics if isinstance(self._metrics, Path) else None
        return Application._restored, (self._settings.plain(), metrics)

    @classmethod
    def _restored(cls, plain: dict[str, Any], metrics: Path | None) -> Application:
        return cls(Settings.model_validate(plain), metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of ASGI."""
        if scope["type"] == "http":
            door = None if self._app is None else self._door(self._app, scope)
            if door is None:
                await _not_found(send)
            else:
                await door(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    def _door(self, app: App, scope: Scope) -> Door | None:
        """Who answers: on the gateway's listener the gateway, whatever the path; elsewhere by the path."""
        gateway = self._settings.gateway_listen
        if gateway is not None and scope["server"][1] == gateway.port:
            return app.enforcement.gateway
        return _door(app, scope["raw_path"])

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        configure_log()
        try:
            self._app = await open_app(self._settings, metrics=self._recorder())
        except Exception as error:  # noqa: BLE001 - reported to the server, which ends the process
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        # What was made until now lives as long as the process: the collector need not walk it again and again.
        gc.collect()
        gc.freeze()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._app.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _recorder(self) -> Recorder | None:
        if not isinstance(self._metrics, Path):
            return self._metrics
        try:
            return Recorder.in_directory(self._metrics)
        except OSError as error:  # a disk that is full: better to serve uncounted than not at all
            RequestLog().failed_aside("metrics", error)
            return None


def _door(app: App, raw_path: bytes) -> Door | None:
    """Who answers at a path; nobody at most of them."""
    if raw_path == b"/":
        return app.door
    if raw_path == CONTAINER_CREDENTIALS:
        return app.container_door
    if raw_path.startswith(AUTHZ):
        return app.enforcement.forward_auth
    if raw_path.startswith(ASK):
        return app.enforcement.ask
    if raw_path == S3TOKENS:
        return app.enforcement.s3tokens
    if raw_path == CONSUMER or raw_path.startswith(PREFIXES):
        return app.signin_door
    return app.issuer_documents if raw_path.startswith(ISSUERS) else None


async def _not_found(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_NOT_FOUND)).encode("ascii"))]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": _NOT_FOUND})
