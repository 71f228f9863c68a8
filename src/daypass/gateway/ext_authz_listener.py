# SPDX-License-Identifier: Apache-2.0
"""
Where Envoy asks over gRPC: a server of gRPC with threads of its own, for ``gateway.ext_authz``.

    a call -- gRPC's thread: is the secret there? -- a thread of the pool: the message -- the loop: the answer --> the call

Not grpc.aio, whose serving loop ends at a call whose name is no UTF-8 (ADR 0016). Of a call without the secret no message is
read. Each worker process has a listener of its own on the same address (SO_REUSEPORT), and the kernel deals out connections.
Envoy keeps one for each of its threads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any, Final

import grpc

from daypass.errors import ConfigurationError, Reason
from daypass.gateway.ext_authz import Metadata

SERVICE: Final = "envoy.service.auth.v3.Authorization"
METHOD: Final = "Check"

MESSAGE_BYTES: Final = 131_072
"""Of a question: the 60 KiB that Envoy takes in target and headers unless configured, told twice."""

METADATA_BYTES: Final = 8192
"""Of a call; the secret and what Envoy adds have some hundred."""

AT_ONCE: Final = 128
"""Questions of one process that are being read and answered: the threads of the pool."""

CONCURRENT: Final = 2048
"""Those, and the ones that wait for a thread, unread; to more, gRPC itself says no."""

STREAMS: Final = 2048
"""Of one connection: all of them, for gRPC counts a call until Python has let go of it, and refuses one too many."""

CONNECTIONS: Final = 256
"""Of one process; one is one of Envoy's threads."""

READ_AHEAD: Final = 16_384
"""Bytes of a message that may come before a thread reads it; a usual question is 2 to 4 KB."""

HANDSHAKE_MS: Final = 5000
"""From the connection to the settings of HTTP/2."""

PING_MS: Final = 10_000
"""How often a silent Envoy may ask whether we are here; gRPC's own five minutes would end connections that are kept alive."""

QUESTION_SECONDS: Final = 30.0
"""To read and to answer one; as long as a request over HTTP may be in coming. Envoy waits for 10 in the example."""

LOOK_SECONDS: Final = 1.0
"""How often it is looked which questions take longer."""

CLOSING_SECONDS: Final = 1.0
"""How long questions may take when the process ends: a thousand times what they do."""

_OPTIONS: Final = (
    ("grpc.so_reuseport", 1),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES),
    ("grpc.max_concurrent_streams", STREAMS),
    ("grpc.max_allowed_incoming_connections", CONNECTIONS),
    ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
    ("grpc.http2.lookahead_bytes", READ_AHEAD),
    ("grpc.http2.bdp_probe", 0),  # it would enlarge what is read ahead
    ("grpc.http2.min_ping_interval_without_data_ms", PING_MS),
)

Check = Callable[[Metadata, bytes], Coroutine[Any, Any, bytes]]
"""``ExtAuthzDoor.check``."""

Knows = Callable[[Metadata], bool]
"""``ExtAuthzDoor.knows``."""


class ExtAuthzListener:
    """``listen``: ``ADDRESS:PORT``. Made without a loop, started in one, which ``check`` is asked in."""

    def __init__(self, listen: str, check: Check, knows: Knows, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._listen = listen
        self._check = check
        self._knows = knows
        self._clock = clock
        self._pool = _Pool(AT_ONCE, "ext-authz")
        self._server: Any = None
        self._loop: Any = None
        self._looking: Any = None
        self._open: set[_Call] = set()

    async def start(self) -> None:
        """Listen. Raises ConfigurationError when the address cannot be had."""
        self._loop = asyncio.get_running_loop()
        handler = grpc.stream_unary_rpc_method_handler(self._answer)  # bytes in, bytes out; it reads one message itself
        self._server = grpc.server(
            self._pool,
            options=_OPTIONS,
            interceptors=(_Unread(self._knows, self._refuse),),
            maximum_concurrent_rpcs=CONCURRENT,
        )
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler})])
        try:
            self._server.add_insecure_port(self._listen)
        except RuntimeError:
            self._server = None
            raise ConfigurationError(
                Reason.CONFIGURATION_INVALID, f"gateway.ext_authz: cannot listen on {self._listen}"
            ) from None
        self._pool.submit(int)  # a thread, before there are calls
        self._server.start()
        self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Take no more questions, and answer those that are there, unless that takes long. No thread is left."""
        if self._server is None:
            return
        self._looking.cancel()
        # NOTE: the pool ends last. gRPC's thread would not survive it if a call came that has no thread to go to.
        await asyncio.to_thread(self._server.stop(CLOSING_SECONDS).wait, 2 * CLOSING_SECONDS)
        ended = asyncio.ensure_future(asyncio.to_thread(self._pool.shutdown))
        await asyncio.wait([ended], timeout=CLOSING_SECONDS)
        while not ended.done():
            self._give_up(self._clock())
            await asyncio.wait([ended], timeout=0.02)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._give_up(self._clock() - QUESTION_SECONDS)

    def _give_up(self, before: float) -> None:
        """End the questions that began by then."""
        for call in list(self._open):
            if call.began <= before:
                call.give_up()

    def _answer(self, messages: Iterator[bytes], context: Any) -> bytes:
        """Answer a question, in a thread of the pool."""
        call = _Call(context, self._clock())
        self._open.add(call)
        try:
            return self._asked(call, next(messages, b""))
        finally:
            self._open.discard(call)

    def _refuse(self, _messages: Iterator[bytes], context: Any) -> bytes:
        """The same, unread."""
        return self._answer(iter(()), context)

    def _asked(self, call: _Call, message: bytes) -> bytes:
        # Whoever asked may go away, or have waited long enough. What was asked is decided and recorded all the same.
        metadata = call.context.invocation_metadata() or ()
        call.answer = asyncio.run_coroutine_threadsafe(self._check(metadata, message), self._loop)
        try:
            return call.answer.result()
        except CancelledError:
            call.context.abort(grpc.StatusCode.UNAVAILABLE, "no answer in time")
            raise


class _Pool(ThreadPoolExecutor):
    """Where the machine gives no more threads, those that are there do the work: gRPC's own would end by the error."""

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()
        except RuntimeError:
            if not self._threads:
                raise


class _Call:
    """One question that is being read or answered. ``began``: when."""

    def __init__(self, context: Any, began: float) -> None:
        self.context = context
        self.began = began
        self.answer: Future[bytes] | None = None

    def give_up(self) -> None:
        """End it, whatever it waits for."""
        if self.answer is None:
            self.context.cancel()
        else:
            self.answer.cancel()


class _Unread(grpc.ServerInterceptor):  # type: ignore[misc]
    """Who does not show the secret is refused by the head of the call: one that never ends takes no place."""

    def __init__(self, knows: Knows, refuse: Callable[[Iterator[bytes], Any], bytes]) -> None:
        self._knows = knows
        self._refusal = grpc.stream_unary_rpc_method_handler(refuse)

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        """How a call is answered. In gRPC's own thread: it reads calls one after the other."""
        handler = continuation(details)
        if handler is None or self._knows(details.invocation_metadata or ()):
            return handler
        return self._refusal
