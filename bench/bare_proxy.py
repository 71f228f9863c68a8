# SPDX-License-Identifier: Apache-2.0
"""
The bare proxy: an HTTP proxy of aiohttp on both sides that checks nothing, and is set up to be fast.

No router, no logs, no cookies, no decompression, uvloop, connections kept on both sides, bodies streamed both ways with the
read buffer that the gateway has. It passes on every header but those that are of one connection.

``python -m bench.bare_proxy UPSTREAM`` serves until it is stopped, and says where in one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys

import aiohttp
import uvloop
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from daypass.gateway.upstream import READ_BUFFER

_OF_ONE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "host"})
_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class BareProxy:
    """Sends each request on, and its answer back."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=READ_BUFFER,
            timeout=aiohttp.ClientTimeout(total=None, sock_read=60.0),
        )

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        async with self._session.request(
            request.method,
            URL(self._upstream + request.raw_path, encoded=True),
            headers=_kept(request.headers),
            data=request.content if request.body_exists else None,
            allow_redirects=False,
            skip_auto_headers=_AUTOMATIC,
        ) as found:
            answer = web.StreamResponse(status=found.status, headers=_kept(found.headers))
            await answer.prepare(request)
            while piece := await found.content.readany():
                await answer.write(piece)
            await answer.write_eof()
            return answer


def _kept(headers: aiohttp.typedefs.LooseHeaders) -> CIMultiDict[str]:
    given = CIMultiDict(headers)
    return CIMultiDict([(name, value) for name, value in given.items() if name.lower() not in _OF_ONE_CONNECTION])


async def _serve(upstream: str) -> None:
    runner = web.ServerRunner(web.Server(BareProxy(upstream), access_log=None, keepalive_timeout=3600.0))
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    await web.SockSite(runner, listener).start()
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve until stopped."""
    try:
        uvloop.run(_serve(sys.argv[1]))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
