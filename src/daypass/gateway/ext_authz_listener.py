# SPDX-License-Identifier: Apache-2.0
"""
Where Envoy asks over gRPC: a server of grpc.aio in the loop of the process, for ``gateway.ext_authz``.

Each worker process has a listener of its own on the same address (SO_REUSEPORT), and the kernel deals out connections. Envoy
keeps one for each of its threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc
import grpc.aio

from daypass.errors import ConfigurationError, Reason
from daypass.gateway.ext_authz import Metadata

SERVICE: Final = "envoy.service.auth.v3.Authorization"
METHOD: Final = "Check"

MESSAGE_BYTES: Final = 262_144
"""Of a question: what the HTTP door takes in headers is a quarter of it, and the target is told twice."""

METADATA_BYTES: Final = 16_384
"""Of a call; the secret and what Envoy adds have some hundred."""

CONCURRENT: Final = 4096
"""Questions of one process that are being answered. As many as it has connections over HTTP; to more, gRPC itself says no."""

STREAMS: Final = 1024
"""Of one connection, which is one of Envoy's threads."""

PING_MS: Final = 10_000
"""How often a silent Envoy may ask whether we are here; gRPC's own five minutes would end connections that are kept alive."""

CLOSING_SECONDS: Final = 1.0
"""How long questions may take when the process ends: a thousand times what they do."""

_OPTIONS: Final = (
    ("grpc.so_reuseport", 1),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES),
    ("grpc.max_concurrent_streams", STREAMS),
    ("grpc.http2.min_ping_interval_without_data_ms", PING_MS),
)

Check = Callable[[Metadata, bytes], Awaitable[bytes]]
"""``ExtAuthzDoor.check``."""


class ExtAuthzListener:
    """``listen``: ``HOST:PORT``. Made without a loop, started in one."""

    def __init__(self, listen: str, check: Check) -> None:
        self._listen = listen
        self._check = check
        self._server: Any = None
        self._answering: set[asyncio.Task[bytes]] = set()

    async def start(self) -> None:
        """Listen. Raises ConfigurationError when the address cannot be had."""
        handler = grpc.unary_unary_rpc_method_handler(self._answer)  # bytes in, bytes out
        self._server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=CONCURRENT)
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler})])
        try:
            self._server.add_insecure_port(self._listen)
        except RuntimeError:
            raise ConfigurationError(
                Reason.CONFIGURATION_INVALID, f"gateway.ext_authz: cannot listen on {self._listen}"
            ) from None
        await self._server.start()

    async def close(self) -> None:
        """Take no more questions, and answer those that are there."""
        if self._server is not None:
            await self._server.stop(CLOSING_SECONDS)
        if self._answering:
            await asyncio.wait(self._answering)

    async def _answer(self, message: bytes, context: Any) -> bytes:
        # Whoever asked may go away, or have waited long enough. What was asked is decided and recorded all the same.
        task = asyncio.ensure_future(self._check(context.invocation_metadata() or (), message))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        return await asyncio.shield(task)
