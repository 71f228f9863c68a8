# SPDX-License-Identifier: Apache-2.0
"""
The connections to daypass: the one place from which the library opens any. Two clients, for asyncio and for threads.

To the address that was given only: no redirects, no proxies of the environment, no cookies; with a bound on time and on bytes.
"""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from daypass.errors import ConfigurationError, Reason
from daypass.verify.answers import unreachable

MAX_ANSWER: Final = 8 << 20
"""Bytes of an answer: a hundred callers with every tag, and their handles."""

SECONDS: Final = 5.0
"""For one question, from the connection to the last byte of its answer."""

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Address(msgspec.Struct, frozen=True):
    """Where daypass is: the parts of its URL. ``authority`` is what the Host header says."""

    scheme: str
    host: str
    port: int
    authority: str

    @property
    def origin(self) -> str:
        """The URL, without a path."""
        return f"{self.scheme}://{self.authority}"


def address_of(url: str, *, unsafe_plain_http: bool) -> Address:
    """
    The address of a URL. Plain HTTP is for this machine, unless it is asked for: signing keys come back on it. Raises
    ConfigurationError.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    host = parts.hostname or ""
    rest = parts.path.rstrip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in ("http", "https") or not host or port == 0 or rest:
        raise _misconfigured("expected a URL of the form https://HOST[:PORT]")
    if parts.scheme == "http" and host not in _LOOPBACK and not unsafe_plain_http:
        raise _misconfigured("expected https, for signing keys and decisions travel on it")
    usual = 443 if parts.scheme == "https" else 80
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port in (None, usual) else f"{shown}:{port}"
    return Address(parts.scheme, host, port or usual, authority)


class AsyncClient:
    """Questions over connections that are kept. Belongs to one event loop."""

    def __init__(self, address: Address, seconds: float, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of an answer. Raises UnavailableError."""
        url = self._address.origin + path
        for attempt in (1, 2):
            try:
                async with self._open().post(url, data=body, headers=headers, allow_redirects=False) as response:
                    return response.status, await _whole(response.content)
            except aiohttp.ServerDisconnectedError:
                if attempt == 2:  # once, a connection that was kept may have been closed meanwhile
                    raise unreachable("the connection broke") from None
            except (aiohttp.ClientError, OSError, TimeoutError):
                raise unreachable("no answer came") from None
        raise unreachable("no answer came")

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=64, ssl=True if self._tls is None else self._tls)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        return self._session


async def _whole(content: aiohttp.StreamReader) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in content.iter_any():
        size += len(piece)
        if size > MAX_ANSWER:
            raise unreachable("the answer is too long")
        pieces.append(piece)
    return b"".join(pieces)


class BlockingClient:
    """Questions over a connection for each thread."""

    def __init__(self, address: Address, seconds: float, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._seconds = seconds
        self._tls = (tls or ssl.create_default_context()) if address.scheme == "https" else None
        self._of_thread = threading.local()
        self._all: set[http.client.HTTPConnection] = set()
        self._lock = threading.Lock()

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of an answer. Raises UnavailableError."""
        for attempt in (1, 2):
            connection, kept = self._connection()
            try:
                connection.request("POST", path, body, dict(headers))
                response = connection.getresponse()
                answer = response.read(MAX_ANSWER + 1)
            except (http.client.HTTPException, OSError):
                self._drop(connection)
                if attempt == 2 or not kept:
                    raise unreachable("no answer came") from None
                continue
            if len(answer) > MAX_ANSWER:
                self._drop(connection)
                raise unreachable("the answer is too long")
            return response.status, answer
        raise unreachable("no answer came")

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._of_thread = threading.local()

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        """The thread's connection, and whether it was used before."""
        found: http.client.HTTPConnection | None = getattr(self._of_thread, "connection", None)
        if found is not None:
            return found, True
        host, port = self._address.host, self._address.port
        made: http.client.HTTPConnection
        if self._tls is None:
            made = http.client.HTTPConnection(host, port, timeout=self._seconds)
        else:
            made = http.client.HTTPSConnection(host, port, timeout=self._seconds, context=self._tls)
        self._of_thread.connection = made
        with self._lock:
            self._all.add(made)
        return made, False

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        connection.close()
        self._of_thread.connection = None
        with self._lock:
            self._all.discard(connection)


def _misconfigured(message: str) -> ConfigurationError:
    return ConfigurationError(Reason.CONFIGURATION_INVALID, f"the address of daypass: {message}")
