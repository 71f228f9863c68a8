# SPDX-License-Identifier: Apache-2.0
"""
The only outbound door of federation: fetching what a registered provider publishes (DESIGN.md, invariant 11).

https with the certificate checked, or plain http to this machine where that is allowed; no redirect, no cookie, no
credentials, no proxy; the address is resolved once, checked, and connected to; the answer is bounded in size and time.
Which URLs to ask is for the callers, who have them from a registration, never from a token.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from daypass.errors import ProviderError, Reason
from daypass.federation.addresses import Network, is_permitted
from daypass.oidc import Url, parse_url

MAX_ANSWER: Final = 512 * 1024  # octets; the largest key sets seen (many certificate chains) have about 100 KiB
DEFAULT_TIMEOUT: Final = 5.0  # seconds from the name to the last octet; STS clients wait 60, proxies before us often 10
_CHUNK: Final = 16 * 1024

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Resolves a host name and port to addresses, as text. Raises OSError."""


class Fetcher:
    """Fetches documents of identity providers. One is made per process; ``close`` it at the end.

    - ``allowed_networks``: networks beyond the public internet in which providers may live.
    - ``allow_loopback_http``: whether ``http://localhost`` and the like may be asked, for development.
    - ``timeout``: seconds for a whole fetch, looking up the name included.
    - ``ssl_context``: whose certificates are trusted; the machine's by default.
    - ``resolve``: how names are looked up; the machine's resolver by default.
    """

    def __init__(
        self,
        *,
        allowed_networks: Collection[Network] = (),
        allow_loopback_http: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._allowed_networks = tuple(allowed_networks)
        self._allow_loopback_http = allow_loopback_http
        self._timeout = timeout
        self._ssl_context = ssl_context or _default_context()
        self._resolve = resolve or _system_resolve
        self._open: set[aiohttp.ClientSession] = set()

    async def get(self, url: str) -> bytes:
        """
        The document at this URL, if it is answered with status 200. Raises ProviderError.

        1. The URL: https, or http to this machine where that is allowed; of a plain form (``daypass.oidc.url``).
        2. The name is resolved once; addresses that may not be connected to are dropped, and one must be left.
        3. A connection to such an address and no other, with the certificate of the *name*; no redirect is followed.
        4. The answer: 200, not encoded (a compressed one may hide its size), counted while it arrives.

        All of it within ``timeout`` seconds.
        """
        parsed = self._checked(url)  # 1
        try:
            async with asyncio.timeout(self._timeout):
                addresses = await self._addresses(parsed)  # 2
                return await self._exchange(url, addresses)  # 3, 4
        except TimeoutError:
            raise ProviderError(Reason.PROVIDER_TIMEOUT, "The identity provider did not answer in time.") from None
        except (aiohttp.ClientSSLError, ssl.SSLError):
            message = "The identity provider's certificate is not valid for its name."
            raise ProviderError(Reason.PROVIDER_CERTIFICATE_INVALID, message) from None
        except (aiohttp.ClientError, OSError, ValueError):  # ValueError: an answer that is no HTTP, a name that is none
            raise ProviderError(Reason.PROVIDER_UNREACHABLE, "The identity provider could not be reached.") from None

    async def close(self) -> None:
        """End what is still under way."""
        for session in tuple(self._open):
            await session.close()

    def _checked(self, url: str) -> Url:
        try:
            parsed = parse_url(url)
        except ValueError:
            parsed = None
        if parsed is None or (parsed.scheme == "http" and not self._allow_loopback_http):
            raise ProviderError(Reason.PROVIDER_URL_REFUSED, "The identity provider's URL may not be asked.")
        return parsed

    async def _addresses(self, url: Url) -> list[str]:
        """The permitted addresses of a URL's host. Only plain http, which is this machine by definition, may loop back."""
        found = [url.host] if url.address is not None else await self._resolve(url.host, url.port)
        permitted = [address for address in found if self._is_permitted(address, url)]
        if not permitted:
            raise _address_refused()
        return permitted

    def _is_permitted(self, address: str, url: Url) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if url.scheme == "http" and not parsed.is_loopback:
            return False
        return is_permitted(parsed, self._allowed_networks, loopback=url.scheme == "http")

    async def _exchange(self, url: str, addresses: list[str]) -> bytes:
        async with self._session(addresses) as session:
            self._open.add(session)
            try:
                async with session.get(URL(url, encoded=True), allow_redirects=False) as answer:
                    return await _body(answer)
            finally:
                self._open.discard(session)

    def _session(self, addresses: list[str]) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(addresses),
            socket_factory=_only(addresses),
            use_dns_cache=False,
            force_close=True,
            ssl=self._ssl_context,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "daypass"},
        )


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    if 300 <= answer.status < 400:
        raise ProviderError(Reason.PROVIDER_REDIRECTED, "The identity provider answered with a redirect.")
    if answer.status != 200:
        raise ProviderError(Reason.PROVIDER_STATUS, f"The identity provider answered with status {answer.status}.")
    if answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise ProviderError(Reason.PROVIDER_ANSWER_ENCODED, "The identity provider's answer is compressed.")
    body = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MAX_ANSWER:
            raise ProviderError(Reason.PROVIDER_ANSWER_TOO_LARGE, "The identity provider's answer is too large.")
    return bytes(body)


class _Pinned(AbstractResolver):
    """Answers every question with the addresses that were checked."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - what was checked is of its own family
    ) -> list[ResolveResult]:
        """The checked addresses, whatever the name."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _only(addresses: list[str]) -> Callable[[Any], socket.socket]:
    """
    Makes sockets for the checked addresses and for nothing else.

    INVARIANT: this is the last thing before a connection is made, below whatever the HTTP client may decide by itself
    (addresses in URLs, for one, it does not resolve), so no connection goes to an address that was not checked.
    """
    permitted = frozenset(ipaddress.ip_address(address) for address in addresses)

    def make(addr_info: Any) -> socket.socket:
        family, kind, protocol, _, sockaddr = addr_info
        if ipaddress.ip_address(sockaddr[0]) not in permitted:
            raise _address_refused()
        return socket.socket(family=family, type=kind, proto=protocol)

    return make


def _address_refused() -> ProviderError:
    message = "The identity provider's address is not one that may be connected to."
    return ProviderError(Reason.PROVIDER_ADDRESS_REFUSED, message)


@functools.cache
def _default_context() -> ssl.SSLContext:
    """The machine's certificates, read once: that takes some 40 ms."""
    return ssl.create_default_context()


async def _system_resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]
