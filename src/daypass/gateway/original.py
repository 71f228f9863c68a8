# SPDX-License-Identifier: Apache-2.0
"""
The client's request behind a proxy's question (docs/proxies.md): method, raw target, host and headers as the client sent them.

    nginx            X-Original-Method, X-Original-URI
    Caddy, Traefik   X-Forwarded-Method, X-Forwarded-Uri, X-Forwarded-Host
    Envoy            the method as it is, and the target behind /authz/BACKEND; over gRPC as ``ext_authz`` reads it

Exactly the one that the configuration names; a question that tells in two ways is refused. How long the body is that stays with
the proxy is told in X-Original-Content-Length, for signatures that cover it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

from daypass.access import RequestFacts
from daypass.clock import Clock
from daypass.doorway import limits
from daypass.doorway.client_address import ORIGIN_HEADERS, Network, origin_behind
from daypass.doorway.received import Scope
from daypass.errors import Reason, RequestError
from daypass.gateway.backends import Backend, Proxy
from daypass.gateway.incoming import Head, check_path
from daypass.gateway.names import AFTER_PREFIX, PREFIX
from daypass.sigv4 import RawRequest

Headers = Sequence[tuple[bytes, bytes]]

_BY_NGINX: Final = (b"x-original-method", b"x-original-uri")
_BY_FORWARDING: Final = (b"x-forwarded-method", b"x-forwarded-uri")
_LENGTH: Final = b"x-original-content-length"
"""The length of the body that stays with the proxy."""

_ADDRESS: Final = b"x-original-address"
"""The client's address, from Envoy: it adds its own to X-Forwarded-For when it asks."""

_IN_CHUNKS: Final = b"chunked"
"""Instead of a length: the body comes in chunks of HTTP."""

_WITH_BODY: Final = (b"PUT", b"POST", b"PATCH")
"""Methods whose requests have a body unless they say otherwise. Where nothing is said of one, nobody knows: Envoy does not tell
of chunks."""

_REPLACED: Final = frozenset(
    [*_BY_NGINX, *_BY_FORWARDING, _LENGTH, _ADDRESS, b"content-length", b"transfer-encoding", b"host"]
)
"""Headers of the question that are none of the client's, or are made anew."""

_ONCE: Final = frozenset([*_BY_NGINX, *_BY_FORWARDING, _LENGTH, _ADDRESS, b"host", b"user-agent", b"referer"])

_WAYS: Final[Mapping[Proxy | None, tuple[bool, bool, bool]]] = {
    "nginx": (True, False, False),
    "caddy": (False, True, False),
    "traefik": (False, True, False),
    "envoy": (False, False, True),
    "envoy-grpc": (False, False, True),
}
"""Which proxies tell of the client's request in nginx's headers, in forwarding headers, by the path."""

_NEITHER: Final = (None, None)


def original_request(scope: Scope, backend: Backend, clock: Clock, trusted_proxies: Sequence[Network]) -> Head:
    """The head of the client's request. Raises RequestError when the question does not tell it in one way."""
    headers: Headers = tuple(scope["headers"])
    if len(headers) > limits.HEADERS + 32 or len(b"".join(chain.from_iterable(headers))) > limits.HEADER_BYTES:
        raise RequestError(Reason.REQUEST_TOO_LARGE, "Your request headers exceed the maximum allowed size.")
    said, kept = _parted(headers)
    told_once = len(said) == len(headers)
    method, target = _told(scope, backend, said)
    path, _, query = target.partition(b"?")
    if not target.startswith(b"/") or not target.isascii() or target.find(b"#") >= 0:
        raise _ambiguous("the target is not a path")
    check_path(path)
    host = _host(headers, said, forwarded=backend.proxy in ("caddy", "traefik"))
    told, length = _length(said, method)
    if told is not None:
        kept.append((b"content-length", told))
    kept.append((b"host", host))
    raw = RawRequest(method.decode("ascii", "replace"), path, query, tuple(kept))
    if backend.proxy in ("envoy", "envoy-grpc"):
        headers = _addressed(headers, said)
    elif told_once:
        headers = [(name, said[name]) for name in ORIGIN_HEADERS if name in said]
    facts = _facts(scope, headers, said, clock, trusted_proxies)
    return Head(raw, facts, host, length)


def _parted(headers: Headers) -> tuple[dict[bytes, bytes], list[tuple[bytes, bytes]]]:
    """All headers by name, those that may be said once among them, and the headers that are the client's."""
    said = dict(headers)
    if len(said) != len(headers):
        _refuse_twice(headers)
    kept = [pair for pair in headers if not (pair[0] in _REPLACED or PREFIX <= pair[0] < AFTER_PREFIX)]
    return said, kept


def _refuse_twice(headers: Headers) -> None:
    """Raise RequestError for a header that came twice and may come once."""
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in _ONCE and name in seen:
            raise _twice(name)
        seen.add(name)


def _told(scope: Scope, backend: Backend, said: Mapping[bytes, bytes]) -> tuple[bytes, bytes]:
    """Method and target."""
    nginx = said.get(_BY_NGINX[0]), said.get(_BY_NGINX[1])
    forwarding = said.get(_BY_FORWARDING[0]), said.get(_BY_FORWARDING[1])
    behind: bytes = scope["raw_path"].removeprefix(b"/authz/" + backend.name.encode("ascii"))
    query: bytes = scope["query_string"]
    wanted = _WAYS[backend.proxy]
    # NOTE: a query alone tells nothing: Caddy leaves the client's where it was.
    if (nginx != _NEITHER, forwarding != _NEITHER, bool(behind)) != wanted:
        raise _ambiguous(f"expected what {backend.proxy} says, and that only")
    if wanted[2]:
        return scope["method"].encode("ascii"), behind + (b"?" + query if query else b"")
    method, target = nginx if wanted[0] else forwarding
    if not method or not target:
        raise _ambiguous("expected the method and the target")
    return method, target


def _host(headers: Headers, said: Mapping[bytes, bytes], *, forwarded: bool) -> bytes:
    told = [value for name, value in headers if name == b"x-forwarded-host"] if forwarded else []
    if len(told) > 1:
        raise _twice(b"x-forwarded-host")
    host = (told[0] if told else None) or said.get(b"host")
    if not host:
        raise _ambiguous("expected the host")
    return host


def _length(said: Mapping[bytes, bytes], method: bytes) -> tuple[bytes | None, int | None]:
    """The client's Content-Length, if it has one, and how long its body is: None where nobody knows."""
    told = said.get(_LENGTH)
    if not told:
        return None, None if told is None and method in _WITH_BODY else 0
    if told == _IN_CHUNKS:
        return None, None
    if not told.isdigit() or len(told) > 18:
        raise _ambiguous("the length is not a number")
    return told, int(told)


def _addressed(headers: Headers, said: Mapping[bytes, bytes]) -> Headers:
    """The headers with Envoy's word on the client's address instead of what has gathered in X-Forwarded-For."""
    address = said.get(_ADDRESS)
    if not address:
        raise _ambiguous("expected the client's address")
    return [*(pair for pair in headers if pair[0] != b"x-forwarded-for"), (b"x-forwarded-for", address)]


def _facts(
    scope: Scope, headers: Headers, said: Mapping[bytes, bytes], clock: Clock, trusted_proxies: Sequence[Network]
) -> RequestFacts:
    """Where and when from. The proxy has shown its secret, so it is believed as to whom it speaks for."""
    client = scope.get("client")
    source = origin_behind(client[0] if client else None, scope["scheme"], headers, trusted_proxies)
    user_agent, referer = said.get(b"user-agent"), said.get(b"referer")
    return RequestFacts(
        clock(),
        source.address,
        source.secure,
        None if user_agent is None else user_agent.decode("latin-1"),
        None if referer is None else referer.decode("latin-1"),
    )


def _twice(name: bytes) -> RequestError:
    return _ambiguous(f"{name.decode('ascii')} came twice")


def _ambiguous(why: str) -> RequestError:
    return RequestError(Reason.PROXY_QUESTION_AMBIGUOUS, f"The question of the proxy is not understood: {why}.")
