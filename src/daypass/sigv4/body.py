# SPDX-License-Identifier: Apache-2.0
"""
The body of a request whose head has been verified, read as it arrives and held to what the head promises (invariant 4).

    verify_signature(payload_hash=None) --> VerifiedSignature -- open_body --> Body -- feed, feed, ... finish --> pieces

Every body that promises something is one piece behind: what ``feed`` returns is unverified but cannot be all of it, and
``finish`` returns the rest only once everything agrees.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.sigv4 import payloads
from daypass.sigv4.chunks import ChunkedBody, SignatureChain
from daypass.sigv4.credential import UnverifiedAuthorization, single
from daypass.sigv4.key import SigningKeyProvider, signing_key
from daypass.sigv4.request import HeaderFields
from daypass.sigv4.trailers import Piece, TrailerReader, announced_trailers
from daypass.sigv4.verify import VerifiedSignature

_LENGTH: Final = re.compile(rb"0|[1-9][0-9]{0,14}")
_NO_TRAILERS: Final[Mapping[str, str]] = {}


class Body(Protocol):
    """
    A body that is read once. ``length``: its bytes once decoded, for one in chunks; None where Content-Length says it.

    **Send the pieces on under that length, and when anything is raised cut the connection to the store instead of ending the
    request: then nothing unverified is ever complete. A body of length 0 has no piece to hold back, so** ``finish`` **it before
    the head is sent on.**
    """

    @property
    def length(self) -> int | None: ...
    @property
    def trailers(self) -> Mapping[str, str]: ...
    @property
    def checked(self) -> frozenset[str]: ...

    def feed(self, data: bytes) -> Sequence[Piece]:
        """What may be sent on, given the next bytes as received. Raises AuthenticationError or RequestError."""

    def finish(self) -> Sequence[Piece]:
        """What is left to send on, at the end of what was received: all is verified. Raises as ``feed``."""


def open_body(
    authorization: UnverifiedAuthorization, verified: VerifiedSignature, *, secret: bytes | SigningKeyProvider
) -> Body:
    """
    The body of a verified request, by what ``verified.payload`` says: a digest, UNSIGNED-PAYLOAD, or chunks.

    ``secret`` is what ``verify_signature`` had. A body in chunks needs x-amz-decoded-content-length, and x-amz-trailer exactly
    where a trailer follows. Raises RequestError (CHUNKED_HEADERS_REFUSED, LENGTH_REQUIRED) before any of the body is read, and
    ValueError when ``verified`` came from another authorization.
    """
    if verified.signature != authorization.signature or verified.timestamp != authorization.timestamp:
        raise ValueError("the signature was verified for another authorization")
    payload = verified.payload
    if payload == payloads.UNSIGNED_PAYLOAD:
        return UnsignedBody()
    if payload not in payloads.STREAMING_PAYLOADS:
        return DigestBody(payload)
    signed = payload in payloads.SIGNED_CHUNKS
    headers = authorization.headers
    length = _decoded_length(headers)
    trailer = _trailer(headers, expected=payload in payloads.WITH_TRAILER, signed=signed)
    if not signed:
        return ChunkedBody(length, None, trailer)
    chain = SignatureChain(signing_key(secret, authorization), verified.timestamp, verified.scope, verified.signature)
    return ChunkedBody(length, chain, trailer)


class UnsignedBody:
    """A body that the signature does not cover: handed on as it comes."""

    length: int | None = None
    trailers: Mapping[str, str] = _NO_TRAILERS
    checked: frozenset[str] = frozenset()

    def feed(self, data: bytes) -> Sequence[Piece]:
        """The data itself."""
        return (data,) if data else ()

    def finish(self) -> Sequence[Piece]:
        """Nothing."""
        return ()


class DigestBody:
    """A body whose SHA-256 was declared and signed (64 hexadecimal digits): the last piece waits for the comparison."""

    length: int | None = None
    trailers: Mapping[str, str] = _NO_TRAILERS
    checked: frozenset[str] = frozenset()

    def __init__(self, digest: str) -> None:
        self._declared = digest
        self._running = hashlib.sha256()
        self._held: bytes | None = None
        self._finished = False

    def feed(self, data: bytes) -> Sequence[Piece]:
        """The piece before."""
        self._check_open()
        if not data:
            return ()
        self._running.update(data)
        before, self._held = self._held, data
        return () if before is None else (before,)

    def finish(self) -> Sequence[Piece]:
        """The last piece. Raises AuthenticationError when the body is not the one that was signed."""
        self._check_open()
        self._finished = True
        if not hmac.compare_digest(self._running.hexdigest(), self._declared):
            raise AuthenticationError(
                Reason.PAYLOAD_HASH_MISMATCH,
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )
        return () if self._held is None else (self._held,)

    def _check_open(self) -> None:
        if self._finished:
            raise ValueError("this body has been finished")


def stored_content_encoding(value: bytes) -> bytes | None:
    """
    A Content-Encoding without ``aws-chunked``, which is how the body travels and not what is stored (S3 API, "Chunked upload").

    None when nothing else is left, so that the header is to be left out.
    """
    kept = [
        name for name in (name.strip(b" \t") for name in value.split(b",")) if name and name.lower() != b"aws-chunked"
    ]
    return b",".join(kept) or None


def _decoded_length(headers: HeaderFields) -> int:
    value = single(headers, b"x-amz-decoded-content-length")
    if value is None:
        raise RequestError(Reason.LENGTH_REQUIRED, "You must provide the x-amz-decoded-content-length header.")
    if _LENGTH.fullmatch(value) is None:
        raise RequestError(
            Reason.CHUNKED_HEADERS_REFUSED, "x-amz-decoded-content-length must be a whole number of bytes."
        )
    return int(value)


def _trailer(headers: HeaderFields, *, expected: bool, signed: bool) -> TrailerReader | None:
    value = single(headers, b"x-amz-trailer")
    if expected is not (value is not None):
        raise RequestError(
            Reason.CHUNKED_HEADERS_REFUSED, "x-amz-trailer must be there exactly when x-amz-content-sha256 says so."
        )
    return None if value is None else TrailerReader(announced_trailers(value), signed=signed)
