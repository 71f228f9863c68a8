# SPDX-License-Identifier: Apache-2.0
"""The service in this process behind a real socket, which can be held, broken and counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from botocore.credentials import Credentials as Pair

from daypass.credentials import Secret
from daypass.sigv4 import RawRequest
from daypass.verify import Credentials
from doors import fetch
from gateway.asking_services import Asking, asking, signed_headers
from in_process import ACCOUNT


class Bridge:
    """``asked`` counts questions by kind; while ``away`` they are answered with nothing, and with ``answer`` if that is set."""

    def __init__(self, asks: Asking) -> None:
        self.asks = asks
        self.url = ""
        self.asked: Counter[str] = Counter()
        self.away = False
        self.answer: tuple[int, bytes] | None = None
        self.came = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One question."""
        body = await request.read()
        self.asked[request.path.rpartition("/")[2]] += 1
        self.came.set()
        await self.free.wait()
        if self.away:
            if request.transport is not None:
                request.transport.close()
            return web.Response(status=500)
        if self.answer is not None:
            return web.Response(status=self.answer[0], body=self.answer[1])
        headers = [(name.lower(), value) for name, value in request.raw_headers]
        found = await fetch(self.asks.running, request.path, method=request.method, headers=headers, body=body)
        return web.Response(status=found.status, body=found.body)

    @property
    def settings(self) -> dict[str, object]:
        """What a verifier for ``notes`` is made with, beside the URL and the credentials."""
        return {
            "service": "notes",
            "region": "us-east-1",
            "account": ACCOUNT,
            "clock": self.asks.running.clock,
        }

    @property
    def credentials(self) -> Credentials:
        """Those of the service that may ask."""
        return of_pair(self.asks.asker)

    def request(
        self, pair: Pair | None = None, target: str = "/notes/1", body: bytes = b"", method: str = "GET", after: int = 0
    ) -> RawRequest:
        """A request for ``notes`` as it was received."""
        now = self.asks.running.clock() + after
        headers = signed_headers(pair or self.asks.user, method, target, body, service="notes", now=now)
        path, _, query = target.encode().partition(b"?")
        return RawRequest(method, path, query, tuple(headers))


def of_pair(pair: Pair) -> Credentials:
    """As the library takes them."""
    token = None if pair.token is None else Secret(str(pair.token))
    return Credentials(str(pair.access_key), Secret(str(pair.secret_key)), token)


@asynccontextmanager
async def bridge(folder: Path) -> AsyncIterator[Bridge]:
    """A bridge on a free port."""
    async with asking(folder) as asks:
        made = Bridge(asks)
        application = web.Application(client_max_size=1 << 20)
        application.router.add_route("*", "/{rest:.*}", made.serve)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        made.url = f"http://{host}:{port}"
        try:
            yield made
        finally:
            await runner.cleanup()
