# SPDX-License-Identifier: Apache-2.0
"""
The head of a request at the gateway, bounded and read in one way only, before anything in it is believed.

What two servers could read differently is refused here (RFC 9112 section 6.3; threats of request smuggling): two lengths, a
length and chunks, a transfer coding that is not just ``chunked`` or comes by HTTP/1.0, more than one Host, an expectation
other than ``100-continue``, and a path that leads upwards for those who end a segment at its semicolon.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from daypass.access import RequestFacts
from daypass.clock import Clock
from daypass.doorway import limits
from daypass.doorway.client_address import ORIGIN_HEADERS, Network, origin
from daypass.doorway.received import Scope
from daypass.errors import Reason, RequestError
from daypass.sigv4 import RawRequest

_READ_HERE: Final = frozenset(
    [*ORIGIN_HEADERS, b"content-length", b"transfer-encoding", b"expect", b"host", b"user-agent", b"referer"]
)
_WITHOUT_BODY: Final = ("GET", "HEAD")


class Head(msgspec.Struct, frozen=True):
    """A request's head. ``length``: of the body as it is sent; None when it comes in chunks."""

    raw: RawRequest
    facts: RequestFacts
    host: bytes
    length: int | None

    @property
    def has_body(self) -> bool:
        """Whether bytes of a body may come."""
        return self.length is None or self.length > 0

    def __repr__(self) -> str:
        return "Head(...)"


def read_head(scope: Scope, clock: Clock, trusted_proxies: Sequence[Network]) -> Head:
    """The head of a request. Raises RequestError."""
    # NOTE: a copy. The server appends the trailers of a chunked body to its own list while the body is read.
    headers = tuple(scope["headers"])
    if len(headers) > limits.HEADERS or len(b"".join(chain.from_iterable(headers))) > limits.HEADER_BYTES:
        raise RequestError(Reason.REQUEST_TOO_LARGE, "Your request headers exceed the maximum allowed size.")
    raw = RawRequest(scope["method"], scope["raw_path"], scope["query_string"], headers)
    headers = tuple([pair for pair in headers if pair[0] in _READ_HERE])
    length = _length(headers)
    if length is None and scope.get("http_version") == "1.0":
        raise _malformed("There are no chunks in HTTP/1.0.")
    if any(name == b"expect" and value.strip().lower() != b"100-continue" for name, value in headers):
        raise _malformed("The only expectation is 100-continue.")
    check_path(raw.path)
    client = scope.get("client")
    source = origin(client[0] if client else None, scope["scheme"], headers, trusted_proxies)
    fields = dict(headers)
    user_agent, referer = fields.get(b"user-agent"), fields.get(b"referer")
    facts = RequestFacts(
        clock(),
        source.address,
        source.secure,
        None if user_agent is None else user_agent.decode("latin-1"),
        None if referer is None else referer.decode("latin-1"),
    )
    return Head(raw, facts, _host(headers), length)


def check_body(head: Head, service: str) -> None:
    """
    Refuse a body where none means anything (RFC 9110 sections 9.3.1, 9.3.2, 9.3.5): a backend that does not read it takes it
    for a request of its own, which nobody has decided, and answers that to whoever is next on the connection. Raises
    RequestError (MALFORMED_REQUEST).
    """
    method = head.raw.method
    if head.has_body and (method in _WITHOUT_BODY or (service == "s3" and method == "DELETE")):
        raise _malformed(f"A {method} has no body here.")


def check_path(path: bytes) -> None:
    """
    Servers of Java's kind take ``..;x`` for ``..`` (RFC 3986 section 3.3 leaves parameters of segments to them). Raises
    RequestError (MALFORMED_REQUEST).
    """
    if path.find(b";") < 0 and path.lower().find(b"%3b") < 0:
        return
    segments = [segment.partition(b";") for segment in unquote_to_bytes(path).split(b"/")]
    if any(mark and name in (b".", b"..") for name, mark, _ in segments):
        raise _malformed("The path has a segment of dots and a semicolon.")


def _host(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1:
        raise _malformed("Expected one Host header.")
    return hosts[0]


def _length(headers: Sequence[tuple[bytes, bytes]]) -> int | None:
    """The length of the body as it is sent; None for one in chunks; 0 where none is announced."""
    lengths = [value.strip() for name, value in headers if name == b"content-length"]
    codings = [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]
    if len(lengths) > 1 or len(codings) > 1 or (lengths and codings):
        raise _malformed("Expected one Content-Length, or Transfer-Encoding: chunked.")
    if codings:
        if codings[0] != b"chunked":
            raise _malformed("The only transfer coding is chunked.")
        return None
    if not lengths:
        return 0
    if not lengths[0].isdigit() or len(lengths[0]) > 18:
        raise _malformed("Content-Length is not a number.")
    return int(lengths[0])


def _malformed(message: str) -> RequestError:
    return RequestError(Reason.MALFORMED_REQUEST, message)
