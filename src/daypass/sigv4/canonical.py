# SPDX-License-Identifier: Apache-2.0
"""
The canonical request and the string to sign (IAM User Guide, "Create a signed AWS API request", steps 1 to 3).

Computed from the raw bytes of the request. What a signer may write in two ways (an escape in upper or lower case, the order
of parameters) comes out in one; whether the request as sent is one that we are willing to route is ``verify``'s question.
Written by hand because it runs for every request: ``/`` and an empty query cost nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import limits
from daypass.sigv4.request import PathStyle

_UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
PLAIN: Final = _UNRESERVED + b"/"
"""What a path may have that stands for itself."""

_RESERVED: Final = re.compile(rb"[^A-Za-z0-9\-._~]")
_ENCODED: Final = {bytes([byte]): b"%%%02X" % byte for byte in range(256)}
_DECODED: Final = {
    b"%c%c" % (high, low): bytes([int(b"%c%c" % (high, low), 16)])
    for high in b"0123456789ABCDEFabcdef"
    for low in b"0123456789ABCDEFabcdef"
}

Parameter = tuple[bytes, bytes]
"""Name and value of one query parameter, each percent-encoded in the one canonical way."""


def canonical_request(
    method: str,
    path: bytes,
    query: bytes,
    headers: Mapping[bytes, bytes],
    signed_headers: Sequence[bytes],
    payload: str,
) -> bytes:
    """The canonical request, from a path and a query that are canonical already.

    ``payload`` is its last line: the SHA-256 of the body in lower-case hexadecimal, or a word such as UNSIGNED-PAYLOAD.
    Every name of ``signed_headers`` must be in ``headers``.
    """
    # White space goes as AWS's Trimall says: none at the ends of a value, one space for each run inside.
    lines = b"\n".join([name + b":" + b" ".join(headers[name].split()) for name in signed_headers])
    return b"%b\n%b\n%b\n%b\n\n%b\n%b" % (
        method.encode(),
        path,
        query,
        lines,
        b";".join(signed_headers),
        payload.encode(),
    )


def string_to_sign(timestamp: bytes, scope: str, request: bytes) -> bytes:
    """The string to sign for a canonical request. ``scope`` is ``date/region/service/aws4_request``."""
    digest = hashlib.sha256(request).hexdigest()
    return b"AWS4-HMAC-SHA256\n%b\n%b\n%b" % (timestamp, scope.encode(), digest.encode())


def canonical_path(path: bytes, style: PathStyle) -> bytes:
    """The canonical form of a raw path. Raises AuthenticationError when style RAW meets a broken percent escape.

    NOTE: in style RAW an escaped slash stays escaped, so a key that has one is never taken for a folder.
    """
    if path == b"/":
        return path
    if style is PathStyle.RAW:
        if not path.translate(None, PLAIN):
            return path
        return b"/".join([_recoded(segment) for segment in path.split(b"/")])
    segments = path.split(b"/")
    kept: list[bytes] = []
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(percent_encoded(segment))
    return b"/%b%b" % (b"/".join(kept), b"/" if kept and path.endswith(b"/") else b"")


def parse_query(query: bytes) -> list[Parameter]:
    """The parameters of a raw query in the order of the wire, each name and value encoded canonically.

    A parameter without an equals sign has the empty value. Raises AuthenticationError for a broken percent escape and for
    too many parameters.
    """
    if not query:
        return []
    pieces = query.split(b"&")
    if len(pieces) > limits.MAX_QUERY_PARAMETERS:
        raise AuthenticationError(Reason.SIGNED_REQUEST_TOO_LARGE, "The query has too many parameters.")
    split = (piece.partition(b"=") for piece in pieces)
    return [(_recoded(name), _recoded(value)) for name, _, value in split]


def canonical_query(parameters: Iterable[Parameter]) -> bytes:
    """The canonical query: parameters sorted by encoded name, then by encoded value."""
    return b"&".join([b"%b=%b" % pair for pair in sorted(parameters)])


def percent_encoded(text: bytes) -> bytes:
    """Every byte but RFC 3986's unreserved ones as ``%XX`` in upper case (AWS's UriEncode)."""
    if not text.translate(None, _UNRESERVED):
        return text
    return _RESERVED.sub(lambda match: _ENCODED[match[0]], text)


def percent_decoded(text: bytes) -> bytes:
    """The bytes behind percent escapes, decoded once. Raises AuthenticationError for a broken escape."""
    if b"%" not in text:
        return text
    first, *rest = text.split(b"%")
    try:
        return first + b"".join([_DECODED[piece[:2]] + piece[2:] for piece in rest])
    except KeyError:
        raise AuthenticationError(
            Reason.SIGNED_REQUEST_MALFORMED, "The path or the query has a percent sign that starts no escape."
        ) from None


def _recoded(text: bytes) -> bytes:
    if not text.translate(None, _UNRESERVED):
        return text
    return percent_encoded(percent_decoded(text))
